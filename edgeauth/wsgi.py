"""The gate as WSGI middleware."""

from __future__ import annotations

# Not for type checkers alone: whoever builds the gate may read its annotations.
from collections.abc import Callable, Iterable  # noqa: TC003
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment  # noqa: TC003

from edgeauth.body import Upload
from edgeauth.digest import digested_body
from edgeauth.guard import Guard
from edgeauth.request import folded_spellings, listens_on_unix, opens_websocket
from edgeauth.verdict import Verdict, denial
from edgeauth.wsgi_body import compared

__all__ = ["EdgeAuthMiddleware"]

# Header fields whose variables have no HTTP_ before their name.
_PLAIN = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})

# Validators accept a key without a dot only if its value is a string.
_VALIDATORS = frozenset({"wsgiref.validate", "webtest.lint"})


class EdgeAuthMiddleware:
    """Lets requests through to *app* that come from the edge, and refuses all others.

    The verdict is at ``environ["edgeauth.verdict"]``, and at ``environ["edgeauth"]`` unless *app*
    is a validator of WSGI; the guard is at ``environ["edgeauth.guard"]``. The credential header
    is removed. Inside another gate of this process that asks for the same proof, that gate's
    verdict counts.

    Paths of exemptions and passes are as in the URL: SCRIPT_NAME, then PATH_INFO. Where
    SCRIPT_NAME is not empty, ``mount_points`` must name it, since clients can set it on some
    servers.

    Args:
        app: the WSGI application.
        guard: what decides; None builds it from the environment, now.

    Raises:
        ConfigurationError: *guard* is None and the environment does not make one; or the file
            of decisions of *guard* cannot be used.
    """

    def __init__(self, app: WSGIApplication, guard: Guard | None = None) -> None:
        self.app = app
        self.guard = Guard.from_settings() if guard is None else guard
        self.guard.start()
        self._stripped = tuple(environ_key(name) for name in self.guard.stripped_headers)
        self.view: Callable[[WSGIEnvironment], EnvironRequest] = EnvironRequest
        # Whether the application reads bodies without a length.
        self.reads_chunks = True
        self._plain_key = getattr(app, "__module__", None) not in _VALIDATORS

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        guard = self.guard
        verdict = None
        if "edgeauth.guard" in environ:
            verdict = guard.inherited(environ.get("edgeauth.verdict"), environ["edgeauth.guard"])
        if verdict is None:
            verdict = guard.check(self.view(environ))
        if not verdict.allowed:
            return _deny(environ, start_response)
        app = self.app
        if verdict.identity is not None and verdict.identity.body is not None:
            app = self._comparing(verdict, environ)
        for name in self._stripped:
            environ.pop(name, None)
        environ["edgeauth.verdict"] = verdict
        environ["edgeauth.guard"] = guard
        if self._plain_key:
            environ["edgeauth"] = verdict
        return app(environ, start_response)

    def _comparing(self, verdict: Verdict, environ: WSGIEnvironment) -> WSGIApplication:
        """The application, to which a body is handed if it is the one that was signed."""
        left, guard = environ.get("edgeauth.verdict"), environ.get("edgeauth.guard")
        view = self.view(dict(environ))
        body = digested_body(self.guard, verdict, view, left, guard)
        if body is None:
            return self.app
        return compared(self.app, body, _deny, reads_chunks=self.reads_chunks)


class EnvironRequest:
    """The core's view of a WSGI environ (PEP 3333).

    Args:
        environ: of the request.
        configured: the mount point that the application's own configuration names; "" for none.
    """

    __slots__ = ("_configured", "_environ")
    compares_body = True

    def __init__(self, environ: dict[str, Any], configured: str = "") -> None:
        self._environ = environ
        self._configured = configured

    @property
    def method(self) -> str:
        return self._environ["REQUEST_METHOD"]  # type: ignore[no-any-return]

    @property
    def path(self) -> str:
        # PEP 3333 hands bytes over as latin-1 text; frameworks read them as UTF-8.
        path = joined_path(self._environ.get("SCRIPT_NAME", ""), self._environ.get("PATH_INFO", ""))
        return wsgi_bytes(path).decode("utf-8", "replace")

    @property
    def mount(self) -> str:
        script_name: str = self._environ.get("SCRIPT_NAME", "")
        return wsgi_bytes(script_name).decode("utf-8", "replace").rstrip("/")

    @property
    def mount_is_configured(self) -> bool:
        return bool(self._configured) and self.mount == self._configured

    @property
    def handshake(self) -> bool | None:
        # WSGI has only HTTP requests, but some servers and extensions open WebSockets from them.
        return opens_websocket(
            self.method,
            upgrade=self.header("Upgrade"),
            connection=self.header("Connection"),
            key=self.header("Sec-WebSocket-Key"),
            version=self.header("Sec-WebSocket-Version"),
        )

    @property
    def target(self) -> bytes | None:
        # Not in the standard; gunicorn has the first name, waitress and uWSGI the second.
        target = self._environ.get("RAW_URI") or self._environ.get("REQUEST_URI")
        return wsgi_bytes(target) if target else None

    @property
    def query(self) -> bytes | None:
        return wsgi_bytes(self._environ.get("QUERY_STRING", ""))

    @property
    def scheme(self) -> str | None:
        return self._environ.get("wsgi.url_scheme")

    @property
    def host(self) -> bytes | None:
        return next(iter(self.header("Host")), None)

    @property
    def peer(self) -> str | None:
        return self._environ.get("REMOTE_ADDR") or None

    @property
    def unix(self) -> bool:
        environ = self._environ
        # gunicorn and a2wsgi say it outright. In a2wsgi a peer that has left has no address.
        if (socket := environ.get("gunicorn.socket")) is not None:
            return str(socket.family.name) == "AF_UNIX"
        if (scope := environ.get("asgi.scope")) is not None:
            return listens_on_unix(scope)
        # The others take the address from accept(), which has it even for a peer that has left.
        # For a Unix socket they write what no TCP peer has: nothing, the zero address (uWSGI,
        # tornado) or a name (waitress). ProxyFix overwrites it with what a client may claim.
        peer = environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR")
        return not peer or peer in {"0.0.0.0", "localhost"}  # noqa: S104 - read, not bound

    def header(self, name: str) -> tuple[bytes, ...]:
        # A server joins repeated fields with commas, so there is at most one value here. Only
        # a2wsgi also has the fields as sent, where X_Forwarded_For is a field of its own.
        value = self._environ.get(environ_key(name))
        # Those two are there without a field as well, and empty then.
        if value is None or (not value and environ_key(name) in _PLAIN):
            return ()
        if (scope := self._environ.get("asgi.scope")) is not None:
            wanted = name.lower().encode()
            return tuple(value for field, value in scope["headers"] if field == wanted)
        return (wsgi_bytes(value),)

    def fields(self) -> list[tuple[bytes, bytes]] | None:
        scope = self._environ.get("asgi.scope")
        return None if scope is None else [(name, value) for name, value in scope["headers"]]

    def fields_beginning(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        if (scope := self._environ.get("asgi.scope")) is not None:
            begins = folded_spellings(prefix)
            return [(name, value) for name, value in scope["headers"] if name.startswith(begins)]
        begin = environ_key(prefix.decode("latin-1"))
        return [
            (wsgi_bytes(key[5:]).replace(b"_", b"-").lower(), wsgi_bytes(value))
            for key, value in self._environ.items()
            if key.startswith(begin)
        ]


@lru_cache(maxsize=64)
def environ_key(name: str) -> str:
    """The environ variable of a header field."""
    key = name.upper().replace("-", "_")
    return key if key in _PLAIN else "HTTP_" + key


def joined_path(script_name: str, path_info: str) -> str:
    """Both parts as one path, with the slash that frameworks read between them.

    Without it, ``/healthz`` with a SCRIPT_NAME of ``/healthz`` would be the exempt path here and
    the front page to the application.
    """
    slash = "" if path_info.startswith("/") else "/"
    return script_name.rstrip("/") + slash + path_info


def wsgi_bytes(text: str) -> bytes:
    """The bytes behind a WSGI text; a server that breaks PEP 3333 gets ``?`` for the rest."""
    return text.encode("latin-1", "replace")


def _deny(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    upload = Upload(environ)
    upload.drop()
    answer = denial(environ["REQUEST_METHOD"])
    start_response(
        f"{answer.status} {HTTPStatus(answer.status).phrase}",
        [(name.title(), value) for name, value in answer.headers] + upload.headers,
    )
    return [answer.body] if upload.ended else upload.denied(answer.body)

"""The gate as WSGI middleware."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from edgeauth.body import Upload
from edgeauth.guard import Guard, denial
from edgeauth.request import listens_on_unix

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class EdgeAuthMiddleware:
    """Lets requests through to *app* that come from the edge, and refuses all others.

    The verdict is at ``environ["edgeauth.verdict"]``; the credential header is removed.

    Args:
        app: the WSGI application.
        guard: what decides; None builds it from the environment, now.

    Raises:
        ConfigurationError: *guard* is None and the environment does not make one.
    """

    def __init__(self, app: WSGIApplication, guard: Guard | None = None) -> None:
        self.app = app
        self.guard = Guard.from_settings() if guard is None else guard
        self._stripped = tuple(variable(name) for name in self.guard.stripped_headers)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        verdict = self.guard.check(EnvironRequest(environ))
        if not verdict.allowed:
            return _deny(environ, start_response)
        for name in self._stripped:
            environ.pop(name, None)
        # With a dot: of any other name validators demand a text.
        environ["edgeauth.verdict"] = verdict
        return self.app(environ, start_response)


class EnvironRequest:
    """The core's view of a WSGI environ (PEP 3333)."""

    __slots__ = ("_environ",)

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ

    @property
    def method(self) -> str:
        return self._environ["REQUEST_METHOD"]  # type: ignore[no-any-return]

    @property
    def path(self) -> str:
        # PEP 3333 hands bytes over as latin-1 text; frameworks read them as UTF-8.
        path = routed(self._environ.get("SCRIPT_NAME", ""), self._environ.get("PATH_INFO", ""))
        return received(path).decode("utf-8", "replace")

    @property
    def target(self) -> bytes | None:
        # Not in the standard; gunicorn has the first name, waitress and uWSGI the second.
        target = self._environ.get("RAW_URI") or self._environ.get("REQUEST_URI")
        return received(target) if target else None

    @property
    def host(self) -> bytes | None:
        return next(iter(self.header("Host")), None)

    @property
    def peer(self) -> str | None:
        return self._environ.get("REMOTE_ADDR") or None

    @property
    def unix(self) -> bool:
        environ = self._environ
        # gunicorn and a2wsgi say it outright; a peer that is gone has no address in a2wsgi.
        if (socket := environ.get("gunicorn.socket")) is not None:
            return str(socket.family.name) == "AF_UNIX"
        if (scope := environ.get("asgi.scope")) is not None:
            return listens_on_unix(scope)
        # The others have the address from accept(), which tells it even of a peer that is gone.
        # What stands in its place for a Unix socket no TCP peer has: nothing, the address of
        # nobody (uWSGI, tornado), a name (waitress). ProxyFix puts what a client may claim there.
        peer = environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR")
        return not peer or peer in {"0.0.0.0", "localhost"}  # noqa: S104 - read, not bound

    def header(self, name: str) -> tuple[bytes, ...]:
        # A server joins repeated fields into one value with commas: at most one is here.
        value = self._environ.get(variable(name))
        return () if value is None else (received(value),)


@lru_cache(maxsize=64)
def variable(name: str) -> str:
    """The environ variable of a header field."""
    return "HTTP_" + name.upper().replace("-", "_")


def routed(script_name: str, path_info: str) -> str:
    """Both parts as one path, with the slash that frameworks read between them.

    gunicorn takes SCRIPT_NAME from a header that a proxy on this host passes on. Without
    the slash, ``/healthz`` with a SCRIPT_NAME of ``/healthz`` would be the exempt path here
    and the front page to the application.
    """
    slash = "" if path_info.startswith("/") else "/"
    return script_name.rstrip("/") + slash + path_info


def received(text: str) -> bytes:
    """The bytes behind a WSGI text; a server that breaks PEP 3333 gets ``?`` for the rest."""
    return text.encode("latin-1", "replace")


def _deny(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    upload = Upload(environ)
    upload.drop()
    answer = denial(environ["REQUEST_METHOD"])
    start_response(
        f"{answer.status} {HTTPStatus(answer.status).phrase}",
        [(name.title(), value) for name, value in answer.headers],
    )
    return [answer.body] if upload.ended else upload.denied(answer.body)

"""The gate as pure ASGI middleware: Starlette, FastAPI, Quart, Litestar, any ASGI app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, MutableMapping
from functools import lru_cache
from typing import Any

from edgeauth.asgi_body import compared
from edgeauth.body import GRACE, MOST, SECONDS, drop_messages, owed_by_fields
from edgeauth.digest import digested_body
from edgeauth.errors import EdgeAuthError
from edgeauth.guard import Guard
from edgeauth.request import HANDSHAKE, Request, folded_spellings, listens_on_unix
from edgeauth.scope import hand_back, rereadable_addresses, rereadable_fields, split_fields
from edgeauth.verdict import Verdict, denial

__all__ = ["ASGIApp", "EdgeAuthMiddleware", "Message", "Receive", "Scope", "Send"]

#: What a server tells of a connection.
Scope = MutableMapping[str, Any]
#: An event, in either direction.
Message = MutableMapping[str, Any]
#: Waits for the next event of the client.
Receive = Callable[[], Awaitable[Message]]
#: Sends an event to the client.
Send = Callable[[Message], Awaitable[None]]
#: An application, with or without a gate.
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_OF_WEBSOCKETS = {"ws": "http", "wss": "https"}


class EdgeAuthMiddleware:
    """Lets requests through to *app* that come from the edge, and refuses all others.

    The verdict is at ``scope["edgeauth"]``, and the guard at ``scope["edgeauth.guard"]``; the
    credential header is removed. Inside another gate of this process that asks for the same
    proof, that gate's verdict counts.

    Paths of exemptions and passes are as in the URL: ``/app/healthz`` behind ``--root-path /app``
    and inside of ``Mount("/app", ...)``, and then ``mount_points=["/app"]`` must say so.
    FastAPI's own ``root_path`` needs no entry.

    Args:
        app: the ASGI application.
        guard: what decides; None builds it from the environment, now.

    Raises:
        ConfigurationError: *guard* is None and the environment does not make one; or the file
            of decisions of *guard* cannot be used.
    """

    def __init__(self, app: ASGIApp, guard: Guard | None = None) -> None:
        self.app = app
        self.guard = Guard.from_settings() if guard is None else guard
        self.guard.start()
        # As schemes call them, and as servers do.
        self._fields = {name: name.lower().encode() for name in self.guard.stripped_headers}
        self._names = tuple(self._fields.values())
        # What names its request names the host, which is then found in the same walk.
        self._read = {*self._names, b"host"} if self.guard.is_of_a_request else self._names
        self._waits = self.guard.waits
        # An adapter that knows more about the application replaces these two.
        self.recalls = True
        self.view: Callable[..., Request] = SplitRequest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind != "http" and kind != "websocket":  # noqa: PLR1714 - cheaper on every request
            _demand_lifespan(kind)
            await self.app(scope, receive, send)
            return
        names, outer = self._names, scope
        scope, credentials, others, hosts = _split(scope, names, self._read)
        verdict = None
        if "edgeauth.guard" in scope:
            verdict = self.guard.inherited(scope.get("edgeauth"), scope["edgeauth.guard"])
        elif len(credentials) == 1 and self.recalls and not scope.get("root_path"):
            field, method = credentials[0], scope.get("method", HANDSHAKE)
            verdict = self.guard.recall(field[1], method, scope["path"], field[0])
        if verdict is None:
            if not (type(scope.get("client")) is tuple is type(scope.get("server"))):
                scope = rereadable_addresses(scope)
            view = self.view(scope, self._fields, credentials, hosts)
            # Who never waits is spared a coroutine.
            guard = self.guard
            verdict = await guard.acheck(view) if self._waits else guard.check(view)
        if verdict.allowed:
            app = self.app
            if verdict.identity is not None and verdict.identity.body is not None:
                app = self._comparing(verdict, outer, self.view(scope, self._fields, credentials))
            # A copy: the server and the middleware outside hold the same scope.
            inner = scope.copy() if type(scope) is dict else dict(scope)
            inner["edgeauth"] = verdict
            inner["edgeauth.guard"] = self.guard
            inner["headers"] = others
            size = len(inner)
            try:
                await app(inner, receive, send)
            finally:
                if len(inner) != size or inner.get("endpoint") is not scope.get("endpoint"):
                    hand_back(inner, outer)
        else:
            await _deny_any(scope, receive, send)

    def _comparing(self, verdict: Verdict, outer: Scope, view: Request) -> ASGIApp:
        """The application, to which a body is handed if it is the one that was signed."""
        left, guard = outer.get("edgeauth"), outer.get("edgeauth.guard")
        body = digested_body(self.guard, verdict, view, left, guard)
        return self.app if body is None else compared(self.app, body, _deny_any)


def _split(
    scope: Scope, names: tuple[bytes, ...], read: Container[bytes]
) -> tuple[Scope, list[Any], list[Any], list[bytes] | None]:
    """Split the fields of *scope* into those with one of *names* and the others.

    The fields are read once, since that is the main cost of this middleware. The returned
    scope's fields can be read again: one that can be indexed can be. Last come the values of
    Host, if *read* has it beside *names*; None where nobody looked.
    """
    fields = scope["headers"]
    if type(fields) is list:
        credentials, others = [], []
        hosts: list[bytes] | None = None if read is names else []
        try:
            for field in fields:
                if field[0] not in read:
                    others.append(field)
                elif hosts is None or field[0] in names:
                    credentials.append(field)
                else:
                    others.append(field)
                    hosts.append(field[1])
        except TypeError:  # a field that can be unpacked but not indexed
            pass
        else:
            return scope, credentials, others, hosts
    scope = rereadable_fields(scope)
    return (scope, *split_fields(scope, names), None)


def _demand_lifespan(kind: str) -> None:
    if kind != "lifespan":
        raise EdgeAuthError(f"an ASGI scope of unknown type {kind!r} is refused")


class ScopeRequest:
    """The core's view of an ASGI scope."""

    __slots__ = ("_scope",)
    compares_body = True

    # ASGI has the same scope for "/" and for "/?".
    drops_empty_query = True

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @property
    def method(self) -> str:
        return self._scope.get("method", HANDSHAKE)  # type: ignore[no-any-return]

    @property
    def handshake(self) -> bool | None:
        return self._scope["type"] == "websocket"  # type: ignore[no-any-return]

    @property
    def path(self) -> str:
        path: str = self._scope["path"]
        root: str | None = self._scope.get("root_path")
        return full_path(root, path) if root else path

    @property
    def mount(self) -> str:
        return (self._scope.get("root_path") or "").rstrip("/")

    @property
    def mount_is_configured(self) -> bool:
        # FastAPI puts its own root_path into the scope, over that of the server.
        root = self._scope.get("root_path")
        return bool(root) and getattr(self._scope.get("app"), "root_path", None) == root

    @property
    def target(self) -> bytes | None:
        raw_path: bytes | None = self._scope.get("raw_path")
        query: bytes = self._scope.get("query_string", b"")
        return raw_path + b"?" + query if raw_path is not None and query else raw_path

    @property
    def query(self) -> bytes | None:
        return self._scope.get("query_string", b"")  # type: ignore[no-any-return]

    @property
    def scheme(self) -> str | None:
        scheme: str | None = self._scope.get("scheme")
        return _OF_WEBSOCKETS.get(scheme, scheme) if scheme else None

    @property
    def host(self) -> bytes | None:
        # As schemes call the field: the view remembers what it found by that name.
        found = self.header("Host")
        return found[0] if found else None

    @property
    def peer(self) -> str | None:
        client = self._scope.get("client")
        return client[0] or None if client else None

    @property
    def unix(self) -> bool:
        return listens_on_unix(self._scope)

    def header(self, name: str) -> list[bytes]:
        wanted = _field(name)
        return [value for field, value in self._scope["headers"] if field == wanted]

    def fields(self) -> list[tuple[bytes, bytes]] | None:
        return [(name, value) for name, value in self._scope["headers"]]

    def fields_beginning(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        begins = folded_spellings(prefix)
        return [(name, value) for name, value in self._scope["headers"] if name.startswith(begins)]


class SplitRequest(ScopeRequest):
    """A view whose fields of some names were found already.

    Args:
        scope: of the request.
        names: of those fields, and what they are in lower case.
        credentials: all fields with one of the names.
        hosts: the values of Host; None to look for them when they are asked for.
    """

    __slots__ = ("_credentials", "_found", "_names")

    def __init__(
        self,
        scope: Scope,
        names: dict[str, bytes],
        credentials: list[tuple[bytes, bytes]],
        hosts: list[bytes] | None = None,
    ) -> None:
        self._scope = scope
        self._names = names
        self._credentials = credentials
        self._found = {} if hosts is None else {"Host": hosts}

    def header(self, name: str) -> list[bytes]:
        found = self._found.get(name)
        if found is None:
            wanted, fields = self._names.get(name), self._credentials
            if wanted is None:
                wanted, fields = _field(name), self._scope["headers"]
            self._found[name] = found = []
            # Before Python 3.12 a comprehension costs a call.
            for field, value in fields:
                if field == wanted:
                    found.append(value)
        return found


def full_path(root: str, path: str) -> str:
    """The path as in the URL, from what a server hands over: with *root*, once.

    Some servers put their root path before the path of a request (uvicorn), others do not
    (hypercorn, granian, daphne). Starlette asks, as here, whether it is there.
    """
    if not root.strip("/"):
        return path  # at the root, where a client may have written "/" and doubled the first slash
    whole = path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/")
    return root.rstrip("/") + (path[len(root) :] if whole else path)


@lru_cache(maxsize=64)
def _field(name: str) -> bytes:
    # ASGI servers hand field names over in lower case. Only schemes ask for names, so the
    # cache holds a handful and nothing that a client chose.
    return name.lower().encode()


async def _deny_any(scope: Scope, receive: Receive, send: Send) -> None:
    await (_deny_http if scope["type"] == "http" else _deny_websocket)(scope, receive, send)


async def _deny_http(scope: Scope, receive: Receive, send: Send) -> None:
    length = owed_by_fields(scope["headers"], scope.get("http_version", "1.1"))
    if not length or (length <= MOST and await drop_messages(receive, SECONDS)):
        await _deny(send, "http", scope["method"])
        return

    async def in_two(message: Message) -> None:
        body = message.get("body")
        if body is None:
            # The server closes after the answer. nginx must not send its next request there.
            await send({**message, "headers": [*message["headers"], (b"connection", b"close")]})
            return
        await send({**message, "body": body[:-1], "more_body": True})
        await drop_messages(receive, GRACE)
        await send({**message, "body": body[-1:]})

    await _deny(in_two, "http", scope["method"])


async def _deny_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect: no answer is allowed before it
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await _deny(send, "websocket.http", "GET")
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": ""})


async def _deny(send: Send, prefix: str, method: str) -> None:
    answer = denial(method)
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    await send({"type": f"{prefix}.response.start", "status": answer.status, "headers": headers})
    # The default, for those who do not know it: Quart's test client asks.
    await send({"type": f"{prefix}.response.body", "body": answer.body, "more_body": False})

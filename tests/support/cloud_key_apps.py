"""Applications behind gates for requests that are signed with the keys of storage clouds.

``rows_by_*`` judge each request as the row that it names. ``origin`` is a gate of now for the kind
in the variable ``KIND``, right or wrong in the one way that ``HOLE`` names: what a probe must find.
"""

from __future__ import annotations

import os
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from edgeauth import EdgeIdentity, Guard, Key, SchemeSettings, VerificationError
from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware
from support.cloud_keys import AtItsTime
from support.fact_apps import asgi as told_by_asgi

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLE = os.environ.get("HOLE", "")

AZURE_SECRET = b64encode(bytes(range(7, 71))).decode()
OSS_SECRET = "a-secret-of-an-access-key-30ch"

#: Settings of each, its kind first, and its key.
GATES: dict[str, tuple[str, dict[str, Any], Key]] = {
    "azure": ("azure-shared-key", {"account": "edgeacct"}, Key("azure-1", AZURE_SECRET)),
    "azure-lite": (
        "azure-shared-key",
        {"account": "edgeacct", "lite": True},
        Key("azure-1", AZURE_SECRET),
    ),
    "oss-v4": (
        "alibaba-oss",
        {"bucket": "shop", "region": "cn-hangzhou"},
        Key("LTAI5t", OSS_SECRET),
    ),
    "oss-v1": ("alibaba-oss", {"bucket": "shop", "version": "v1"}, Key("LTAI5t", OSS_SECRET)),
}


def gate_scheme(name: str, **more: Any) -> Any:
    """The scheme of one of ``GATES``."""
    from edgeauth import KeyRing  # noqa: PLC0415

    kind, given, key = GATES[name]
    return SchemeSettings(kind, given={**given, **more}).build_scheme(KeyRing([key]))


async def answering_by_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answers before anything of the body is read."""
    body = b"in"
    headers = [(b"content-length", b"2")]
    if scope["type"] == "lifespan":
        await told_by_asgi(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def answering_by_wsgi(_environ: Any, start_response: Any) -> list[bytes]:
    """As the other."""
    start_response("200 OK", [("Content-Length", "2")])
    return [b"in"]


rows_by_asgi = ASGIMiddleware(answering_by_asgi, Guard(AtItsTime()))
rows_by_wsgi = WSGIMiddleware(answering_by_wsgi, Guard(AtItsTime()))


class _Otherwise:
    """A request, some of which is otherwise."""

    def __init__(self, request: Any, fields: Any = None, **changes: Any) -> None:
        self._request = request
        self._fields = request.fields() if fields is None else fields
        vars(self).update(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)

    def header(self, name: str) -> Any:
        wanted = name.lower().encode()
        return [value for field, value in self._fields if field == wanted]

    def fields(self) -> Any:
        return self._fields

    def fields_beginning(self, prefix: bytes) -> Any:
        return [line for line in self._fields if line[0].startswith(prefix)]


_OPTIONS: dict[str, dict[str, Any]] = {
    "window": {"max_skew": 1e6},
    # No hole: what signs no Host is let in, as settings may say.
    "any host": {"require_additional": ()},
}


class Careless:
    """Takes more than it should: what each hole would also take for the request."""

    def __init__(self, name: str) -> None:
        self._scheme = gate_scheme(name, **_OPTIONS.get(HOLE, {}))
        self.headers, self.kind = self._scheme.headers, self._scheme.kind

    def verify(self, request: Any, *, now: float) -> EdgeIdentity:
        if HOLE == "unchecked" and request.header("Authorization"):
            return EdgeIdentity(int(now), None, "any")
        for other in (request, *_others(request)):
            try:
                return self._scheme.verify(other, now=now)
            except VerificationError as error:
                refusal = error
        raise refusal


def _others(request: Any) -> Iterator[Any]:
    path, _, query = request.target.partition(b"?")
    mark = b"?" + query if query else b""
    if HOLE == "method":
        yield _Otherwise(request, method="HEAD")
    if HOLE == "path":
        yield _Otherwise(request, target=path + b"x" + mark)
    if HOLE == "query":
        more = query + b"&edgeauth-probe=1" if query else b"edgeauth-probe=1"
        yield _Otherwise(request, target=path + b"?" + more)
    lines = request.fields()
    if HOLE == "host":
        rest = [line for line in lines if line[0] != b"host"]
        other = b"edgeauth-probe.invalid"
        yield _Otherwise(request, [*rest, (b"host", other)], host=other)
    if HOLE == "first":
        yield _Otherwise(request, list(dict(lines).items()))


def _origin() -> Any:
    name = os.environ.get("KIND", "azure")
    return ASGIMiddleware(told_by_asgi, Guard(Careless(name)))


origin = _origin()

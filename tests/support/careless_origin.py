"""An origin behind a gate for message signatures that is right, or wrong in one way.

The variable ``HOLE`` names the way; without one the gate is right. What a probe must find.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from edgeauth import EdgeIdentity, Guard, VerificationError
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.replay import MemoryReplayStore
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.schemes.message_signatures.arguments import COMPONENTS
from support.signed_requests import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth import Request

HOLE = os.environ.get("HOLE", "")
_OPTIONS: dict[str, dict[str, Any]] = {
    "components": {"components": ()},
    "nonce": {"require_nonce": False},
    "window": {"max_age": 1e6, "max_future": 1e6},
    "tag": {"tag": None},
}


class _Otherwise:
    """A request, some of which is otherwise."""

    def __init__(self, request: Request, **changes: Any) -> None:
        self._request = request
        self._fields = changes.pop("fields", {})
        vars(self).update(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)

    def header(self, name: str) -> Any:
        return self._fields.get(name, None) or self._request.header(name)


class Careless(MessageSignatureScheme):
    """Takes more than it should: what each hole would also take for the request."""

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        identity = self._of_any(request, now)
        # Nobody compares what nobody tells of.
        return identity._replace(body=None) if HOLE == "body" else identity

    def _of_any(self, request: Request, now: float) -> EdgeIdentity:
        try:
            return super().verify(request, now=now)
        except VerificationError:
            for other in _others(request):
                try:
                    return super().verify(other, now=now)
                except VerificationError:
                    continue
            raise


def _others(request: Request) -> Iterator[Any]:
    path, mark, query = (request.target or b"").partition(b"?")
    if HOLE == "method":
        yield _Otherwise(request, method="HEAD")
    elif HOLE == "path":
        yield _Otherwise(request, target=path + b"x" + mark + query)
    elif HOLE == "query":
        yield _Otherwise(request, target=path + mark + query + b"&edgeauth-probe=1")
    elif HOLE == "host":
        yield _Otherwise(request, host=b"edgeauth-probe.invalid")
    elif HOLE == "first":
        fields = {
            name: [request.header(name)[0].partition(b", ")[0]]
            for name in ("Signature-Input", "Signature")
            if request.header(name)
        }
        yield _Otherwise(request, fields=fields)


async def _page(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"page\n"})


_more = os.environ.get("MORE_COMPONENTS", "").split()
_signed = {"tag": "edge", "components": (*COMPONENTS, *_more)}
scheme = Careless([KEY], **{**_signed, **_OPTIONS.get(HOLE, {})})
store = None if HOLE == "replay" else MemoryReplayStore()
app = EdgeAuthMiddleware(_page, Guard(scheme, replay=store))

"""Signs the requests of an aiohttp client, as the edge would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp.payload import BytesPayload
from yarl import URL

from edgeauth.clients.signer import Signer
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import ClientRequest, ClientResponse

__all__ = ["EdgeAuth"]


class EdgeAuth(Signer):
    """``ClientSession(middlewares=[EdgeAuth(secret)])``: each request is signed when sent.

    So is each that follows a redirect, and each attempt. Only those to one origin (scheme, host
    and port) are signed: that of the first request, unless ``origin`` is set to another before.

    The arguments, and what is wrong with one, are those of
    :class:`edgeauth.clients.signer.Signer`.

    Attributes:
        origin: such as ``https://shop.example``; None is that of the first request.
    """

    origin: str | None = None

    async def __call__(
        self, request: ClientRequest, handler: Callable[[ClientRequest], Awaitable[ClientResponse]]
    ) -> ClientResponse:
        """Sign *request*, and send it."""
        here = request.url.origin()
        if self.origin is None:
            self.origin = str(here)
        elif URL(self.origin).origin() != here:
            return await handler(request)
        for name in self.headers:
            request.headers.popall(name, None)
        sent = Outgoing(
            request.method,
            request.headers["Host"],
            request.url.raw_path_qs,
            [(name, value) for name, value in request.headers.items() if name != "Host"],
            await _body(request),
        )
        request.headers.update(self.fields(sent))
        return await handler(request)


async def _body(request: ClientRequest) -> bytes | None:
    """The body as it is sent; None of one that is made while it is."""
    body: Any = request.body
    if not body:
        return b""
    if not isinstance(body, BytesPayload) or request.compress:
        return None
    return await body.as_bytes()

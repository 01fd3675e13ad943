"""WebSockets through the stand-in POP: two handshakes, messages relayed between them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from aiohttp import (
    ClientWebSocketResponse,
    WSCloseCode,
    WSMsgType,
    WSServerHandshakeError,
    web,
)

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from multidict import CIMultiDict
    from yarl import URL

_Socket = ClientWebSocketResponse | web.WebSocketResponse

# What goes on for a code that no frame may carry (RFC 6455, 7.4.1): 1005 is a close frame
# without one, the others are a connection that broke.
_SENT_FOR = {
    None: WSCloseCode.GOING_AWAY,
    1005: WSCloseCode.OK,
    1006: WSCloseCode.GOING_AWAY,
    1015: WSCloseCode.GOING_AWAY,
}


def is_upgrade(request: web.Request) -> bool:
    """Whether *request* asks for a WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


async def relay(
    client: ClientSession, url: URL, headers: CIMultiDict[str], request: web.Request
) -> web.StreamResponse:
    """Open a WebSocket to *url* with *headers*, then one to the browser, and join them.

    Raises:
        aiohttp.ClientError: the upstream does not answer. That it refuses is answered here.
    """
    offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    try:
        upstream = await client.ws_connect(
            url,
            headers=headers,
            protocols=[name.strip() for name in offered if name.strip()],
            max_msg_size=0,
        )
    except WSServerHandshakeError as refused:
        return web.Response(status=refused.status)
    async with upstream:
        chosen = [upstream.protocol] if upstream.protocol else []
        browser = web.WebSocketResponse(protocols=chosen, max_msg_size=0)
        try:
            await browser.prepare(request)
        except ConnectionError:
            return browser  # gone already, and leaving closes the upstream
        await asyncio.gather(_pump(browser, upstream), _pump(upstream, browser))
    return browser


async def _pump(source: _Socket, sink: _Socket) -> None:
    """Messages of *source* to *sink* until either closes; the other is closed alike."""
    # The sink may be gone at any time; its own pump closes the source.
    with contextlib.suppress(ConnectionError):
        async for message in source:
            if message.type is WSMsgType.TEXT:
                await sink.send_str(message.data)
            else:
                await sink.send_bytes(message.data)
        code = source.close_code
        await sink.close(code=_SENT_FOR.get(code, code or WSCloseCode.OK))

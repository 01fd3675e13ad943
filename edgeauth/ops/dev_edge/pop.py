"""The stand-in POP: every request goes to one upstream, with the edge's credential."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    web,
)
from yarl import URL

from edgeauth.ops.dev_edge.fields import end_to_end, signed
from edgeauth.ops.dev_edge.websocket import is_upgrade, relay
from edgeauth.schemes.base import CannotSign, Outgoing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiohttp import ClientResponse, StreamReader

    from edgeauth.ops.schemes.credential import Credential

logger = logging.getLogger("edgeauth.ops.dev_edge")

# aiohttp's client would add these where the browser sent none.
_ADDED_BY_THE_CLIENT = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_CONNECT_SECONDS = 5
_MOST_OF_A_SIGNED_BODY = 64 << 20


class StandInPop:
    """Forwards requests to *upstream*, streaming both ways.

    Args:
        upstream: scheme, host and port of the origin, without a path.
        headers: the fields that carry the credential.
        credential: makes a credential; asked anew for each request.
    """

    def __init__(self, upstream: str, headers: Sequence[str], credential: Credential) -> None:
        self._upstream = upstream.rstrip("/")
        self._headers = headers
        self._credential = credential
        self._client: ClientSession

    def app(self) -> web.Application:
        """The application for aiohttp's server."""
        app = web.Application(client_max_size=_MOST_OF_A_SIGNED_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.cleanup_ctx.append(self._open_client)
        return app

    async def _open_client(self, _app: web.Application) -> AsyncIterator[None]:
        async with ClientSession(
            auto_decompress=False,
            connector=TCPConnector(limit=0),
            cookie_jar=DummyCookieJar(),
            skip_auto_headers=_ADDED_BY_THE_CLIENT,
            timeout=ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
        ) as self._client:
            yield

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if not request.raw_path.startswith("/"):
            return web.Response(status=400, text="edgeauth edge: the target must be a path\n")
        # As received: the origin routes and logs what the browser sent.
        url = URL(self._upstream + request.raw_path, encoded=True)
        forwarded = signed(request.headers, self._headers, ())
        body: bytes | StreamReader | None = request.content if request.body_exists else None
        outgoing = Outgoing(
            request.method,
            request.host,
            request.raw_path,
            [(name, value) for name, value in forwarded.items() if name.lower() != "host"],
            None if request.body_exists else b"",
            request.remote,
        )
        try:
            try:
                credential = self._credential(outgoing, time.time())
            except CannotSign:
                # What is signed may need the body. Only then does it wait for all of it.
                body = await request.read()
                outgoing = outgoing._replace(body=body)
                credential = self._credential(outgoing, time.time())
        except CannotSign as error:
            return web.Response(status=400, text=f"edgeauth edge: {error}\n")
        headers = signed(forwarded, self._headers, credential)
        try:
            if is_upgrade(request):
                return await relay(self._client, url, headers, request)
            answer = await self._client.request(
                request.method,
                url,
                headers=headers,
                data=body,
                allow_redirects=False,
            )
        except (ClientError, OSError, ValueError) as error:
            logger.warning("no answer from %s: %s", self._upstream, type(error).__name__)
            return web.Response(status=502, text=f"edgeauth edge: no answer: {self._upstream}\n")
        async with answer:
            return await _send(answer, request)


async def _send(answer: ClientResponse, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(
        status=answer.status, reason=answer.reason, headers=end_to_end(answer.headers)
    )
    try:
        await response.prepare(request)
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except (ClientError, OSError) as error:
        if request.transport is None or request.transport.is_closing():
            logger.info("the client left in the middle of an answer")
            return response
        # Status and fields are sent: that it broke off can only be shown by breaking off.
        logger.warning("an answer of %s broke off: %s", answer.host, type(error).__name__)
        request.transport.abort()
    return response

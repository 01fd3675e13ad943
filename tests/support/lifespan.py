"""What an ASGI application of the tests does while its server starts and ends: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeauth.asgi import Receive, Send


async def live(receive: Receive, send: Send) -> None:
    """Say that it started and that it ended; for the scope ``lifespan``."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return

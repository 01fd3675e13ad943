"""The site for an ASGI server, with a WebSocket beside it."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware, Receive, Scope, Send

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_apps.django_site.settings")

site = get_asgi_application()


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text") or ""})


# Django's middleware sees HTTP alone, so whatever stands beside the site needs a gate of its own.
websocket = EdgeAuthMiddleware(echo, guard=Guard.from_settings(settings.EDGEAUTH))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await websocket(scope, receive, send)
    else:
        await site(scope, receive, send)  # type: ignore[arg-type]  # its types are narrower

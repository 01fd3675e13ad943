"""A Django site whose views answer with their names, served in each way that there is.

``counted`` writes down how many bytes of a body Django read, to the file that ROUTED_COUNT names.
"""

from __future__ import annotations

import os
from pathlib import Path

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

from edgeauth.django.asgi import guarded
from edgeauth.django.wsgi import guarded as guarded_wsgi

SECRET_KEY = "not-a-secret"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["edgeauth.django", "channels"]
MIDDLEWARE = ["edgeauth.django.middleware.EdgeAuthMiddleware"]
ROOT_URLCONF = __name__
ASGI_APPLICATION = f"{__name__}.channels_app"
FORCE_SCRIPT_NAME = os.environ.get("ROUTED_FORCED")


def view(name):
    return lambda request: HttpResponse(f"{name} {request.edgeauth.reason}")


urlpatterns = [
    path("", view("front")),
    path("healthz", view("healthz")),
    path("admin", view("admin")),
]


class Feed(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept()
        await self.send(self.scope["edgeauth"].reason)
        await self.close()


def write_down(count):
    with Path(os.environ["ROUTED_COUNT"]).open("a") as file:
        file.write(f"{count}\n")


def counted(app):
    async def count(scope, receive, send):
        async def counting():
            message = await receive()
            write_down(len(message.get("body", b"")))
            return message

        await app(scope, counting, send)

    return count


# A server imports this first; Django, which is set up here, then finds the settings above.
_asgi_app, _wsgi_app = get_asgi_application(), get_wsgi_application()
read_app = counted(_asgi_app)
guarded_app = guarded(counted(_asgi_app))
guarded_wsgi_app = guarded_wsgi(_wsgi_app)
channels_app = guarded(
    ProtocolTypeRouter(
        {
            "http": _asgi_app,
            "websocket": URLRouter([path("", Feed.as_asgi()), path("feed", Feed.as_asgi())]),
        }
    )
)

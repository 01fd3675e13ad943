"""One small application a framework behind the gate; none of them reads a body."""

import os

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from flask import Flask
from support.lifespan import live

from edgeauth.asgi import EdgeAuthMiddleware as ASGIGate
from edgeauth.flask import EdgeAuth
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIGate

# The settings of the Django site.
SECRET_KEY = "not-a-secret"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["edgeauth.django"]
MIDDLEWARE = ["edgeauth.django.middleware.EdgeAuthMiddleware"]
ROOT_URLCONF = __name__
urlpatterns = [path("", lambda _request: HttpResponse("page"))]


async def _asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    length = [(b"content-length", b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": b"page"})


def _wsgi(_environ, start_response):
    start_response("200 OK", [("Content-Length", "4")])
    return [b"page"]


_shop = Flask(__name__)
_shop.add_url_rule("/", view_func=lambda: "page")
EdgeAuth(_shop)

os.environ["DJANGO_SETTINGS_MODULE"] = __name__
asgi = ASGIGate(_asgi)
wsgi = WSGIGate(_wsgi)
flask = _shop
django_wsgi = get_wsgi_application()
django_asgi = get_asgi_application()

"""The applications that the tests load: each answers with the key that the request proved.

Each is made by a function, in the process that serves it; gunicorn and uvicorn call it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeauth import Verdict


def _answer(verdict: Verdict) -> bytes:
    assert verdict.identity is not None
    return verdict.identity.key_id.encode()


def asgi():
    from edgeauth.asgi import EdgeAuthMiddleware

    async def app(scope, receive, send):
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": _answer(scope["edgeauth"])})

    return EdgeAuthMiddleware(app)


def wsgi():
    from edgeauth.wsgi import EdgeAuthMiddleware

    def app(environ, start_response):
        body = _answer(environ["edgeauth"])
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    return EdgeAuthMiddleware(app)


def flask():
    from flask import Flask, g

    from edgeauth.flask import EdgeAuth

    app = Flask("rotation")
    EdgeAuth(app)
    app.add_url_rule("/", view_func=lambda: _answer(g.edgeauth))
    return app


def django():
    from django import setup
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    settings.configure(
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["edgeauth.django"],
        MIDDLEWARE=["edgeauth.django.middleware.EdgeAuthMiddleware"],
        ROOT_URLCONF=(path("", lambda request: HttpResponse(_answer(request.edgeauth))),),
        SECRET_KEY="not-a-secret",
    )
    setup()
    return get_wsgi_application()

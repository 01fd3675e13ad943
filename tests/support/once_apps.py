"""An application behind each adapter, with a guard of the environment; each tells its verdict.

Those that end in ``_twice`` have a gate inside of the gate.
"""

# ruff: noqa: PLC0415 - a server needs one framework, and of Django one site

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeauth import Verdict

ASGI = ("asgi", "starlette", "django_asgi")
WSGI = ("wsgi", "flask", "django_wsgi")
TWICE = ("asgi_twice", "starlette_twice", "django_asgi_twice")
TWICE_BY_WSGI = ("wsgi_twice", "flask_twice", "django_wsgi_twice")


def told(verdict: Verdict) -> str:
    covers = verdict.identity.covers if verdict.identity else ()
    return json.dumps({"reason": verdict.reason, "covers": sorted(covers)})


def asgi() -> Any:
    from edgeauth.asgi import EdgeAuthMiddleware

    return EdgeAuthMiddleware(_tells_by_asgi)


def asgi_twice() -> Any:
    from edgeauth.asgi import EdgeAuthMiddleware

    return EdgeAuthMiddleware(asgi())


async def _tells_by_asgi(scope: Any, _receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": told(scope["edgeauth"]).encode()})


def starlette(gates: int = 1) -> Any:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from edgeauth.asgi import EdgeAuthMiddleware
    from edgeauth.starlette import edge_identity

    async def page(request: Any) -> PlainTextResponse:
        await edge_identity(request)
        return PlainTextResponse(told(request.scope["edgeauth"]))

    routes = [Route("/{rest:path}", page, methods=["GET", "POST"])]
    return Starlette(routes=routes, middleware=[Middleware(EdgeAuthMiddleware)] * gates)


def starlette_twice() -> Any:
    return starlette(2)


def wsgi() -> Any:
    from edgeauth.wsgi import EdgeAuthMiddleware

    return EdgeAuthMiddleware(_tells_by_wsgi)


def wsgi_twice() -> Any:
    from edgeauth.wsgi import EdgeAuthMiddleware

    return EdgeAuthMiddleware(wsgi())


def _tells_by_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [told(environ["edgeauth.verdict"]).encode()]


def flask() -> Any:
    from flask import Flask, g

    from edgeauth.flask import EdgeAuth

    app = Flask("once")
    EdgeAuth(app)
    app.add_url_rule(
        "/<path:rest>", "page", lambda **_rest: told(g.edgeauth), methods=["GET", "POST"]
    )
    return app


def flask_twice() -> Any:
    from edgeauth.wsgi import EdgeAuthMiddleware

    return EdgeAuthMiddleware(flask())


def django_asgi() -> Any:
    from django.core.asgi import get_asgi_application

    _set_up_django()
    return get_asgi_application()


def django_asgi_twice() -> Any:
    app = django_asgi()
    from edgeauth.django.asgi import guarded

    return guarded(app)


def django_wsgi() -> Any:
    from django.core.wsgi import get_wsgi_application

    _set_up_django()
    return get_wsgi_application()


def django_wsgi_twice() -> Any:
    app = django_wsgi()
    from edgeauth.django.wsgi import guarded

    return guarded(app)


def _set_up_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "support.once_django"


def __getattr__(name: str) -> Any:
    # What a server asks for is what the functions above make, under the name "app_...".
    if not name.startswith("app_"):
        raise AttributeError(name)
    return globals()[name.removeprefix("app_")]()

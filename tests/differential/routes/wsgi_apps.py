"""Flask, and Django by WSGI, behind each gate: ``app`` is all of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from differential.routes import django_apps, planted
from differential.routes.table import (
    CHOICE,
    GATES,
    PAGES,
    SAW,
    SUB,
    SUB_NAME,
    Gate,
    is_handshake,
    saw,
)
from edgeauth import Guard
from edgeauth.flask import EdgeAuth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

planted.plant(os.environ.get("MATRIX_PLANTED"))

_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "WEBSOCKET", "PURGE", "get"]


def _view(name: str) -> Callable[..., Response]:
    def view(**_rest: str) -> Response:
        fields = [(field.lower(), value) for field, value in request.headers]
        told = saw(request.environ["REQUEST_METHOD"], name, handshake=is_handshake(fields))
        return Response(f"{SAW}: {told}\n", headers={SAW: told})

    return view


def _flask(gate: Gate) -> WSGIApplication:
    app, sub = Flask(__name__, static_folder=None), Blueprint("sub", __name__)
    for place, before in ((app, ""), (sub, SUB_NAME)):
        for path, name in PAGES.items():
            place.add_url_rule(
                path,
                name,
                _view(before + name),
                methods=_METHODS,
                provide_automatic_options=False,
                strict_slashes=True,
            )
    app.register_blueprint(sub, url_prefix=SUB)
    EdgeAuth(app, Guard.from_settings(gate.settings))
    return app


def _placed(app: WSGIApplication, gate: Gate) -> WSGIApplication:
    """*app* where *gate* wants it."""
    if gate.mounted:
        app = DispatcherMiddleware(_nobody, {gate.mounted: app})
    return ProxyFix(app, x_for=0, x_proto=0, x_prefix=1) if gate.believes_prefix else app


def _nobody(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Length", "0")])
    return [b""]


def _all() -> dict[str, WSGIApplication]:
    apps: dict[str, WSGIApplication] = {}
    for name, gate in GATES.items():
        apps[f"flask/{name}"] = _placed(_flask(gate), gate)
        apps[f"django/{name}"] = _placed(django_apps.wsgi(gate), gate)
    return apps


_APPS = _all()
_CHOICE = "HTTP_" + CHOICE.upper().replace("-", "_")


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return _APPS.get(environ.get(_CHOICE, ""), _nobody)(environ, start_response)

"""A WSGI application, Flask and Django behind the gate of each kind: ``app`` is all of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from differential.kinds import planted, site
from differential.kinds.table import CHOICE, KINDS, SAW, stop_the_clock
from differential.kinds.telling import HANDED, of_environ, told, variables
from edgeauth import Guard
from edgeauth.flask import EdgeAuth
from edgeauth.wsgi import EdgeAuthMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

stop_the_clock()
planted.plant(os.environ.get("MATRIX_PLANTED"))


def _saw(environ: WSGIEnvironment) -> str:
    body: bytes | None
    try:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    except OSError:
        body = None
    return told(environ[HANDED], variables(environ), body)


def _page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [(SAW, _saw(environ)), ("Content-Length", "2")])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else b"in"]


def _flask(settings: dict[str, Any]) -> Flask:
    app = Flask(__name__, static_folder=None)

    # Before routing, so that every path and method has its answer.
    @app.before_request
    def tell() -> Response:
        return Response("in", headers={SAW: _saw(request.environ)})

    EdgeAuth(app, Guard.from_settings(settings))
    return app


APPS: dict[str, dict[str, WSGIApplication]] = {
    name: {
        "wsgi": EdgeAuthMiddleware(_page, Guard.from_settings(kind.settings)),
        "flask": _flask(kind.settings),
        "django-wsgi": site.wsgi(kind.settings),
    }
    for name, kind in KINDS.items()
}
_CHOICE = "HTTP_" + CHOICE.upper().replace("-", "_")


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    place, name = environ.get(_CHOICE, "0 nobody").split()
    if name not in APPS:  # a server read no fields behind one that is none
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    found = list(APPS[name].values())
    environ[HANDED] = of_environ(environ)
    return found[int(place) % len(found)](environ, start_response)

"""Applications that are to get the body that was signed and no other; each notes what it got.

The path says what one does with its body::

    /whole    reads to the end, then answers with the digest
    /exact    reads as many bytes as Content-Length says, and no end (WSGI)
    /lines    reads line by line (WSGI)
    /early    answers in part, reads to the end, answers the rest
    /stream   as /early, in what it returns (WSGI)
    /ignore   reads nothing
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import re_path
from fastapi import FastAPI
from flask import Flask
from flask import request as flask_request
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import PlainTextResponse

import edgeauth.django.asgi as django_asgi_gate
import edgeauth.django.middleware as django_middleware
import edgeauth.django.wsgi as django_wsgi_gate
from edgeauth import Guard
from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.flask import EdgeAuth
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware
from support.lifespan import live
from support.signed_bodies import COMPONENTS, KEY, NOTES

if NOTES in os.environ:
    # Some servers do not show what is logged.
    handler = logging.FileHandler(Path(os.environ[NOTES]).with_suffix(".log"))
    logging.getLogger("edgeauth").addHandler(handler)

guard = Guard(
    MessageSignatureScheme([KEY], components=COMPONENTS, require_nonce=False),
    mode="report-only" if os.environ.get("REPORT_ONLY") else "enforce",
)


def peak_kib() -> int | None:
    """The most memory that this process had; None where no /proc tells.

    Not getrusage: what it tells begins at that of the parent.
    """
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return None
    return int(status.partition("VmHWM:")[2].split()[0])


class Notes:
    """What one request handed to an application."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self.length = 0

    def take(self, piece: bytes) -> None:
        self._hash.update(piece)
        self.length += len(piece)

    def done(self, end: str = "end") -> bytes:
        """Write them down; gives the digest."""
        line = {"path": self._path, "length": self.length, "end": end, "peak": peak_kib()}
        with Path(os.environ[NOTES]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return self._hash.hexdigest().encode()


async def _asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    notes = Notes(scope["path"])
    start = {"type": "http.response.start", "status": 200, "headers": []}
    early = scope["path"] in {"/early", "/stream"}
    if early:
        await send(start)
        await send({"type": "http.response.body", "body": b"begun ", "more_body": True})
    while scope["path"] != "/ignore":
        message = await receive()
        if message["type"] == "http.disconnect":
            notes.done("disconnect")
            return
        notes.take(message["body"])
        if not message["more_body"]:
            break
    digest = notes.done()
    if not early:
        start["headers"] = [(b"content-length", str(len(digest)).encode())]
        await send(start)
    await send({"type": "http.response.body", "body": digest})


def _read(notes, path, stream, length):
    """Read *stream* as *path* says; the digest."""
    try:
        if path == "/exact":
            left = length
            while left:
                piece = stream.read(min(left, 10_000))
                if not piece:
                    return notes.done("short")
                notes.take(piece)
                left -= len(piece)
        elif path == "/lines":
            notes.take(stream.readline())
            for line in stream:
                notes.take(line)
        elif path != "/ignore":
            while piece := stream.read(50_000):
                notes.take(piece)
    except OSError:
        notes.done("error")
        raise
    return notes.done()


def _wsgi(environ, start_response):
    path, stream = environ["PATH_INFO"], environ["wsgi.input"]
    notes = Notes(path)
    length = int(environ.get("CONTENT_LENGTH") or 0)

    def streamed():
        yield b"begun "
        yield _read(notes, path, stream, length)

    if path in {"/early", "/stream"}:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        if path == "/stream":
            return streamed()
        write(b"begun ")
        write(_read(notes, path, stream, length))
        return []
    digest = _read(notes, path, stream, length)
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(digest)))]
    start_response("200 OK", headers)
    return [digest]


asgi = ASGIMiddleware(_asgi, guard)
wsgi = WSGIMiddleware(_wsgi, guard)

flask = Flask(__name__)
EdgeAuth(flask, guard)


@flask.post("/<path:path>")
def _flask_view(path):
    return _read(Notes(f"/{path}"), f"/{path}", flask_request.stream, flask_request.content_length)


starlette = FastAPI()


@starlette.post("/data")
async def _fastapi_view(data: dict):
    Notes("/data").done()
    return data


@starlette.post("/{path}")  # noqa: FAST003
async def _starlette_view(request: Request):
    notes = Notes(request.url.path)
    if request.url.path != "/ignore":
        notes.take(await request.body())
    return PlainTextResponse(notes.done())


starlette.add_middleware(ASGIMiddleware, guard=guard)


def _django_view(request, path):
    notes = Notes(f"/{path}")
    try:
        if path == "upload":
            for file in request.FILES.values():
                for piece in file.chunks():
                    notes.take(piece)
            return HttpResponse(notes.done())
        if path == "body":
            notes.take(request.body)
            return HttpResponse(notes.done())
    except OSError:
        notes.done("error")
        raise
    length = int(request.headers.get("Content-Length") or 0)
    return HttpResponse(_read(notes, f"/{path}", request, length))


async def _async_django_view(request, path):
    return _django_view(request, path)


urlpatterns = [
    re_path(r"^async/(?P<path>.*)$", _async_django_view),
    re_path(r"^(?P<path>.*)$", _django_view),
]
settings.configure(
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="of these tests",
    MIDDLEWARE=["edgeauth.django.middleware.EdgeAuthMiddleware"],
    ROOT_URLCONF=__name__,
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
)
for module in (django_asgi_gate, django_middleware, django_wsgi_gate):
    module.project_guard = lambda: guard
django.setup()
# By the middleware alone, and inside a gate around the application.
django_wsgi = get_wsgi_application()
django_asgi = get_asgi_application()
django_wsgi_gated = django_wsgi_gate.guarded(get_wsgi_application())
django_asgi_gated = django_asgi_gate.guarded(get_asgi_application())

"""ASGI WebSockets under each server that has them."""

from conformance.suite import WebSocketConformance
from conformance.targets import hypercorn, uvicorn

APP = "conformance.origins.asgi_app:app"


class TestUvicornWebsockets(WebSocketConformance):
    program = uvicorn(APP)


class TestUvicornWsproto(WebSocketConformance):
    program = uvicorn(APP, websockets="wsproto")


class TestHypercorn(WebSocketConformance):
    program = hypercorn(APP)

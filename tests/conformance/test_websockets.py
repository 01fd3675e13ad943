"""ASGI WebSockets under each server that has them."""

from conformance.suite import WebSocketConformance
from conformance.targets import Program

APP = "conformance.origins.asgi_app:app"


class TestUvicornWebsockets(WebSocketConformance):
    program = Program("uvicorn-httptools", APP)


class TestUvicornWsproto(WebSocketConformance):
    program = Program("uvicorn-httptools", APP, ("--ws=wsproto",))


class TestHypercorn(WebSocketConformance):
    program = Program("hypercorn", APP)

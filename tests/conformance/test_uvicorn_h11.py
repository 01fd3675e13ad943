"""ASGI under uvicorn, with its parser in Python."""

from conformance.suite import Conformance
from conformance.targets import uvicorn


class TestUvicornH11(Conformance):
    program = uvicorn("conformance.origins.asgi_app:app", parser="h11")

"""ASGI under uvicorn, with its parser in C."""

from conformance.suite import Conformance
from conformance.targets import uvicorn


class TestUvicornHttptools(Conformance):
    program = uvicorn("conformance.origins.asgi_app:app")

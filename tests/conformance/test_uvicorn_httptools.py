"""ASGI under uvicorn, with its parser in C."""

from conformance.suite import Conformance
from conformance.targets import Program


class TestUvicornHttptools(Conformance):
    program = Program("uvicorn-httptools", "conformance.origins.asgi_app:app")

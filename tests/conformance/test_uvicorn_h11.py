"""ASGI under uvicorn, with its parser in Python."""

from conformance.suite import Conformance
from conformance.targets import Program


class TestUvicornH11(Conformance):
    program = Program("uvicorn-h11", "conformance.origins.asgi_app:app")

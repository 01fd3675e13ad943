"""ASGI under Hypercorn."""

from conformance.suite import Conformance
from conformance.targets import Program


class TestHypercorn(Conformance):
    program = Program("hypercorn", "conformance.origins.asgi_app:app")

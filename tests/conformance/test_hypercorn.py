"""ASGI under Hypercorn."""

from conformance.suite import Conformance
from conformance.targets import hypercorn


class TestHypercorn(Conformance):
    program = hypercorn("conformance.origins.asgi_app:app")

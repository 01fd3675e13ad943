"""WSGI under waitress."""

from conformance.suite import Conformance
from conformance.targets import Program


class TestWaitress(Conformance):
    program = Program("waitress", "conformance.origins.wsgi_app:app")

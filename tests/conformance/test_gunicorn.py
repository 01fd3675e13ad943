"""WSGI under gunicorn."""

from conformance.suite import Conformance
from conformance.targets import Program


class TestGunicorn(Conformance):
    program = Program("gunicorn", "conformance.origins.wsgi_app:app")

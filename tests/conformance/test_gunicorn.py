"""WSGI under gunicorn."""

from conformance.suite import Conformance
from conformance.targets import gunicorn


class TestGunicorn(Conformance):
    program = gunicorn("conformance.origins.wsgi_app:app")

"""WSGI under waitress."""

from conformance.suite import Conformance
from conformance.targets import waitress


class TestWaitress(Conformance):
    program = waitress("conformance.origins.wsgi_app:app")

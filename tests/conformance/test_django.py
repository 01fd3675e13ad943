"""Django both ways."""

from conformance.suite import Conformance
from conformance.targets import Program


class TestDjangoWsgi(Conformance):
    program = Program("gunicorn", "conformance.origins.django_entry:wsgi")


class TestDjangoAsgi(Conformance):
    program = Program("uvicorn-httptools", "conformance.origins.django_entry:asgi")

"""Django both ways."""

from conformance.suite import Conformance
from conformance.targets import gunicorn, uvicorn


class TestDjangoWsgi(Conformance):
    program = gunicorn("conformance.origins.django_entry:wsgi()")


class TestDjangoAsgi(Conformance):
    program = uvicorn("conformance.origins.django_entry:asgi")

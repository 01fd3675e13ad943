"""A server on a Unix socket, where a peer has no address."""

from conformance.suite import UnixSocketConformance
from conformance.targets import gunicorn_unix, uvicorn_unix


class TestUvicorn(UnixSocketConformance):
    program = uvicorn_unix("conformance.origins.asgi_app:app")


class TestGunicorn(UnixSocketConformance):
    program = gunicorn_unix("conformance.origins.wsgi_app:app")


class TestDjangoWsgi(UnixSocketConformance):
    program = gunicorn_unix("conformance.origins.django_entry:wsgi()")


class TestDjangoAsgi(UnixSocketConformance):
    program = uvicorn_unix("conformance.origins.django_entry:asgi")

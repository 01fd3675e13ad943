"""A server on a Unix socket, where a peer has no address."""

import pytest
from support.servers import SERVERS
from support.service import short_folder

from conformance.rows import credential, request
from conformance.suite import UnixSocketConformance
from conformance.targets import Program


class TestUvicorn(UnixSocketConformance):
    program = Program("uvicorn-httptools", "conformance.origins.asgi_app:app", unix=True)


class TestGunicorn(UnixSocketConformance):
    program = Program("gunicorn", "conformance.origins.wsgi_app:app", unix=True)


class TestDjangoWsgi(UnixSocketConformance):
    program = Program("gunicorn", "conformance.origins.django_entry:wsgi", unix=True)


class TestDjangoAsgi(UnixSocketConformance):
    program = Program("uvicorn-httptools", "conformance.origins.django_entry:asgi", unix=True)


# Twisted answers 500 to every WSGI request on a Unix socket.
@pytest.mark.parametrize(
    "name", [name for name, server in SERVERS.items() if server.unix and name != "twisted"]
)
def test_the_proxy_on_the_unix_socket_of_any_server_is_believed_where_it_is_trusted(name):
    program = Program(name, f"conformance.origins.{SERVERS[name].kind}_app:app", unix=True)
    listed = {"addresses": ["192.0.2.0/24"]}
    trusting = {**listed, "trusted_proxies": ["unix"]}
    if name == "waitress":
        # By itself it takes the field away.
        program = Program(name, program.app, ("--no-clear-untrusted-proxy-headers",), unix=True)

    def claimed(address: bytes, judge: dict) -> str:
        sent = request(credential(), b"X-Forwarded-For: " + address, judge=judge)
        (reply,), (reason,), _ = target.observe(sent, ("GET",))
        return f"{reply.status} {reason}"

    with short_folder() as folder, program.serving(folder) as target:
        assert claimed(b"192.0.2.9", trusting) == "200 ok"
        assert claimed(b"192.0.2.9, 203.0.113.7", trusting) == "403 address"
        assert claimed(b"192.0.2.9", listed) == "403 address"

"""Client certificates that a real nginx verifies: who has none is refused, whatever he writes."""

from __future__ import annotations

import os
import ssl
from http.client import HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.certificates import Certificate, authority, signed_by
from support.processes import HOST, free_port, running
from support.proxies import nginx_binary
from support.servers import SERVERS
from support.service import short_folder
from support.wire import answers, converse

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = Path(__file__).parents[2] / "integrations" / "nginx" / "client-certificate.conf"
HEADER, VERIFIED = "X-SSL-Client-Fingerprint", "X-SSL-Client-Verify"


class Site:
    """nginx with a test CA, before an application."""

    def __init__(self, folder: Path, port: int, app: tuple[str, int] | str) -> None:
        self.app, self._port, self._folder = app, port, folder

    def status(
        self, certificate: Certificate | None, *fields: tuple[str, str], host: str = "shop.example"
    ) -> int:
        """Of a request through nginx, by TLS."""
        context = ssl.create_default_context(cafile=str(self._folder / "origin-ca.pem"))
        if certificate is not None:
            context.load_cert_chain(certificate.pem, certificate.key_pem)
        connection = HTTPSConnection("localhost", self._port, context=context, timeout=10)
        connection.putrequest("GET", "/", skip_host=True)
        for name, value in (("Host", host), *fields):
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        self.seen = answer.read().decode()
        connection.close()
        return answer.status

    def direct(self, *fields: tuple[str, str]) -> int:
        """Of a request to the application itself."""
        lines = ["GET / HTTP/1.1", "Host: shop.example", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in fields]
        [answer] = answers(converse(self.app, "\r\n".join([*lines, "", ""]).encode()), ["GET"])
        return answer.status


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("ca")
    ca, other, origin = (authority(folder, name) for name in ("edge-ca", "other-ca", "origin-ca"))
    return {
        "edge": signed_by(ca, "edge"),
        "next": signed_by(ca, "next"),
        "sibling": signed_by(ca, "sibling"),
        "expired": signed_by(ca, "expired", first=-9, last=-2),
        "stranger": signed_by(other, "stranger"),
        "origin": signed_by(origin, "localhost"),
    }


def nginx(folder: Path, made: dict[str, Certificate], upstream: str) -> tuple[list, int]:
    port, ca = free_port(), made["edge"].pem.parent
    text = CONFIG.read_text("utf-8")
    for old, new in {
        "/var/log/nginx/": f"{folder}/",
        "/run/nginx.pid": f"{folder}/nginx.pid",
        "worker_processes auto;": "worker_processes 1;",
        "listen 443 ssl;": f"listen {HOST}:{port} ssl;",
        "/etc/nginx/origin.pem": str(made["origin"].pem),
        "/etc/nginx/origin.key": str(made["origin"].key_pem),
        "/etc/nginx/edge-ca.pem": str(ca / "edge-ca.pem"),
        "http://127.0.0.1:8000": upstream,
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    config = folder / "nginx.conf"
    config.write_text(text)
    user = "user root; " if os.geteuid() == 0 else ""
    words = ["-p", folder, "-c", config, "-g", f"daemon off; {user}"]
    return [nginx_binary(), *words], port


@pytest.fixture(
    scope="module",
    params=["uvicorn-h11", "uvicorn-httptools", "gunicorn", "unix hypercorn", "unix gunicorn"],
)
def site(request, made) -> Iterator[Site]:
    name, unix = request.param.removeprefix("unix "), request.param.startswith("unix ")
    server = SERVERS[name]
    env = {
        "EDGEAUTH_SCHEME": "client-certificate",
        "EDGEAUTH_FINGERPRINTS": f"{made['edge'].fingerprint()},{made['next'].fingerprint()}",
        # Loopback is everybody in a test: the proxy alone comes from there on a Unix socket.
        "EDGEAUTH_TRUSTED_PROXIES": "unix" if unix else HOST,
    }
    options = ("--no-proxy-headers",) if name.startswith("uvicorn") else ()
    app = f"support.settings_apps:{server.kind}_app"
    with (
        short_folder() as folder,
        server.serving(app, folder, unix=unix, env=env, options=options) as served,
    ):
        address = served.address
        upstream = f"http://unix:{address}" if unix else f"http://{HOST}:{address[1]}"
        argv, port = nginx(folder, made, upstream)
        with running(argv, address=(HOST, port), log=folder / "nginx.out", cwd=folder):
            yield Site(made["edge"].pem.parent, port, address)


def written(made: dict[str, Certificate]) -> tuple[tuple[str, str], ...]:
    return ((HEADER, made["edge"].fingerprint()), (VERIFIED, "SUCCESS"))


def test_who_has_one_of_the_certificates_is_let_in(site: Site, made):
    assert site.status(made["edge"]) == 200
    assert HEADER.lower() not in site.seen.lower()
    assert VERIFIED.lower() not in site.seen.lower()
    assert site.status(made["next"]) == 200


@pytest.mark.parametrize("name", [None, "sibling"])
def test_who_has_none_of_them_is_refused(site: Site, made, name):
    assert site.status(made.get(name)) == 403


@pytest.mark.parametrize("name", ["expired", "stranger"])
def test_what_nginx_cannot_verify_reaches_nobody(site: Site, made, name):
    # nginx itself answers 400 to a certificate that is no good.
    assert site.status(made[name]) == 400


@pytest.mark.parametrize("name", [None, "sibling"])
def test_what_a_client_writes_about_its_certificate_is_gone(site: Site, made, name):
    fields = written(made)
    alike = tuple((name.replace("-", "_"), value) for name, value in fields)

    for sent in (fields, fields * 2, fields[:1], fields[1:], alike):
        assert site.status(made.get(name), *sent) == 403
    assert site.status(made["edge"], (HEADER, "00" * 20), (VERIFIED, "NONE")) == 200


def test_nobody_but_the_proxy_is_believed(made):
    env = {
        "EDGEAUTH_SCHEME": "client-certificate",
        "EDGEAUTH_FINGERPRINTS": made["edge"].fingerprint(),
        "EDGEAUTH_TRUSTED_PROXIES": "192.0.2.9,unix",
    }
    for name in ("uvicorn-h11", "gunicorn"):
        server = SERVERS[name]
        app = f"support.settings_apps:{server.kind}_app"
        with short_folder() as folder, server.serving(app, folder, env=env) as served:
            site = Site(folder, 0, served.address)
            assert site.direct(*written(made)) == 403
            assert site.direct(*written(made), ("X-Forwarded-For", "192.0.2.1")) == 403


@pytest.fixture(scope="module")
def shared(made) -> Iterator[Site]:
    """Any certificate of the CA, as that of a CDN for all of its customers; and hosts."""
    env = {
        "EDGEAUTH_SCHEME": "client-certificate",
        "EDGEAUTH_HOSTS": "shop.example",
        "EDGEAUTH_TRUSTED_PROXIES": HOST,
    }
    with (
        short_folder() as folder,
        SERVERS["gunicorn"].serving("support.settings_apps:wsgi_app", folder, env=env) as served,
    ):
        argv, port = nginx(folder, made, f"http://{HOST}:{served.address[1]}")
        with running(argv, address=(HOST, port), log=folder / "nginx.out", cwd=folder):
            yield Site(made["edge"].pem.parent, port, served.address)


def test_a_certificate_of_all_customers_counts_for_the_hosts_that_are_named(shared: Site, made):
    assert shared.status(made["sibling"]) == 200
    assert shared.status(made["sibling"], host="other.example") == 403
    assert shared.status(None) == 403

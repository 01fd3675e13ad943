"""AWS SigV4 over sockets: servers of both kinds, and nginx with the decision service."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.gate import Gate
from support.processes import HOST, free_port, running
from support.proxies import CADDY, ENVOY, HAPROXY, NGINX, TRAEFIK, Kind, proxying
from support.servers import SERVERS
from support.service import serving, short_folder
from support.sigv4 import KEY, REGION, Row, rows, signed_by_botocore
from support.upstream import telling_application
from support.wire import answers, converse

from edgeauth import Settings
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.wire import Address

TESTS = Path(__file__).parents[1]
ORIGIN = "origin.example"
SETTINGS = {
    "scheme": "aws-sigv4",
    "secret": KEY.secret.decode(),
    "region": REGION,
}
BOTH = ["uvicorn-httptools", "gunicorn"]
# The suite of AWS has targets with spaces and letters that no request line has.
SENDABLE = [row for row in rows() if row.can_be_sent]


def raw(method: str, target: bytes, fields: list[tuple[str, bytes]], body: bytes = b"") -> bytes:
    names = {name.lower() for name, _ in fields}
    more = [("Connection", b"close")]
    if "content-length" not in names and (body or method in {"POST", "PUT"}):
        more.append(("Content-Length", b"%d" % len(body)))
    lines = [name.encode() + b": " + value for name, value in [*fields, *more]]
    return b"\r\n".join([method.encode() + b" " + target + b" HTTP/1.1", *lines, b"", body])


def status(address: Address, method: str, *request) -> int:
    (answer,) = answers(converse(address, raw(method, *request)), (method,))
    return answer.status


# --- the rows


@pytest.fixture(scope="module", params=BOTH)
def judging(request: pytest.FixtureRequest) -> Iterator[Address]:
    server = SERVERS[request.param]
    app, env = f"support.sigv4_apps:{server.kind}", {"ROWS": "1"}
    with short_folder() as folder, server.serving(app, folder, env=env) as running:
        yield running.address


@pytest.mark.parametrize("row", SENDABLE, ids=lambda row: row.name)
def test_a_server_of_each_kind_decides_each_row_as_it_says(judging: Address, row: Row):
    fields = [*row.fields, ("X-Row", row.name.encode())]
    found = status(judging, row.request["method"], row.target, fields, row.body)
    assert (found == 200) == row.accept, (found, row.why)
    assert found in {200, 400, 403}


@contextlib.contextmanager
def gate_of(kind: Kind, guard: str, environ=None) -> Iterator[Gate]:
    with (
        short_folder() as folder,
        telling_application() as upstream,
        serving(
            guard, f'proxy = "{kind.proxy}"', folder=folder, tcp=kind.tcp, environ=environ
        ) as service,
        proxying(kind, folder, service.address, upstream) as proxy,
    ):
        yield Gate(proxy, service)


def variables(settings: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"EDGEAUTH_{name.upper()}", value) for name, value in settings.items())


@pytest.fixture(scope="module")
def judging_service() -> Iterator[Gate]:
    environ = {"PYTHONPATH": f"{TESTS / 'row_kind'}:{TESTS}"}
    kind = replace(NGINX, settings=variables(SETTINGS))
    guard = f'scheme = "sigv4-rows"\nsecret = "{SETTINGS["secret"]}"'
    with gate_of(kind, guard, environ) as gate:
        yield gate


@pytest.mark.parametrize("row", SENDABLE, ids=lambda row: row.name)
def test_nginx_and_the_service_decide_each_row_that_needs_no_body(judging_service, row: Row):
    fields = [*row.fields, ("X-Row", row.name.encode())]
    address = (HOST, judging_service.proxy.port)
    found = status(address, row.request["method"], row.target, fields, row.body)
    # The service never sees a body, so one that is signed cannot be compared there.
    assert (found == 200) == (row.accept and not row.body), (found, row.why)
    assert found in {200, 400, 403}


# --- the peer's signer as the client


@pytest.fixture(scope="module", params=BOTH)
def origin(request: pytest.FixtureRequest) -> Iterator[Address]:
    server = SERVERS[request.param]
    app = f"support.sigv4_apps:{server.kind}"
    with short_folder() as folder, server.serving(app, folder) as running:
        yield running.address


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("PUT", b"a body " * 5000)])
def test_what_botocore_sends_reaches_the_application_without_its_signature(origin, method, body):
    url = f"https://{ORIGIN}/a%20b//c?y=%2F&x=1"
    fields = {"X-Amz-Meta-Note": "of the edge"}
    target, lines = signed_by_botocore(method, url, now=time.time(), fields=fields, body=body)
    sent = raw(method, target.encode(), lines, body)
    (answer,) = answers(converse(origin, sent), (method,))

    assert answer.status == 200
    size, *names = answer.body.decode().split()
    assert int(size) == len(body)
    assert "x-amz-meta-note" in names
    assert not {"authorization", "x-amz-date", "x-amz-content-sha256"} & set(names)


def test_another_body_than_botocore_signed_reaches_no_application(origin):
    target, lines = signed_by_botocore("PUT", f"https://{ORIGIN}/a", now=time.time(), body=b"1" * 9)

    assert status(origin, "PUT", target.encode(), lines, b"1" * 9) == 200
    assert status(origin, "PUT", target.encode(), lines, b"2" * 9) == 403


def test_a_field_that_a_client_adds_in_amazons_name_is_refused(origin):
    target, lines = signed_by_botocore("GET", f"https://{ORIGIN}/", now=time.time())
    assert status(origin, "GET", target.encode(), lines) == 200
    for name in ("X-Amz-Meta-Role", "x-amz-security-token"):
        assert status(origin, "GET", target.encode(), [*lines, (name, b"admin")]) == 403


def test_the_stand_in_for_an_edge_signs_what_it_hands_on(tmp_path):
    server, port, keys = SERVERS["uvicorn-httptools"], free_port(), tmp_path / "keys"
    keys.write_text(f"{KEY.id}: {KEY.secret.decode()}\n")
    env = {
        "EDGEAUTH_SCHEME": "aws-sigv4",
        "EDGEAUTH_REGION": REGION,
        "EDGEAUTH_SECRETS_FILE": str(keys),
    }
    with server.serving("support.sigv4_apps:asgi", tmp_path) as origin:
        upstream = f"http://{HOST}:{origin.address[1]}"
        argv = [sys.executable, "-m", "edgeauth", "edge", "--upstream", upstream]
        address = (HOST, port)
        log = tmp_path / "edge.log"
        with running([*argv, "--port", str(port)], address=address, log=log, env=env):
            host = ("Host", ORIGIN.encode())
            for target in (b"/", b"/a%20b//c?y=%2F&x=1&x", b"/a%2Fb?q=+"):
                assert status(address, "GET", target, [host]) == 200
            for name in ("Authorization", "X-Amz-Meta-A", "X-Amz-Date"):
                assert status(address, "GET", b"/", [host, (name, b"of a client")]) == 200
            assert status(address, "PUT", b"/a", [host], b"a body") == 200


# --- through proxies


@pytest.fixture(
    scope="module", params=[NGINX, CADDY, ENVOY, HAPROXY, TRAEFIK], ids=lambda kind: kind.name
)
def through(request: pytest.FixtureRequest) -> Iterator[Gate]:
    kind = replace(request.param, settings=variables(SETTINGS))
    guard = "\n".join(f'{name} = "{value}"' for name, value in SETTINGS.items())
    with gate_of(kind, guard) as gate:
        yield gate
        assert gate.proxy.complaints() == []


SCHEME = Settings.from_mapping(SETTINGS).build_scheme()


def signed(method="GET", target="/a%2Fb/c?q=1&q=%7e", *, host="origin.example", body=b""):
    request = Outgoing(method, host, target, (), body)
    return list(SCHEME.credential(now=time.time(), request=request).items())


def test_a_signed_request_is_let_through_and_another_is_not(through: Gate):
    target = "/a%2Fb/c?q=1&q=%7e"
    assert through.ask(*signed(), target=target).status == 200
    assert through.ask(*signed(), target="/a/b/c?q=1&q=%7e").status == 403
    assert through.ask(*signed(), target=target, method="DELETE").status == 403
    assert through.ask(*signed(host="other.example"), target=target).status == 403
    assert through.ask(*signed()[:-1], target=target).status == 403


def test_the_service_refuses_a_body_that_it_cannot_compare(through: Gate):
    assert through.ask(*signed("POST"), target="/a%2Fb/c?q=1&q=%7e", method="POST").status == 200
    fields = signed("POST", body=b"a body")
    assert through.ask(*fields, target="/a%2Fb/c?q=1&q=%7e", method="POST").status == 403


def test_a_field_of_amazons_that_is_not_signed_is_refused_behind_every_proxy(through: Gate):
    fields = [*signed(), ("X-Amz-Meta-Role", "admin")]
    assert through.ask(*fields, target="/a%2Fb/c?q=1&q=%7e").status == 403

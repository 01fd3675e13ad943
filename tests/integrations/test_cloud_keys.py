"""Requests that are signed with the keys of storage clouds, over sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.cloud_key_apps import GATES, gate_scheme
from support.cloud_keys import Row, rows
from support.gate import Gate
from support.processes import HOST, free_port, running
from support.proxies import CADDY, ENVOY, HAPROXY, NGINX, TRAEFIK, proxying
from support.servers import SERVERS
from support.service import serving, short_folder
from support.upstream import telling_application
from support.wire import answers, converse

from edgeauth.ops.probe.judge import run
from edgeauth.ops.probe.wire import Target
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.probe_rows import Plan
from edgeauth.schemes.base import Outgoing

TESTS = Path(__file__).parents[1]
NAMES = tuple(GATES)
# Neither is a secret of a gate here: the rows have their own.
PLAIN = "kV3x9Qw7ZtB2mN8rLp4sHd6yUc1aFg5e"

# WSGI and nginx take no name with an underscore for what was sent.
FOLDED = {"sdk-metadata-underscore-order"}


def sent(row: Row) -> bytes:
    """The row's request; where its body was not published, another one of its length."""
    more = [("X-Row", row.name.encode()), ("Connection", b"close")]
    lengths = [int(value) for name, value in row.fields if name.lower() == "content-length"]
    body = row.body if row.has_body else b"x" * lengths[0]
    if body and not lengths:
        more.append(("Transfer-Encoding", b"chunked"))
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    lines = [name.encode() + b": " + value for name, value in [*row.fields, *more]]
    start = row.method.encode() + b" " + row.target + b" HTTP/1.1"
    return b"\r\n".join([start, *lines, b"", body])


def decided(address, row: Row) -> int:
    (answer,) = answers(converse(address, sent(row)), (row.method,))
    return answer.status


@pytest.fixture(scope="module", params=["uvicorn-h11", "uvicorn-httptools", "gunicorn", "waitress"])
def server(request):
    known = SERVERS[request.param]
    with (
        short_folder() as folder,
        known.serving(f"support.cloud_key_apps:rows_by_{known.kind}", folder) as running,
    ):
        yield known.kind, running.address


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_a_server_decides_each_row_as_the_core_does(server, row):
    kind, address = server
    accept = row.accept and not (kind == "wsgi" and row.name in FOLDED)
    status = decided(address, row)
    assert (status == 200) == accept, (status, row.why)
    assert status in {200, 400, 403}


# --- the service


def variables(settings):
    return tuple((f"EDGEAUTH_{name.upper()}", str(value)) for name, value in settings.items())


@contextlib.contextmanager
def gate_of(kind, guard, environ=None):
    with (
        short_folder() as folder,
        telling_application() as upstream,
        serving(
            guard, f'proxy = "{kind.proxy}"', folder=folder, tcp=kind.tcp, environ=environ
        ) as service,
        proxying(kind, folder, service.address, upstream) as proxy,
    ):
        yield Gate(proxy, service)


# What the rows are of, for one configuration of nginx; a row says which of them it is of.
ALL_KINDS = """
[[schemes]]
scheme = "azure-shared-key"
account = "edgeacct"
[[schemes]]
scheme = "alibaba-oss"
bucket = "shop"
region = "cn-hangzhou"
[[schemes]]
scheme = "alibaba-oss"
bucket = "shop"
version = "v1"
"""


@pytest.fixture(scope="module")
def judging_rows(tmp_path_factory):
    config = tmp_path_factory.mktemp("kinds") / "edgeauth.toml"
    config.write_text(ALL_KINDS)
    environ = {"PYTHONPATH": f"{TESTS / 'row_kind'}:{TESTS}"}
    kind = replace(NGINX, settings=(("EDGEAUTH_CONFIG", str(config)),))
    with gate_of(kind, f'scheme = "cloud-rows"\nsecret = "{PLAIN}"', environ) as gate:
        yield gate


def without_a_body() -> list[Row]:
    """Rows whose signature needs no length of a body, which nginx does not tell the service."""
    return [
        row
        for row in rows()
        if not any(
            name.lower() == "content-length" and value != b"0" and not row.scheme_is_lite
            for name, value in row.fields
        )
    ]


@pytest.mark.parametrize("row", without_a_body(), ids=lambda row: row.name)
def test_nginx_and_the_service_decide_each_row_without_a_body(judging_rows, row):
    status = decided((HOST, judging_rows.proxy.port), row)
    assert (status == 200) == (row.accept and row.name not in FOLDED), (status, row.why)
    assert status in {200, 400, 403}


def settings_of(name):
    kind, given, key = GATES[name]
    return {"scheme": kind, **given}, key


@pytest.fixture(scope="module", params=["azure", "oss-v4"])
def name(request):
    return request.param


@pytest.fixture(
    scope="module", params=[NGINX, CADDY, ENVOY, HAPROXY, TRAEFIK], ids=lambda kind: kind.name
)
def through(request, name, tmp_path_factory):
    settings, key = settings_of(name)
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(f"{key.id}:{key.secret.decode()}\n")
    settings = {**settings, "secrets_file": str(keys)}
    kind = replace(request.param, settings=variables(settings))
    guard = "\n".join(f'{name} = "{value}"' for name, value in settings.items())
    with gate_of(kind, guard) as gate:
        yield gate
        assert gate.proxy.complaints() == []


def signed(name, method="GET", target="/a%2Fb/c?q=1&q=%7e", fields=()):
    request = Outgoing(method, "origin.example", target, fields, b"")
    return list(gate_scheme(name).credential(now=time.time(), request=request).items())


def test_a_signed_request_reaches_the_application_without_its_signature(through: Gate, name):
    answer = through.ask(*signed(name), target="/a%2Fb/c?q=1&q=%7e")
    assert answer.status == 200
    told = json.loads(answer.body)
    assert told["target"] == "/a%2Fb/c?q=1&q=%7e"
    assert not {"authorization", "x-ms-date", "x-oss-date"} & told["headers"].keys()


def test_every_field_that_begins_as_signed_ones_do_is_seen(through: Gate, name):
    beginning = {"azure": "x-ms-", "oss-v4": "x-oss-"}[name]
    note = (f"{beginning}meta-note", "of the edge")
    target = "/a%2Fb/c?q=1&q=%7e"
    fields = [*signed(name, fields=[note]), note]
    answer = through.ask(*fields, target=target)
    assert answer.status == 200
    assert json.loads(answer.body)["headers"][note[0]] == "of the edge"
    assert through.ask(*fields[:-1], (note[0], "of a client"), target=target).status == 403
    assert through.ask(*fields[:-1], target=target).status == 403
    assert through.ask(*signed(name), note, target=target).status == 403


def test_signed_for_another_request_it_is_denied(through: Gate, name):
    for target, fields in (
        ("/a%2Fb/c?q=1&q=2", signed(name)),
        ("/a%2Fb/d?q=1&q=%7e", signed(name)),
        ("/a%2Fb/c?q=1&q=%7e", signed(name, "HEAD")),
        ("/a%2Fb/c?q=1&q=%7e", signed(name)[:1]),
        ("/a%2Fb/c?q=1&q=%7e", [*signed(name), signed(name)[0]]),
        ("/a%2Fb/c?q=1&q=%7e", [*signed(name), ("Content-Type", "text/plain")]),
    ):
        assert through.ask(*fields, target=target).status in {400, 403}, fields


# --- a probe


def probed(name, folder, hole=""):
    scheme = gate_scheme(name)
    env = {"HOLE": hole, "KIND": name}
    server = SERVERS["uvicorn-httptools"]
    with server.serving("support.cloud_key_apps:origin", folder, env=env) as origin:
        target = Target.parse(f"http://{HOST}:{origin.address[1]}/page/1?q=1")
        plan = Plan(target.authority, target.path)
        return list(run(tools_of(scheme.kind).attacks(scheme, plan), target, rate=1000, timeout=10))


@pytest.mark.parametrize("name", NAMES)
def test_of_a_right_origin_every_row_of_the_probe_passes(name, tmp_path):
    results = probed(name, tmp_path)
    assert {one.row.id for one in results if one.outcome == "fail"} == set()
    idle = {one.row.id for one in results if one.outcome == "not tried"}
    unsigned = {"oss-v4": set(), "azure": {"other-host"}}
    assert idle == unsigned.get(name, {"other-host", "other-query"})


@pytest.mark.parametrize(
    ("name", "hole", "found"),
    [
        ("azure", "method", {"other-method"}),
        ("azure", "path", {"other-path"}),
        ("azure", "query", {"other-query"}),
        ("azure", "window", {"stale", "future"}),
        ("azure", "first", {"good-twice"}),
        ("oss-v4", "host", {"other-host"}),
        ("oss-v1", "method", {"other-method"}),
        ("oss-v4", "window", {"stale", "future"}),
    ],
)
def test_of_an_origin_with_a_hole_just_the_rows_fail_that_find_it(name, hole, found, tmp_path):
    results = probed(name, tmp_path, hole)
    assert {one.row.id for one in results if one.outcome == "fail"} == found


@pytest.mark.parametrize("name", ["azure", "oss-v4", "oss-v1"])
def test_an_origin_that_checks_nothing_fails_every_row_that_is_tried(name, tmp_path):
    results = probed(name, tmp_path, "unchecked")
    assert {one.outcome for one in results} <= {"fail", "not tried"}


# --- the stand-in for an edge


@pytest.mark.parametrize("name", NAMES)
def test_the_stand_in_signs_each_request_as_it_goes_on(name, tmp_path):
    settings, key = settings_of(name)
    keys = tmp_path / "keys"
    keys.write_text(f"{key.id}:{key.secret.decode()}\n")
    env = dict(variables({**settings, "secrets_file": keys}))
    port = free_port()
    server = SERVERS["uvicorn-httptools"]
    with server.serving("support.cloud_key_apps:origin", tmp_path, env={"KIND": name}) as origin:
        argv = [sys.executable, "-m", "edgeauth", "edge", "--port", str(port)]
        argv += ["--upstream", f"http://{HOST}:{origin.address[1]}"]
        with running(argv, address=(HOST, port), log=tmp_path / "edge.log", env=env):
            for method, target, body in (
                ("GET", "/a%2Fb/%7e?q=1&r=x+y", None),
                ("HEAD", "/", None),
                ("POST", "/pay", b"amount=1"),
                ("POST", "/pay", iter([b"amount", b"=2"])),
                ("DELETE", "/x", None),
            ):
                assert asked(port, method, target, body) == 200, (method, target)
            for field in ("Authorization", "x-ms-date", "x-oss-date"):
                assert asked(port, "GET", "/", None, {field: "of the visitor"}) == 200
        assert asked(origin.address[1], "GET", "/", None) == 403


def asked(port, method, target, body, headers=None):
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, target, body=body, headers=headers or {})
        answer = connection.getresponse()
        answer.read()
    return answer.status

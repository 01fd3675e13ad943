"""Akamai's G2O over sockets: each row of the vectors, and the tools against a real origin."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from support.akamai_g2o import rows
from support.gate import Gate
from support.processes import HOST, free_port, running
from support.proxies import NGINX, proxying
from support.row_schemes import G2ORows
from support.servers import SERVERS
from support.service import serving, short_folder
from support.upstream import telling_application
from support.wire import answers, converse

from edgeauth import Settings
from edgeauth.schemes.base import Outgoing

TESTS = Path(__file__).parents[1]
SECRET = "kV3x9Qw7ZtB2mN8rLp4sHd6yUc1aFg5e"
SETTINGS = {"scheme": "akamai-g2o", "secret": SECRET}
SCHEME = Settings.from_mapping(SETTINGS).build_scheme()
DATA, SIGN = SCHEME.headers
TARGET = "/a%2Fb/c?q=1&q=%7e"
ROWS = rows()


def sent(row) -> bytes:
    fields = [*row.fields, ("X-Row", row.name.encode()), ("Connection", b"close")]
    start = row.request["method"].encode() + b" " + row.target + b" HTTP/1.1"
    lines = [name.encode() + b": " + value for name, value in fields]
    return b"\r\n".join([start, *lines, b"", b""])


def assert_decided_as_it_says(row, address) -> None:
    method = row.request["method"]
    (answer,) = answers(converse(address, sent(row)), (method,))
    assert (answer.status == 200) == row.accept, answer.status
    # What is no field of HTTP is refused by the server itself.
    assert answer.status in {200, 400, 403}


@pytest.fixture(scope="module", params=["uvicorn-httptools", "gunicorn"])
def judging(request, tmp_path_factory):
    server = SERVERS[request.param]
    app, folder = f"support.row_schemes:{server.kind}", tmp_path_factory.mktemp("rows")
    with server.serving(app, folder, env={"ROWS_OF": "akamai-g2o"}) as origin:
        yield origin.address


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_is_decided_as_it_says_by_a_real_server(judging, row):
    assert_decided_as_it_says(row, judging)


@contextlib.contextmanager
def gate_of(settings, guard, environ=None):
    variables = tuple((f"EDGEAUTH_{name.upper()}", value) for name, value in settings.items())
    kind = replace(NGINX, settings=variables)
    with (
        short_folder() as folder,
        telling_application() as upstream,
        serving(guard, 'proxy = "nginx"', folder=folder, tcp=kind.tcp, environ=environ) as service,
        proxying(kind, folder, service.address, upstream) as proxy,
    ):
        yield Gate(proxy, service)


@pytest.fixture(scope="module")
def judging_service():
    # What nginx hands on is named by the printed configuration, which is one of settings.
    handed = ("x-row", *(name.lower() for name in G2ORows.headers))
    fields = {"scheme": "message-signatures", "secret": SECRET, "components": ",".join(handed)}
    environ = {"PYTHONPATH": f"{TESTS / 'row_kind'}:{TESTS}"}
    with gate_of(fields, f'scheme = "g2o-rows"\nsecret = "{SECRET}"', environ) as gate:
        yield gate


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_is_decided_as_it_says_by_nginx_and_the_service(judging_service, row):
    assert_decided_as_it_says(row, (HOST, judging_service.proxy.port))


@pytest.fixture(scope="module")
def through():
    guard = "\n".join(f'{name} = "{value}"' for name, value in SETTINGS.items())
    with gate_of(SETTINGS, guard) as gate:
        yield gate
        assert gate.proxy.complaints() == []


def signed(method="GET", target=TARGET):
    request = Outgoing(method, "origin.example", target)
    return [*SCHEME.credential(now=time.time(), request=request).items()]


def test_a_signed_request_passes_nginx_with_the_configuration_that_is_printed(through: Gate):
    answer = through.ask(*signed(), target=TARGET)

    assert answer.status == 200
    told = json.loads(answer.body)
    assert told["target"] == TARGET
    assert not {DATA.lower(), SIGN.lower()} & told["headers"].keys()
    assert told["headers"]["x-edgeauth-key"] == "default"


def test_another_target_is_denied_by_nginx_and_half_a_credential_too(through: Gate):
    for target in ("/a/b/c?q=1&q=%7e", "/a%2Fb/c?q=1&q=~", "/a%2Fb/c", TARGET + "&r"):
        assert through.ask(*signed(), target=target).status == 403
    for fields in (signed()[:1], signed()[1:], signed() * 2, [*signed(), (SIGN, "x")]):
        assert through.ask(*fields, target=TARGET).status == 403


@pytest.mark.parametrize("name", ["uvicorn-h11", "granian", "gunicorn", "waitress"])
def test_a_query_that_is_empty_is_signed_and_accepted(name, tmp_path):
    server = SERVERS[name]
    env = {f"EDGEAUTH_{name.upper()}": value for name, value in SETTINGS.items()}
    with server.serving(f"support.gated:{server.kind}", tmp_path, env=env) as origin:
        for target, other in (("/a?", "/b?"), ("/a", "/b")):
            lines = [f"{field}: {value}" for field, value in signed(target=target)]
            for asked, status in ((target, 200), (other, 403)):
                start = [f"GET {asked} HTTP/1.1", "Host: origin.example", "Connection: close"]
                raw = "\r\n".join([*start, *lines, "", ""]).encode()
                (answer,) = answers(converse(origin.address, raw), ("GET",))
                assert answer.status == status


def test_behind_nginx_parts_are_those_of_the_request_that_nginx_got():
    settings = {**SETTINGS, "sign_string": "AK_METHOD,AK_HOSTHEADER,AK_URL"}
    scheme = Settings.from_mapping(settings).build_scheme()
    guard = "\n".join(f'{name} = "{value}"' for name, value in settings.items())

    def fields(method, host="origin.example"):
        made = scheme.credential(now=time.time(), request=Outgoing(method, host, TARGET))
        return list(made.items())

    with gate_of(settings, guard) as gate:
        for method in ("GET", "POST", "DELETE"):
            assert gate.ask(*fields(method), method=method, target=TARGET).status == 200
        assert gate.ask(*fields("GET"), method="POST", target=TARGET).status == 403
        assert gate.ask(*fields("GET", "other.example"), target=TARGET).status == 403


def test_behind_nginx_an_empty_query_is_told_from_none(through: Gate):
    for asked, status in (("/a?", 200), ("/a", 403)):
        assert through.ask(*signed(target="/a?"), target=asked).status == status


# --- the tools, of a gate that remembers

APP = "example_apps.starlette_app.app:app"
ROOT = TESTS.parent
ENV = {
    **{f"EDGEAUTH_{name.upper()}": value for name, value in SETTINGS.items()},
    "EDGEAUTH_REPLAY": "memory",
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origin")
    env = {**ENV, "PYTHONPATH": str(ROOT)}
    with SERVERS["uvicorn-h11"].serving(APP, folder, env=env) as running_origin:
        yield running_origin.address[1]


def edgeauth(*words, env=ENV, **options):
    return subprocess.run(
        [sys.executable, "-m", "edgeauth", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
        **options,
    )


def probed(port, *options, env=ENV):
    done = edgeauth(
        *("probe", f"http://{HOST}:{port}/?q=1", "--json", "--rate", "100"), *options, env=env
    )
    assert done.stderr == ""
    return done.returncode, {row["id"]: row for row in json.loads(done.stdout)["rows"]}


def outcomes(found, outcome):
    return {id_ for id_, row in found.items() if row["outcome"] == outcome}


def test_a_probe_of_a_right_origin_fails_nowhere(origin):
    status, found = probed(origin, "--websocket", "/ws")

    assert outcomes(found, "fail") == set(), found
    assert status == 0
    assert outcomes(found, "not tried") == {"other-method"}
    assert found["signed-websocket"]["answer"] == "101"
    assert {"replayed", "version-1", "first-character", "time-of-200-digits"} <= outcomes(
        found, "pass"
    )


def test_without_a_secret_a_probe_tries_what_needs_none(origin):
    env = {"EDGEAUTH_SCHEME": "akamai-g2o"}
    _, found = probed(origin, env=env)
    assert outcomes(found, "fail") == set()
    assert {"forged", "empty-signature", "data-alone", "null-secret"} <= outcomes(found, "pass")
    assert found["other-path"]["meaning"] == "no secret was given"


def test_where_nothing_is_remembered_a_replay_is_not_tried(origin):
    _, found = probed(origin, env={**ENV, "EDGEAUTH_REPLAY": ""})
    assert "replay is not set" in found["replayed"]["meaning"]


def test_the_stand_in_for_the_edge_signs_each_request_for_its_client(origin, tmp_path):
    port = free_port()
    argv = [
        *(sys.executable, "-m", "edgeauth", "edge", "--port", str(port)),
        *("--upstream", f"http://{HOST}:{origin}"),
    ]
    with running(argv, address=(HOST, port), log=tmp_path / "log", env=ENV):
        for _ in range(2):
            answer = httpx.get(f"http://{HOST}:{port}/?a=%2F", headers={DATA: "x", SIGN: "y"})
            assert answer.status_code == 200
    assert httpx.get(f"http://{HOST}:{origin}/?a=%2F").status_code == 403


def test_the_stand_in_says_who_asked_as_the_edge_does(tmp_path):
    env = {**ENV, "EDGEAUTH_STRIP_HEADER": "false"}
    server = SERVERS["uvicorn-httptools"]
    with server.serving("support.gated:asgi", tmp_path, env=env) as told:
        port = free_port()
        argv = [
            *(sys.executable, "-m", "edgeauth", "edge", "--port", str(port)),
            *("--upstream", f"http://{HOST}:{told.address[1]}"),
        ]
        with (
            running(argv, address=(HOST, port), log=tmp_path / "edge.log", env=ENV),
            httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.9")) as client,
        ):
            fields = dict(client.get(f"http://{HOST}:{port}/").json()["headers"])
    assert fields[DATA.lower()].split(", ")[1:3] == ["127.0.0.1", "127.0.0.9"]


def test_a_request_that_sign_prints_is_accepted_by_verify_and_by_the_origin(origin):
    url = f"http://{HOST}:{origin}/?a=%2F"
    printed = edgeauth("sign", "--url", url)
    assert (printed.returncode, printed.stderr) == (0, "")
    told = edgeauth("verify", "--url", url, input=printed.stdout)
    assert told.stdout.startswith("ACCEPTED  signed with key default")
    fields = dict(line.split(": ", 1) for line in printed.stdout.splitlines())
    assert httpx.get(url, headers=fields).status_code == 200
    assert httpx.get(url, headers=fields).status_code == 403


def test_check_config_tells_the_settings_and_no_secret():
    done = edgeauth("check-config")
    assert done.returncode == 0, done.stderr
    assert "akamai-g2o" in done.stdout
    assert DATA in done.stdout
    assert SECRET not in done.stdout

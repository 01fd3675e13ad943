"""Signed requests through each proxy, with the configuration that is printed for the settings."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.gate import Gate
from support.processes import HOST
from support.proxies import CADDY, ENVOY, HAPROXY, NGINX, TRAEFIK, Kind, proxying
from support.rfc9421 import Row, rows
from support.service import serving, short_folder
from support.upstream import telling_application
from support.wire import answers, converse

from edgeauth import Settings
from edgeauth.schemes.base import Outgoing

TESTS = Path(__file__).parents[1]
NOTE = ("X-Note", "of the edge")
SETTINGS = {
    "scheme": "message-signatures",
    "secret": "kV3x9Qw7ZtB2mN8rLp4sHd6yUc1aFg5e",
    "components": "@method,@authority,@path,@query,x-note",
    "tag": "edge",
}
SCHEME = Settings.from_mapping(SETTINGS).build_scheme()


def variables(settings):
    return tuple((f"EDGEAUTH_{name.upper()}", value) for name, value in settings.items())


@contextlib.contextmanager
def gate_of(kind: Kind, guard: str, environ=None):
    with (
        short_folder() as folder,
        telling_application() as upstream,
        serving(
            guard, f'proxy = "{kind.proxy}"', folder=folder, tcp=kind.tcp, environ=environ
        ) as service,
        proxying(kind, folder, service.address, upstream) as proxy,
    ):
        yield Gate(proxy, service)


@pytest.fixture(
    scope="module", params=[NGINX, CADDY, ENVOY, HAPROXY, TRAEFIK], ids=lambda kind: kind.name
)
def through(request):
    kind = replace(request.param, settings=variables(SETTINGS))
    guard = "\n".join(f'{name} = "{value}"' for name, value in SETTINGS.items())
    with gate_of(kind, guard) as gate:
        yield gate
        assert gate.proxy.complaints() == []


def signed(method="GET", target="/a%2Fb/c?q=1&q=%7e", *, host="origin.example", note=NOTE):
    request = Outgoing(method, host, target, [note])
    return [note, *SCHEME.credential(now=time.time(), request=request).items()]


def test_a_signed_request_reaches_the_application_without_its_signature(through: Gate):
    answer = through.ask(*signed(), target="/a%2Fb/c?q=1&q=%7e")

    assert answer.status == 200
    told = json.loads(answer.body)
    assert told["target"] == "/a%2Fb/c?q=1&q=%7e"
    assert told["headers"]["x-note"] == "of the edge"
    assert not {"signature", "signature-input"} & told["headers"].keys()
    assert told["headers"]["x-edgeauth-key"] == "default"


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE", "OPTIONS"])
def test_the_method_of_the_request_is_what_is_verified(through: Gate, method: str):
    fields = signed(method, "/x")
    assert through.ask(*fields, method=method, target="/x").status == 200
    assert through.ask(*fields, method="GET", target="/x").status == 403


# Made when the test runs: a signature is good for a minute.
OTHERWISE = {
    "query": (signed, "/a%2Fb/c?q=1&q=~"),
    "path": (signed, "/a/b/c?q=1&q=%7e"),
    "host": (lambda: signed(target="/", host="other.example"), "/"),
    "a covered field": (lambda: [("X-Note", "of a client"), *signed(target="/")[1:]], "/"),
    "a covered field that is gone": (lambda: signed(target="/")[1:], "/"),
    "Signature-Input alone": (lambda: signed(target="/")[:2], "/"),
    "Signature alone": (lambda: signed(target="/")[::2], "/"),
    "a field twice": (lambda: (found := signed(target="/")) + found[1:2], "/"),
}


@pytest.mark.parametrize(("fields", "target"), OTHERWISE.values(), ids=OTHERWISE)
def test_signed_for_another_request_it_is_denied(through: Gate, fields, target: str):
    assert through.ask(*fields(), target=target).status == 403


def test_an_empty_query_and_none_are_one(through: Gate):
    assert through.ask(*signed(target="/"), target="/?").status == 200


# --- the published requests


def covered():
    """The fields that the rows cover, and the one that names the row."""
    names = {name for row in rows() for name, _ in row.fields}
    return sorted(names - {"Host", "Signature", "Signature-Input"} | {"X-Row"})


@pytest.fixture(scope="module")
def judging_rows():
    fields = {**SETTINGS, "components": ",".join(name.lower() for name in covered())}
    kind = replace(NGINX, settings=variables(fields))
    environ = {"PYTHONPATH": f"{TESTS / 'row_kind'}:{TESTS}"}
    with gate_of(kind, f'scheme = "rfc-rows"\nsecret = "{SETTINGS["secret"]}"', environ) as gate:
        yield gate


def sent(row: Row) -> bytes:
    names = {name.lower() for name, _ in row.fields}
    more = [("X-Row", row.name.encode()), ("Connection", b"close")]
    if row.body and "content-length" not in names:
        more.append(("Content-Length", b"%d" % len(row.body)))
    lines = [name.encode() + b": " + value for name, value in [*row.fields, *more]]
    start = row.request["method"].encode() + b" " + row.target + b" HTTP/1.1"
    return b"\r\n".join([start, *lines, b"", row.body])


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_nginx_and_the_service_decide_each_published_request_as_the_core_does(judging_rows, row):
    method = row.request["method"]
    address = (HOST, judging_rows.proxy.port)
    (answer,) = answers(converse(address, sent(row)), (method,))
    assert (answer.status == 200) == row.accept, (answer.status, row.why)
    assert answer.status in {200, 400, 403}

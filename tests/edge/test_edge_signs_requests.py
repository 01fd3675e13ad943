"""``edgeauth edge`` in front of a gate for message signatures, which takes each of them once."""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from support import rfc9421
from support.processes import HOST, free_port, running
from support.servers import SERVERS
from support.signed_requests import SECRET

if TYPE_CHECKING:
    from pathlib import Path

UVICORN = SERVERS["uvicorn-httptools"]


@contextlib.contextmanager
def stand_in(folder: Path, upstream: int, *options: str, **settings: str):
    """The port of a stand-in for the edge."""
    port = free_port()
    keys = folder / "keys"
    keys.write_text(f"edge-1:{SECRET}\n")
    argv = [sys.executable, "-m", "edgeauth", "edge", "--upstream", f"http://{HOST}:{upstream}"]
    env = {
        "EDGEAUTH_SCHEME": "message-signatures",
        "EDGEAUTH_TAG": "edge",
        "EDGEAUTH_URL_SCHEME": "http",
        **({} if options else {"EDGEAUTH_SECRETS_FILE": str(keys)}),
        **settings,
    }
    log = folder / "edge.log"
    with running([*argv, "--port", str(port), *options], address=(HOST, port), log=log, env=env):
        yield port


@pytest.fixture(scope="module", params=["", "content-digest"])
def edge(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("edge")
    env = {"MORE_COMPONENTS": request.param}
    components = f"@method,@authority,@path,@query,{request.param}".rstrip(",")
    with (
        UVICORN.serving("support.redirecting_origin:app", folder, env=env) as origin,
        stand_in(folder, origin.address[1], EDGEAUTH_COMPONENTS=components) as port,
    ):
        yield port


def asked(port, method="GET", target="/", body=None, headers=None):
    """Status, and what the page tells."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, target, body=body, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read()
    return answer.status, json.loads(text) if answer.status == 200 else text


def test_each_request_is_signed_as_it_goes_on(edge):
    for target in ("/", "/", "/a%2Fb/%7e?q=1&r=x+y", "/?", "//x", "/a;b='c'"):
        status, told = asked(edge, target=target)
        assert status == 200, target
        assert told["path"] == target.partition("?")[0]


def test_a_body_goes_along_with_its_digest_where_that_is_signed(edge):
    status, told = asked(edge, "POST", "/pay", body=b"amount=1")
    assert (status, told["body"]) == (200, "amount=1")
    assert told["digest"] in {None, True}
    status, told = asked(edge, "POST", "/pay", body=iter([b"amount", b"=2"]))
    assert (status, told["body"]) == (200, "amount=2")


def test_what_a_client_signs_itself_is_removed(edge):
    own = {"Signature-Input": 'edge=("@method");tag="edge"', "Signature": "edge=:AAAA:"}
    assert asked(edge, headers=own)[0] == 200


def test_what_lacks_a_field_that_must_be_signed_is_told_to_the_developer(tmp_path):
    with stand_in(tmp_path, free_port(), EDGEAUTH_COMPONENTS="@method,x-visitor") as port:
        status, text = asked(port)
    assert status == 400
    assert b"a signed field is not in the request" in text


def test_a_private_key_signs_for_an_origin_that_can_only_verify(tmp_path):
    pem = tmp_path / "edge.key"
    pem.write_text(rfc9421.published_key("ed25519", "key"))
    options = ("--key-file", str(pem), "--key-id", "edge-2")
    with (
        UVICORN.serving("support.signed_apps:asgi", tmp_path) as origin,
        stand_in(tmp_path, origin.address[1], *options, EDGEAUTH_URL_SCHEME="https") as port,
    ):
        assert httpx.get(f"http://{HOST}:{port}/a?x=1").status_code == 200
        assert httpx.get(f"http://{HOST}:{origin.address[1]}/a?x=1").status_code == 403

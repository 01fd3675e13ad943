"""``edgeauth edge``, the stand-in POP, as the installed program in front of a guarded origin."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import sys

import httpx
import pytest
from click.testing import CliRunner
from support.origin import origin_with
from support.processes import HOST, free_port, running, wait_until
from support.vectors import SECRET
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import edgeauth
from edgeauth.ops.cli import main


@contextlib.contextmanager
def stand_in(folder, upstream: str, *options: str, **settings: str):
    port = free_port()
    argv = [sys.executable, "-m", "edgeauth", "edge", "--upstream", upstream, "--port", str(port)]
    env = {"EDGEAUTH_SECRET": SECRET, **settings}
    log = folder / f"edge-{port}.log"
    with running([*argv, *options], address=(HOST, port), log=log, env=env):
        yield f"http://{HOST}:{port}"


@pytest.fixture(scope="module")
def edge(origin, tmp_path_factory):
    with stand_in(tmp_path_factory.mktemp("edge"), origin.url) as url:
        yield url


def test_the_origin_accepts_a_request_that_came_through_and_refuses_it_past_the_edge(edge, origin):
    assert httpx.get(edge).json()["pop"] == "XXX"
    assert httpx.get(origin.url).status_code == 403


def test_it_plays_the_pop_and_uses_the_header_of_the_options(tmp_path):
    with (
        origin_with(tmp_path, EDGEAUTH_HEADER="X-Origin-Key") as origin,
        stand_in(tmp_path, origin.url, "--pop", "LHR", EDGEAUTH_HEADER="X-Origin-Key") as edge,
    ):
        assert httpx.get(edge).json()["pop"] == "LHR"


@pytest.mark.parametrize("name", ["Edge-Auth", "edge-auth", "Edge_Auth"])
@pytest.mark.parametrize(
    "own",
    [
        pytest.param(edgeauth.sign(SECRET, pop="LHR"), id="valid"),
        pytest.param(edgeauth.sign(SECRET, pop="LHR", timestamp=1_700_000_000), id="stale"),
        pytest.param("let me in", id="junk"),
    ],
)
def test_the_origin_sees_only_the_credential_of_the_edge(edge, name, own):
    report = httpx.get(edge, headers=[(name, own), (name, own)]).json()
    assert report["pop"] == "XXX"
    own_fields = [field for field, _ in report["headers"] if field.replace("_", "-") == "edge-auth"]
    assert len(own_fields) == 1


@pytest.mark.parametrize("name", ["Edge-Auth-Pass", "edge-auth-pass", "Edge_Auth_Pass"])
def test_a_pass_ends_at_the_edge(edge, name):
    report = httpx.get(edge, headers=[(name, "a"), (name, "b")]).json()
    assert "edge-auth-pass" not in [field.replace("_", "-") for field, _ in report["headers"]]


def test_with_the_shared_secret_scheme_it_sends_the_secret(tmp_path):
    with (
        origin_with(tmp_path, EDGEAUTH_SCHEME="shared-secret") as origin,
        stand_in(tmp_path, origin.url, "--scheme", "shared-secret") as edge,
    ):
        assert ["edge-auth", SECRET] in httpx.get(edge).json()["headers"]
        assert httpx.get(origin.url).status_code == 403


def test_method_target_body_and_fields_arrive_as_they_were_sent(edge):
    target = "/a//b/../%2e%2F%zz?q=1&&=%20+"
    connection = http.client.HTTPConnection(edge.removeprefix("http://"))
    connection.request("PATCH", target, body=b"a body", headers={"X-Own": "kept"})
    report = json.loads(connection.getresponse().read())
    connection.close()
    assert report["method"] == "PATCH"
    assert report["target"] == target
    assert report["body"] == "a body"
    assert ["x-own", "kept"] in report["headers"]
    assert ["host", edge.removeprefix("http://")] in report["headers"]
    added = {"accept", "user-agent", "content-type"} & {name for name, _ in report["headers"]}
    assert not added


def test_fields_of_the_connection_stop_at_the_edge(edge):
    headers = {"Connection": "close, X-Hop", "X-Hop": "1", "TE": "trailers", "Keep-Alive": "5"}
    names = {name for name, _ in httpx.get(edge, headers=headers).json()["headers"]}
    assert not names & {"x-hop", "te", "keep-alive", "upgrade"}


def test_an_answer_comes_through_as_it_is(edge):
    moved = httpx.get(f"{edge}/moved")
    assert moved.status_code == 302
    assert moved.headers["location"] == "/elsewhere"
    assert moved.headers.get_list("set-cookie") == ["a=1", "b=2"]
    packed = httpx.get(f"{edge}/packed")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == "packed"
    assert httpx.head(edge).status_code == 200


def test_an_answer_streams(edge):
    with httpx.stream("GET", f"{edge}/stream") as answer:
        parts = answer.iter_raw()
        assert next(parts) == b"first"
        httpx.get(f"{edge}/release")
        assert b"".join(parts) == b"rest"


def test_a_body_streams(edge):
    def parts():
        yield b"first"
        wait_until(lambda: httpx.get(f"{edge}/seen").text == "5", what="the first part arriving")
        yield b"rest"

    assert httpx.post(f"{edge}/upload", content=parts()).text == "9"


def test_a_connection_serves_several_requests(edge):
    connection = http.client.HTTPConnection(edge.removeprefix("http://"))
    connection.request("GET", "/")
    connection.getresponse().read()
    first = connection.sock
    connection.request("POST", "/", body=b"again")
    assert connection.getresponse().status == 200
    assert connection.sock is first
    connection.close()


def test_an_answer_that_breaks_off_is_not_made_whole(edge):
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{edge}/cut")


def test_an_upstream_that_is_down_is_a_502_that_says_so(tmp_path):
    upstream = f"http://{HOST}:{free_port()}"
    with stand_in(tmp_path, upstream) as edge:
        answer = httpx.get(edge)
        assert answer.status_code == 502
        assert upstream in answer.text
        with pytest.raises(InvalidStatus) as refused, connect(edge.replace("http", "ws")):
            pass
        assert refused.value.response.status_code == 502


def test_a_target_that_is_no_path_is_refused(edge):
    host, _, port = edge.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(b"GET http://elsewhere.example/ HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_websocket_is_relayed_with_its_subprotocol_both_kinds_and_the_close_code(edge):
    address = edge.replace("http", "ws")
    with connect(address, subprotocols=["one", "two"]) as client:
        assert client.subprotocol == "two"
        client.send("text")
        assert client.recv() == "text"
        client.send(b"\x00bytes" * 20_000)
        assert client.recv() == b"\x00bytes" * 20_000
        client.send("close, please")
        with pytest.raises(ConnectionClosed) as closed:
            client.recv()
    assert closed.value.rcvd.code == 4321


@pytest.mark.parametrize(
    "own", [edgeauth.sign(SECRET, pop="LHR"), "let me in"], ids=["valid", "junk"]
)
def test_a_websocket_carries_only_the_credential_of_the_edge(edge, own):
    headers = [("Edge-Auth", own), ("edge-auth", own)]
    with connect(edge.replace("http", "ws"), additional_headers=headers) as client:
        client.send("text")
        assert client.recv() == "text"


def test_a_websocket_that_the_origin_refuses_is_refused(origin, tmp_path):
    with stand_in(tmp_path, origin.url, EDGEAUTH_SECRET="unknown to the origin") as edge:
        with pytest.raises(InvalidStatus) as refused, connect(edge.replace("http", "ws")):
            pass
        assert refused.value.response.status_code == 403


def test_a_browser_that_vanishes_while_it_is_sent_to_harms_nobody(origin, tmp_path):
    with stand_in(tmp_path, origin.url) as edge:
        with connect(edge.replace("http", "ws"), max_size=None) as client:
            client.send("a flood, please")
            client.recv()
            client.socket.shutdown(socket.SHUT_RDWR)
        assert httpx.get(edge).status_code == 200
    assert "Traceback" not in next(tmp_path.glob("edge-*.log")).read_text()


@pytest.mark.parametrize(
    "options",
    [
        ["--upstream", "ftp://127.0.0.1"],
        ["--upstream", "127.0.0.1:8000"],
        ["--upstream", "http://user@127.0.0.1:8000"],
        ["--upstream", "http://127.0.0.1:port"],
        ["--upstream", "http://127.0.0.1:8000/below"],
        ["--upstream", "http://127.0.0.1:8000", "--pop", "no such POP"],
    ],
    ids=str,
)
def test_a_wrong_option_ends_it_at_once(options):
    done = CliRunner().invoke(main, ["edge", *options], env={"EDGEAUTH_SECRET": SECRET})
    assert done.exit_code == 2, done.output


def test_a_missing_secret_ends_it_at_once():
    done = CliRunner().invoke(main, ["edge", "--upstream", "http://127.0.0.1:8000"])
    assert done.exit_code == 2
    assert "no secret" in done.output


def test_without_its_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    options = ["edge", "--upstream", "http://127.0.0.1:8000"]
    done = CliRunner().invoke(main, options, env={"EDGEAUTH_SECRET": SECRET})
    assert done.exit_code == 2
    assert "pip install 'edgeauth[edge]'" in done.output


# Nobody's addresses, so nothing is opened.
@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "nobody.invalid"])
def test_listening_elsewhere_than_on_loopback_says_what_that_means(host):
    options = ["edge", "--upstream", "http://127.0.0.1:8000", "--host", host]
    done = CliRunner().invoke(main, options, env={"EDGEAUTH_SECRET": SECRET})
    assert "everybody who reaches it can send requests" in done.output
    assert done.exit_code == 2
    assert "Error: cannot listen at" in done.output

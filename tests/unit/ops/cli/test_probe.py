"""``edgeauth probe``: what it prints and writes, and its exit status."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest
from support.canned import canned
from support.processes import HOST, free_port

SECRET = "a-secret-of-the-probe-tests"
FAST = ("--rate", "100")


@pytest.fixture
def refusing():
    """An origin that refuses everything, and the URL of a page there."""
    with canned(b"HTTP/1.1 403 Forbidden\r\n\r\n") as server:
        yield server, f"http://{HOST}:{server.port}/"


def test_without_the_secret_what_needs_it_is_not_tried(edgeauth, refusing):
    server, url = refusing
    result = edgeauth("probe", url, *FAST)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "PASS  403          no credential"
    assert "-     -            signed as by VCL" in lines
    assert lines[-1] == "29 pass, 0 fail, 15 not tried"
    assert len(server.heads) == 29


def test_an_origin_that_refuses_the_edge_fails_and_says_what_it_means(edgeauth, refusing):
    _, url = refusing
    result = edgeauth("probe", url, *FAST, env={"EDGEAUTH_SECRET": SECRET})
    assert result.exit_code == 1
    assert "FAIL  403          signed as by VCL\n      the edge itself is refused" in result.stdout
    assert SECRET not in result.output


def test_an_origin_without_a_gate_fails(edgeauth):
    with canned() as server:
        result = edgeauth("probe", f"http://{HOST}:{server.port}/", *FAST)
    assert result.exit_code == 1
    assert "FAIL  200          no credential\n      anybody who finds" in result.stdout


def test_json_and_junit_say_the_same(edgeauth, refusing, tmp_path):
    _, url = refusing
    env = {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_EXEMPT": "GET /healthz"}
    result = edgeauth("probe", url, *FAST, "--json", "--junit", "out.xml", env=env)
    told = json.loads(result.stdout)
    assert (told["url"], told["failed"], told["not_tried"]) == (url, 3, 1)
    assert told["passed"] == len(told["rows"]) - 4
    failed = [row for row in told["rows"] if row["outcome"] == "fail"]
    assert [row["id"] for row in failed] == ["exempt GET /healthz", "signed", "signed-base64"]
    assert set(failed[0]) == {"id", "title", "expected", "outcome", "answer", "meaning"}
    suite = ET.parse(tmp_path / "out.xml").getroot()  # noqa: S314 - written a moment ago
    assert suite.attrib["tests"] == str(len(told["rows"]))
    assert (suite.attrib["failures"], suite.attrib["skipped"]) == ("3", "1")
    assert [case.attrib["name"] for case in suite] == [row["title"] for row in told["rows"]]
    assert len(suite.findall("testcase/failure")) == 3
    assert suite.find("testcase/failure").attrib["message"] == "expected to be answered, got 403"
    assert len(suite.findall("testcase/skipped")) == 1


def test_what_an_origin_says_cannot_steer_a_terminal_or_break_the_xml(edgeauth, tmp_path):
    answer = b"HTTP/1.1 302 Found\r\nLocation: /\x1b[2J\x00<b>\xff\r\n\r\n"
    with canned(answer) as server:
        url = f"http://{HOST}:{server.port}/"
        result = edgeauth("probe", url, *FAST, "--junit", "out.xml")
    assert r"/\x1b[2J\x00<b>\xff" in result.stdout
    assert "\x1b" not in result.stdout
    suite = ET.parse(tmp_path / "out.xml").getroot()  # noqa: S314 - written a moment ago
    assert r"/\x1b[2J\x00<b>\xff" in suite.find("testcase/failure").text


def test_what_counts_as_a_refusal_is_an_option(edgeauth):
    with canned(b"HTTP/1.1 404 Not Found\r\n\r\n") as server:
        url = f"http://{HOST}:{server.port}/"
        assert edgeauth("probe", url, *FAST).exit_code == 1
        assert edgeauth("probe", url, *FAST, "--refused", "404,closed").exit_code == 0


def test_exempt_paths_and_websockets_of_the_options_are_tried(edgeauth, refusing):
    server, url = refusing
    edgeauth("probe", url, *FAST, "--exempt", "/up", "--exempt", "HEAD /up", "--websocket", "/ws")
    starts = [head.split(b" HTTP")[0] for head in server.heads]
    assert {b"GET /up", b"HEAD /up", b"GET /up/", b"GET /ws"} <= set(starts)


def test_a_shared_secret_is_not_sent(edgeauth, refusing):
    server, url = refusing
    env = {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_SCHEME": "shared-secret"}
    result = edgeauth("probe", url, *FAST, "--json", env=env)
    told = {row["meaning"] for row in json.loads(result.stdout)["rows"]}
    assert "the scheme is shared-secret, and a secret is not sent" in told
    assert SECRET.encode() not in b"".join(server.heads)


def test_where_nothing_answers_nothing_is_learnt(edgeauth):
    result = edgeauth("probe", f"http://{HOST}:{free_port()}/")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nothing was learnt" in result.stderr


@pytest.mark.parametrize(
    ("args", "env", "words"),
    [
        (("origin.example",), {}, "must be like https://"),
        (("http://a/", "--connect", "b"), {}, "--connect 'b'"),
        (("http://a/", "--exempt", "healthz"), {}, "'GET healthz'"),
        (("http://a/", "--exempt", "/a*"), {}, "'GET /a*'"),
        (("http://a/", "--websocket", "ws"), {}, "--websocket"),
        (("http://a/", "--refused", "200"), {}, "401,403,closed"),
        (("http://a/", "--rate", "1000"), {}, "--rate"),
        (("http://a/",), {"EDGEAUTH_SECRET": "short"}, "has 5 bytes"),
        (("http://a/",), {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_POPS": "!"}, "POP code"),
    ],
)
def test_wrong_usage_sends_nothing(edgeauth, args, env, words):
    result = edgeauth("probe", *args, env=env)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_junit_file_that_cannot_be_written_is_an_error(edgeauth, refusing):
    _, url = refusing
    result = edgeauth("probe", url, *FAST, "--junit", "missing/out.xml")
    assert result.exit_code == 2
    assert "--junit 'missing/out.xml' cannot be written" in result.stderr

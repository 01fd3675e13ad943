"""The Worker for Cloudflare, under workerd, in front of an origin that takes a signature once."""

from __future__ import annotations

import contextlib
from http.client import HTTPConnection
from pathlib import Path

import pytest
from support.odd_requests import odd_requests
from support.processes import HOST, wait_until
from support.signing_edges import (
    HMAC_KEY,
    CarriesWebSockets,
    SignsEachRequest,
    ask,
    lines,
    signed_origin,
    statuses,
)
from support.snippets import snippet
from support.workerd import example, workerd

PROGRAM = Path(__file__).parent / "workerd" / "main.mjs"


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    with signed_origin(tmp_path_factory.mktemp("origin")) as started:
        yield started


@pytest.fixture(scope="module", params=["hmac-sha256", "ed25519"])
def edge(request, origin, tmp_path_factory):
    """The example as it is."""
    secret = HMAC_KEY if request.param == "hmac-sha256" else origin.private_key
    with workerd(example(tmp_path_factory.mktemp("worker")), origin.at, secret) as started:
        yield started


class TestCloudflare(SignsEachRequest, CarriesWebSockets):
    """The example with the key in a secret."""


def test_head_is_sent_as_get_for_the_cache_does_so(edge, origin):
    answer = ask(edge.port, "HEAD", "/page")
    assert (answer.status, answer.body) == (200, b"")
    assert origin.last()["method"] == "GET"


def test_bodies_stream_both_ways_once_the_request_is_signed(edge):
    with contextlib.closing(HTTPConnection(HOST, edge.port, timeout=30)) as connection:
        connection.putrequest("POST", "/upload")
        connection.putheader("Content-Length", "200000")
        connection.endheaders(bytes(100_000))
        wait_until(lambda: int(ask(edge.port, "GET", "/seen").body) > 0)
        connection.send(bytes(100_000))
        assert connection.getresponse().read() == b"200000"
    with contextlib.closing(HTTPConnection(HOST, edge.port, timeout=30)) as connection:
        connection.request("GET", "/stream")
        answer = connection.getresponse()
        assert answer.read(5) == b"first"
        assert ask(edge.port, "GET", "/release").status == 200
        assert answer.read() == b"rest"


class TestOwnProgram:
    """A program of one's own: what else ``authenticated`` can do."""

    @pytest.fixture(scope="class")
    @classmethod
    def own(cls, origin, tmp_path_factory):
        modules = example(tmp_path_factory.mktemp("own"), PROGRAM)
        with workerd(modules, origin.at, HMAC_KEY) as started:
            yield started

    def test_each_attempt_is_signed_anew(self, own, origin):
        report = ask(own.port, "GET", "/retry").report
        assert len(lines(report, "x-attempt")) == 1
        [first] = lines(report, "x-first")
        assert first not in lines(report, "signature")

    def test_more_is_signed_where_the_program_says_so(self, own):
        report = ask(own.port, "GET", "/more", [("X-Odd", " a"), ("X-Odd", "b  c")]).report
        assert '"x-odd")' in lines(report, "signature-input")[0]

    def test_the_origin_accepts_a_thousand_odd_requests_whose_fields_are_signed(self, own):
        assert set(statuses(own, odd_requests(1000, 8, rare=False))) == {200}

    def test_a_host_that_a_rule_sets_later_is_signed(self, own, origin):
        # No rule here: the origin gets the Host of the URL, which was not signed.
        assert ask(own.port, "GET", "/host").status == 403
        assert origin.last()["reason"] == "bad-signature"


def test_a_snippet_under_other_names_reads_that_secret_and_signs_more(origin, tmp_path):
    settings = {"EDGEAUTH_COMPONENTS": "@method,@authority,@path,@query,x-odd"}
    settings |= {"EDGEAUTH_SCHEME": "message-signatures", "EDGEAUTH_TAG": "edge"}
    modules = example(tmp_path)
    printed = snippet("cloudflare", "--dictionary", "ORIGIN_KEY", **settings)
    (modules / "edgeauth.mjs").write_text(printed)
    with workerd(modules, origin.at, HMAC_KEY, binding="ORIGIN_KEY") as started:
        report = ask(started.port, "GET", "/", [("X-Odd", "a")]).report
    assert '"x-odd")' in lines(report, "signature-input")[0]


@pytest.mark.parametrize("secret", ["", "no id", "edge-ed25519: -----BEGIN PRIVATE KEY-----\nAAAA"])
def test_with_a_key_that_cannot_be_used_the_worker_says_so_and_the_origin_refuses(
    origin, tmp_path, secret
):
    own = [("Signature-Input", "junk"), ("Signature", "junk")]
    with workerd(example(tmp_path), origin.at, secret) as started:
        assert ask(started.port, "GET", "/unsigned", own).status == 403
    assert "not signed with EDGEAUTH_KEY: " in started.log.read_text()
    assert origin.last()["reason"] == "missing"

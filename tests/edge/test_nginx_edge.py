"""nginx as an edge of one's own: njs signs what it sends to the origin."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.nginx_edge import nginx_edge
from support.processes import HOST, wait_until
from support.signing_edges import (
    HMAC_KEY,
    Answer,
    CarriesWebSockets,
    SignsEachRequest,
    ask,
    dying,
    lines,
    signed_origin,
)


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    with signed_origin(tmp_path_factory.mktemp("origin")) as started:
        yield started


@pytest.fixture(scope="module")
def edge(origin, tmp_path_factory):
    with nginx_edge(tmp_path_factory.mktemp("nginx"), origin.at, HMAC_KEY) as started:
        yield started
    # Nothing was said of what is right.
    assert "edgeauth" not in started.log.read_text()


class TestNginxAsAnEdge(SignsEachRequest, CarriesWebSockets):
    """The shipped configuration with a key."""

    # nginx takes no path that leads out of the root, and no zero byte.
    odd = 1400
    own_refusals = (400,)


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 502)])
def test_a_further_attempt_is_signed_anew_and_made_where_nothing_is_changed(
    origin, tmp_path, method, status
):
    with dying() as (port, seen):
        # The first request of a worker goes to the first server.
        changed = {
            "worker_processes auto": "worker_processes 1",
            "upstream origin {": f"upstream origin {{ server {HOST}:{port} max_fails=0;",
        }
        with nginx_edge(tmp_path, origin.at, HMAC_KEY, changed) as edge:
            answer = ask(edge.port, method, "/again", body=b"")
    assert answer.status == status
    [first] = seen
    assert first.startswith(f"{method} /again ".encode())
    if status == 200:
        assert lines(answer.report, "signature")[0].encode() not in first


def test_what_is_kept_and_head_are_signed_as_they_are_sent(origin, tmp_path):
    with nginx_edge(tmp_path, origin.at, HMAC_KEY, caching(tmp_path)) as edge:
        answers = [ask(edge.port, method, "/kept") for method in ("HEAD", "GET", "GET")]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert answers[1] == answers[2]
    assert origin.asked_for("/kept") == 2


def test_of_requests_that_wait_for_one_another_one_leaves_signed(origin, tmp_path):
    with (
        nginx_edge(tmp_path, origin.at, HMAC_KEY, caching(tmp_path)) as edge,
        ThreadPoolExecutor() as pool,
    ):
        waiting = [pool.submit(ask, edge.port, "GET", "/stream") for _ in range(4)]
        wait_until(lambda: origin.asked_for("/stream") > 0)
        assert ask(edge.port, "GET", "/release").status == 200
        assert {one.result() for one in waiting} == {Answer(200, b"firstrest")}
    assert origin.asked_for("/stream") == 1


def caching(folder):
    """The lines of a cache, where the first of the upstream is."""
    cache = f"""proxy_cache_path {folder}/cache keys_zone=kept:1m;
        proxy_cache kept; proxy_cache_valid 200 1h; proxy_cache_lock on;
        proxy_ignore_headers Cache-Control;
        proxy_cache_convert_head off; proxy_cache_key $request_method$edgeauth_host$request_uri;
        upstream origin {{"""
    return {"upstream origin {": cache}


def test_what_nginx_rewrites_is_sent_and_signed_as_the_client_asked_for_it(origin, tmp_path):
    changed = {"location / {": "rewrite ^/old/(.*)$ /new/$1; location / {"}
    with nginx_edge(tmp_path, origin.at, HMAC_KEY, changed) as edge:
        assert ask(edge.port, "GET", "/old/a%2Fb?c").report["target"] == "/old/a%2Fb?c"


def test_a_field_is_signed_as_nginx_sends_it(origin, tmp_path):
    name = "$edgeauth_x_forwarded_for"
    changed = {
        "proxy_next_upstream off;": f"set {name} $remote_addr; "
        f"proxy_set_header X-Forwarded-For {name}; proxy_next_upstream off;",
    }
    script = {'"@query"]': '"@query", "x-forwarded-for"]'}
    with nginx_edge(tmp_path, origin.at, HMAC_KEY, changed, script) as edge:
        report = ask(edge.port, "GET", "/", [("X-Forwarded-For", "192.0.2.1")]).report
    assert '"x-forwarded-for")' in lines(report, "signature-input")[0]
    assert lines(report, "x-forwarded-for") == [HOST]


def test_a_reload_takes_another_key(origin, tmp_path):
    with nginx_edge(tmp_path, origin.at, "of-nobody:another secret of nobody") as edge:
        assert ask(edge.port, "GET", "/").status == 403
        assert origin.last()["reason"] == "bad-signature"
        (tmp_path / "key.json").write_text(json.dumps({"key": HMAC_KEY}))
        os.kill(int((tmp_path / "nginx.pid").read_text()), signal.SIGHUP)
        wait_until(lambda: ask(edge.port, "GET", "/").status == 200)


@pytest.mark.parametrize("key", ["", "no id", "edge-ed25519: -----BEGIN PRIVATE KEY-----\nAAAA"])
def test_with_a_key_that_cannot_be_used_nginx_says_so_and_the_origin_refuses(origin, tmp_path, key):
    own = [("Signature-Input", "junk"), ("Signature", "junk")]
    with nginx_edge(tmp_path, origin.at, key) as edge:
        assert ask(edge.port, "GET", "/unsigned", own).status == 403
    assert "edgeauth: not signed: " in edge.log.read_text()
    assert origin.last()["reason"] == "missing"

"""What each proxy tells of the original request, and what nobody is believed about."""

from __future__ import annotations

from typing import Any

import pytest

from edgeauth.service.original_request import KINDS, UNKNOWN, AskedRequest, Original, unbelieved


def scope(*fields: tuple[bytes, bytes], path: bytes = b"/", query: bytes = b"", method="GET"):
    asked: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"origin.example"), *fields],
    }
    return asked


ORIGINAL_FIELDS = (
    (b"x-original-method", b"PUT"),
    (b"x-original-uri", b"/a%20b?c"),
    (b"x-original-host", b"other.example"),
)
FORWARDED_FIELDS = (
    (b"x-forwarded-method", b"PUT"),
    (b"x-forwarded-uri", b"/a%20b?c"),
    (b"x-forwarded-host", b"other.example"),
)


@pytest.mark.parametrize(
    ("kind", "asked", "told"),
    [
        ("nginx", scope(*ORIGINAL_FIELDS), Original("PUT", b"/a%20b?c", b"origin.example")),
        ("haproxy", scope(*ORIGINAL_FIELDS), Original("PUT", b"/a%20b?c", b"other.example")),
        ("forward-auth", scope(*FORWARDED_FIELDS), Original("PUT", b"/a%20b?c", b"other.example")),
        (
            "envoy",
            scope(path=b"/edgeauth/a%20b", query=b"c", method="PUT"),
            Original("PUT", b"/a%20b?c", b"origin.example"),
        ),
        ("envoy", scope(path=b"/edgeauth/"), Original("GET", b"/", b"origin.example")),
    ],
)
def test_each_kind_of_proxy_is_read_in_its_way(kind: str, asked: dict[str, Any], told: Original):
    assert KINDS[kind].read(asked) == told


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        pytest.param("nginx", scope(*FORWARDED_FIELDS), id="the way of another"),
        pytest.param("forward-auth", scope(*ORIGINAL_FIELDS), id="the way of another, turned"),
        pytest.param("nginx", scope(ORIGINAL_FIELDS[0]), id="no path"),
        pytest.param("nginx", scope(ORIGINAL_FIELDS[1]), id="no method"),
        pytest.param("nginx", scope(*ORIGINAL_FIELDS, ORIGINAL_FIELDS[1]), id="two paths"),
        pytest.param("nginx", scope(*ORIGINAL_FIELDS, ORIGINAL_FIELDS[0]), id="two methods"),
        pytest.param("envoy", scope(path=b"/a"), id="no prefix"),
        pytest.param("envoy", scope(path=b"/edgeauth"), id="the prefix alone"),
        pytest.param("envoy", scope(path=b"/edgeauthx/a"), id="a longer word"),
        pytest.param("envoy", scope(*ORIGINAL_FIELDS), id="fields of others"),
    ],
)
def test_anything_else_is_unknown(kind: str, asked: dict[str, Any]):
    assert KINDS[kind].read(asked) == UNKNOWN


def test_who_is_not_believed_tells_nothing():
    request = AskedRequest(scope(*ORIGINAL_FIELDS), unbelieved)

    assert (request.method, request.path, request.target, request.host) == ("-", "", None, None)


def test_the_request_is_the_original_one_with_the_headers_and_peer_of_the_question():
    request = AskedRequest(scope(*ORIGINAL_FIELDS), KINDS["nginx"].read)

    assert (request.method, request.path, request.target) == ("PUT", "/a%20b", b"/a%20b?c")
    assert request.host == b"origin.example"
    assert request.header("Host") == [b"origin.example"]
    assert request.peer == "127.0.0.1"


def test_the_original_is_read_once_and_only_when_asked_for():
    reads = []

    def read(_scope):
        reads.append(1)
        return UNKNOWN

    request = AskedRequest(scope(), read)
    assert reads == []
    assert (request.method, request.path) == ("-", "")
    assert reads == [1]


def test_bytes_that_are_no_text_raise_nothing():
    asked = scope((b"x-original-method", b"\xff"), (b"x-original-uri", b"/\xff\xfe"))
    request = AskedRequest(asked, KINDS["nginx"].read)

    assert (request.method, request.path) == ("ÿ", "/ÿþ")


URL = b"x-original-url"
GET = (b"x-original-method", b"GET")


def ingress(*fields: tuple[bytes, bytes]) -> Original:
    return KINDS["ingress-nginx"].read(scope(*fields))


@pytest.mark.parametrize(
    ("url", "target", "host"),
    [
        (b"http://origin.example/healthz", b"/healthz", b"origin.example"),
        (b"https://origin.example:8443/a%20b?c=/d", b"/a%20b?c=/d", b"origin.example:8443"),
        (b"http://[2001:db8::1]:80/x", b"/x", b"[2001:db8::1]:80"),
        (b"http://a//healthz", b"//healthz", b"a"),
        (b"http:///healthz", b"/healthz", None),
        (b"http://a/x\xff\n", b"/x\xff\n", b"a"),
        (b"http://a/http://b/healthz", b"/http://b/healthz", b"a"),
    ],
)
def test_ingress_nginx_tells_a_whole_url(url: bytes, target: bytes, host: bytes | None):
    assert ingress(GET, (URL, url)) == Original("GET", target, host)
    assert ingress(GET, (URL, url), (b"x-auth-request-redirect", target)).target == target
    # An annotation may put a URL there.
    assert ingress(GET, (URL, url), (b"x-auth-request-redirect", b"http://b/c")).target == target


@pytest.mark.parametrize(
    "url",
    [
        *[b"http://a?/healthz", b"http://a#/healthz", b"http://a\\/healthz", b"http://u@a/healthz"],
        *[
            b"http://a b/healthz",
            b"http://[::1/healthz",
            b"http://a]/healthz",
            b"http://a:b/healthz",
        ],
        *[
            b"http://a:123456/healthz",
            b"http://a:/x",
            b"http://a%2f/healthz",
            b"http://a",
            b"http://a?x",
            b"",
            b"/x",
        ],
        *[b"//a/healthz", b"ftp://a/healthz", b"HTTP://a/healthz", b" http://a/healthz"],
        *[b"http://http://a/healthz", b"http://a\n/healthz", b"http://\xff/healthz"],
    ],
)
def test_a_url_whose_path_can_be_read_in_two_ways_is_unknown(url: bytes):
    assert ingress(GET, (URL, url)) == UNKNOWN


@pytest.mark.parametrize(
    "fields",
    [
        ((URL, b"http://a/x"),),
        (GET,),
        (GET, GET, (URL, b"http://a/x")),
        (GET, (URL, b"http://a/x"), (URL, b"http://a/x")),
        # A host with a slash in it, if nginx ever took one: the two then disagree.
        (GET, (URL, b"http://a/healthz?/secret"), (b"x-auth-request-redirect", b"/secret")),
        (*ORIGINAL_FIELDS,),
    ],
)
def test_half_of_what_ingress_nginx_tells_is_unknown(fields: tuple[tuple[bytes, bytes], ...]):
    assert ingress(*fields) == UNKNOWN


UPGRADE = (b"x-original-upgrade", b"websocket")
KEY = (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==")
VERSION = (b"sec-websocket-version", b"13")
TOLD = ((b"x-original-method", b"GET"), (b"x-original-uri", b"/ws"))


def handshake(*fields: tuple[bytes, bytes], told: Any = TOLD, **how: bool) -> bool | None:
    return AskedRequest(scope(*told, *fields), KINDS["nginx"].read, **how).handshake


def test_all_of_a_handshake_is_one():
    assert handshake(UPGRADE, KEY, VERSION) is True
    assert handshake((b"x-original-upgrade", b"WebSocket"), KEY, VERSION) is True
    assert handshake(UPGRADE, KEY, VERSION, (b"sec-websocket-protocol", b"chat")) is True


def test_nothing_of_a_handshake_is_none():
    assert handshake() is False
    assert handshake((b"x-original-upgrade", b"")) is False


@pytest.mark.parametrize(
    "fields",
    [
        (UPGRADE,),
        (KEY,),
        (VERSION,),
        (UPGRADE, KEY),
        (UPGRADE, VERSION),
        (KEY, VERSION),
        (UPGRADE, UPGRADE, KEY, VERSION),
        (UPGRADE, KEY, KEY, VERSION),
        (UPGRADE, KEY, VERSION, VERSION),
        ((b"x-original-upgrade", b"h2c"),),
        ((b"x-original-upgrade", b"h2c"), KEY, VERSION),
        ((b"x-original-upgrade", b"websocket, h2c"), KEY, VERSION),
    ],
)
def test_a_part_of_a_handshake_is_neither(fields: tuple[tuple[bytes, bytes], ...]):
    assert handshake(*fields) is None


def test_a_handshake_by_another_method_or_of_nobody_knows_what_is_neither():
    other = ((b"x-original-method", b"POST"), TOLD[1])

    assert handshake(UPGRADE, KEY, VERSION, told=other) is None
    assert handshake(UPGRADE, KEY, VERSION, told=()) is None


def test_of_a_proxy_that_may_hand_on_what_a_client_told_nothing_is_a_handshake():
    assert KINDS["ingress-nginx"].tells_upgrade is False
    assert handshake(UPGRADE, KEY, VERSION, tells_upgrade=False) is None
    assert handshake(UPGRADE, tells_upgrade=False) is None
    assert handshake(tells_upgrade=False) is False

"""What each proxy tells of the original request, and what nobody is believed about."""

from __future__ import annotations

from typing import Any

import pytest

from edgeauth.service.original import KINDS, UNKNOWN, AskedRequest, Original, unbelieved


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

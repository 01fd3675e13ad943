"""A request as somebody copied it."""

from __future__ import annotations

import pytest

from edgeauth.ops.schemes.request_lines import RequestLines

ONE = [("Edge-Auth",)]


def header_value(given: bytes, header: str) -> bytes:
    (value,) = RequestLines(given, [(header,)]).header(header)
    return value


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (b"v", b"v"),
        (b" v\t\r\n", b"v"),
        (b"Edge-Auth:v", b"v"),
        (b"EDGE-AUTH:  v  \r\n", b"v"),
        (b"Host: x\r\nEdge-Auth: v\r\nAccept: y\r\n\r\n", b"v"),
        (b"Edge-Auth: v\nedge-auth: w\n", b"v, w"),
        (b"Edge-Auth:\n", b""),
        (b"X-Edge-Auth: v", b"X-Edge-Auth: v"),
        (b"v\nw\n", b"v\nw"),
        (b"\xff\x00", b"\xff\x00"),
    ],
)
def test_a_value_a_line_or_a_whole_request_may_be_given(given, value):
    assert header_value(given, "Edge-Auth") == value


def test_a_field_with_a_longer_name_is_another_field():
    for given in (b"> X-Edge-Auth: v", b"x-edge-auth=v", b'"Edge-Auth-Pass": "v"'):
        assert header_value(given, "Edge-Auth") == given


def test_a_header_name_is_no_pattern():
    assert header_value(b"XxEdge: v", "X.Edge") == b"XxEdge: v"


@pytest.mark.parametrize("mark", [b"", b"> ", b">"])
def test_the_method_and_the_target_are_those_of_the_first_line(mark):
    given = mark + b"POST /a%20b?q=1 HTTP/1.1\r\n" + mark + b"Host: a.example\r\n\r\n"
    lines = RequestLines(given, ONE)
    assert (lines.method, lines.target, lines.path) == ("POST", b"/a%20b?q=1", "/a b")
    assert (lines.host, lines.query) == (b"a.example", b"q=1")
    assert lines.fields() == [(b"host", b"a.example")]


def test_without_a_first_line_it_is_a_get_of_the_root_and_no_target_is_known():
    lines = RequestLines(b"Edge-Auth: v", ONE)
    assert (lines.method, lines.target, lines.path, lines.host) == ("GET", None, "/", None)
    assert (lines.query, lines.scheme, lines.peer) == (None, None, None)


def test_every_field_of_a_message_is_there_in_order_and_apart():
    given = b"> GET / HTTP/1.1\r\n> A: 1\r\n> B:  2 \r\n> a: 3\r\n>\r\n* [a: 4]\r\nno field\r\n"
    assert RequestLines(given, ONE).fields() == [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]


def test_a_bare_value_is_of_each_scheme_with_one_field():
    schemes = [("Edge-Auth",), ("X-Key",), ("X-Data", "X-Sign")]
    lines = RequestLines(b"v", schemes)
    assert [lines.header(name) for names in schemes for name in names] == [(b"v",), (b"v",), (), ()]


def test_where_a_field_of_one_scheme_is_given_the_others_have_nothing():
    lines = RequestLines(b"X-Sign: v", [("Edge-Auth",), ("X-Data", "X-Sign")])
    assert lines.header("x-sign") == (b"v",)
    assert (lines.header("Edge-Auth"), lines.header("X-Data")) == ((), ())

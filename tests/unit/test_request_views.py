"""What each adapter lets the core see of a request, beside its fields by name."""

from __future__ import annotations

import pytest

from edgeauth.asgi import ScopeRequest, SplitRequest
from edgeauth.ops.schemes.request_lines import RequestLines
from edgeauth.schemes.base import Outgoing
from edgeauth.schemes.sent import SentRequest
from edgeauth.service.original_request import KINDS, AskedRequest, unbelieved
from edgeauth.wsgi import EnvironRequest

FIELDS = [(b"host", b"example.com"), (b"x-one", b"1"), (b"edge-auth", b"e"), (b"x-one", b"2")]


def scope(**changes):
    return {"type": "http", "method": "GET", "path": "/", "headers": FIELDS, **changes}


def environ(**changes):
    return {"REQUEST_METHOD": "GET", "PATH_INFO": "/", **changes}


def test_under_asgi_every_field_is_there_as_received_and_in_order():
    assert ScopeRequest(scope()).fields() == FIELDS


def test_a_view_whose_fields_were_split_has_them_all_too():
    split = SplitRequest(scope(), {"Edge-Auth": b"edge-auth"}, [(b"edge-auth", b"e")])
    assert split.fields() == FIELDS


def test_under_wsgi_it_is_not_known_how_fields_were_sent_but_behind_a_bridge_from_asgi():
    assert EnvironRequest(environ()).fields() is None
    assert EnvironRequest(environ(**{"asgi.scope": scope()})).fields() == FIELDS


AMZ = [(b"x-amz-date", b"1"), (b"x_amz-id", b"2"), (b"x-amz_id", b"3"), (b"x-amz-date", b"4")]
OTHERS = [(b"host", b"h"), (b"x-am", b"5"), (b"ax-amz-date", b"6")]


def test_fields_that_begin_alike_are_found_with_those_that_somebody_may_fold_into_them():
    asked = scope(headers=[*OTHERS, *AMZ])
    views = [ScopeRequest(asked), SplitRequest(asked, {}, [])]
    for view in (*views, EnvironRequest(environ(**{"asgi.scope": asked}))):
        assert view.fields_beginning(b"x-amz-") == AMZ


def test_under_wsgi_the_fields_that_begin_alike_have_the_names_that_were_folded():
    asked = environ(HTTP_X_AMZ_DATE="\xff", HTTP_X_AMZ_ID="2", HTTP_X_AM="5", X_AMZ_DATE="6")
    found = EnvironRequest(asked).fields_beginning(b"x-amz-")
    assert found == [(b"x-amz-date", b"\xff"), (b"x-amz-id", b"2")]


def test_an_application_compares_a_body_and_the_decision_service_sees_none():
    assert ScopeRequest(scope()).compares_body is True
    assert EnvironRequest(environ()).compares_body is True
    assert AskedRequest(scope(), unbelieved).compares_body is False


@pytest.mark.parametrize(
    ("made", "seen"), [("https", "https"), ("http", "http"), ("wss", "https"), ("ws", "http")]
)
def test_under_asgi_the_scheme_is_that_of_the_connection_for_websockets_too(made, seen):
    assert ScopeRequest(scope(scheme=made)).scheme == seen


def test_a_scheme_that_nobody_tells_is_none():
    assert ScopeRequest(scope()).scheme is None
    assert EnvironRequest(environ()).scheme is None
    assert AskedRequest(scope(scheme="http"), unbelieved).scheme is None


def test_under_wsgi_the_scheme_is_that_of_the_server():
    assert EnvironRequest(environ(**{"wsgi.url_scheme": "https"})).scheme == "https"


def test_the_query_is_as_received():
    assert ScopeRequest(scope(query_string=b"a=%2f&b")).query == b"a=%2f&b"
    assert ScopeRequest(scope()).query == b""
    assert EnvironRequest(environ(QUERY_STRING="a=\xc3")).query == b"a=\xc3"
    assert EnvironRequest(environ()).query == b""


@pytest.mark.parametrize(
    ("target", "query"), [(b"/a?b=c?d", b"b=c?d"), (b"/a?", b""), (b"/a", b""), (None, None)]
)
def test_the_query_that_a_proxy_asks_about_is_that_of_the_original_request(target, query):
    told = [] if target is None else [(b"x-original-method", b"GET"), (b"x-original-uri", target)]
    asked = AskedRequest(scope(headers=told, query_string=b"x"), KINDS["nginx"].read)
    assert asked.query == query


@pytest.mark.parametrize("name", ["Content-Type", "content-length"])
def test_the_two_fields_that_wsgi_names_otherwise_are_found_by_their_names(name):
    key = name.upper().replace("-", "_")
    assert EnvironRequest(environ(**{key: "7"})).header(name) == (b"7",)
    assert EnvironRequest(environ(**{key: ""})).header(name) == ()
    assert EnvironRequest(environ(**{f"HTTP_{key}": "8"})).header(name) == ()


def test_under_wsgi_they_are_as_the_server_folded_them():
    view = EnvironRequest(
        environ(HTTP_X_AMZ_DATE="d,e", HTTP_X_AMZ_META_A="\xe9", HTTP_X_AMZN="t", HTTP_X_ONE="1")
    )
    assert view.fields_beginning(b"x-amz-") == [
        (b"x-amz-date", b"d,e"),
        (b"x-amz-meta-a", b"\xe9"),
    ]


def test_fields_that_are_sent_or_copied_are_found_in_the_same_way():
    outgoing = Outgoing("GET", "a", "/", [("X-Amz-A", "1"), ("X-B", "2")])
    assert SentRequest(outgoing).fields_beginning(b"x-amz-") == [(b"x-amz-a", b"1")]
    lines = RequestLines(b"GET / HTTP/1.1\r\n> X-Amz-A: 1\r\n-H 'x-amz-b: 2'\r\n", [("x-b",)])
    assert lines.fields_beginning(b"x-amz-") == [(b"x-amz-a", b"1"), (b"x-amz-b", b"2")]


def test_all_views_compare_bodies_but_the_one_of_the_service():
    assert ScopeRequest(scope()).compares_body
    assert EnvironRequest(environ()).compares_body
    assert not AskedRequest(scope(), unbelieved).compares_body

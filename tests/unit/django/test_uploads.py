"""What the Django middleware does with the body of a request that it refuses."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from support.uploads import uploading

from edgeauth.body import MOST
from edgeauth.django.middleware import EdgeAuthMiddleware


def deny(environ):
    request = RequestFactory().post("/")
    request.META.update(environ)
    request = type(request)(request.META)
    return EdgeAuthMiddleware(lambda _request: HttpResponse("page"))(request)


def test_a_body_is_dropped_before_the_denial():
    with uploading(b"12345NEXT", CONTENT_LENGTH="5") as (environ, _):
        assert list(deny(environ)) == [b"Forbidden\n"]
        assert environ["wsgi.input"].read(4) == b"NEXT"


@pytest.mark.parametrize(
    "framing", [{"CONTENT_LENGTH": str(MOST + 1)}, {"HTTP_TRANSFER_ENCODING": "chunked"}]
)
def test_the_last_byte_waits_for_a_body_that_is_not_at_its_end(framing):
    with uploading(b"x" * 1000, **framing) as (environ, client):
        response = deny(environ)
        assert response.content == b"Forbidden\n"
        assert list(response) == [b"Forbidden", b"\n"]
        assert client.recv(1) == b""


def test_a_request_without_a_body_is_denied_as_ever():
    assert list(deny({})) == [b"Forbidden\n"]


def test_a_server_that_closes_after_an_unread_body_says_so():
    stream = type(
        "WSGIBody", (), {"__module__": "granian._granian", "read": None, "readline": None}
    )()
    response = deny({"CONTENT_LENGTH": "5", "wsgi.input": stream})
    assert response.headers["Connection"] == "close"
    assert list(response) == [b"Forbidden", b"\n"]


def test_of_a_body_that_was_read_in_part_the_rest_is_dropped_and_nothing_after_it():
    with uploading(b"12345NEXT", CONTENT_LENGTH="5") as (environ, _):
        request = RequestFactory().post("/")
        request.META.update(environ)
        request = type(request)(request.META)
        assert request.read(2) == b"12"
        assert list(EdgeAuthMiddleware(None)(request)) == [b"Forbidden\n"]
        assert environ["wsgi.input"].read(4) == b"NEXT"

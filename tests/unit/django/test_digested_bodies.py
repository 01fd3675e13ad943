"""A Django view does not read another body than was signed to its end."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from support.uploads import uploading

from edgeauth import EdgeIdentity, Guard
from edgeauth.django.middleware import EdgeAuthMiddleware
from edgeauth.django.wsgi import guarded
from edgeauth.verdict import BodyDigest

BODY = b"pay=100"
FORGED = b"pay=999"
DENIED = b"Forbidden\n"


class Signing:
    """A scheme of somebody's, which vouches for a body."""

    kind = "signing"
    headers = ()

    def __init__(self, body):
        self._digest = BodyDigest("sha256", hashlib.sha256(body).digest())

    def verify(self, _request, *, now):
        return EdgeIdentity(int(now), None, "k", scheme=self.kind, body=self._digest)


@pytest.fixture(params=["sync", "async"])
def ask(request, monkeypatch):
    """What a view answers behind a gate that asks for *signed*; *before* gets the request first."""

    def through(view, body, *, signed=BODY, before=lambda _request: None, **options):
        guard = Guard(Signing(signed), **options)
        monkeypatch.setattr("edgeauth.django.middleware.project_guard", lambda: guard)
        factory = {"sync": RequestFactory, "async": AsyncRequestFactory}[request.param]()
        kind = "application/x-www-form-urlencoded"
        asked = factory.post("/pay", data=body, content_type=kind)
        before(asked)
        if request.param == "sync":
            return EdgeAuthMiddleware(view)(asked)

        async def awaited(asked):
            return view(asked)

        async def answered():
            return await EdgeAuthMiddleware(awaited)(asked)

        return asyncio.run(answered())

    return through


def reading(request):
    try:
        return HttpResponse(request.body)
    except OSError:
        return HttpResponse("an error", status=500)


def never(_request):
    raise AssertionError


def test_a_view_reads_the_body_that_was_signed_alone(ask, caplog):
    assert ask(reading, BODY).content == BODY
    assert ask(lambda request: HttpResponse(request.POST["pay"]), BODY).content == b"100"
    assert caplog.messages == []
    assert (ask(reading, FORGED).status_code, ask(reading, FORGED).content) == (403, DENIED)
    assert "reason='body'" in caplog.messages[0]
    assert ask(reading, FORGED, mode="report-only").content == FORGED


def test_a_body_that_cannot_come_is_compared_at_once(ask):
    assert ask(never, b"").content == DENIED
    assert ask(reading, b"", signed=b"").content == b""


def of_http_2(request):
    """Takes the length away, which a body needs not there."""
    del request.META["CONTENT_LENGTH"]
    if hasattr(request, "scope"):
        fields = [field for field in request.scope["headers"] if field[0] != b"content-length"]
        request.scope |= {"http_version": "2", "headers": fields}
    else:
        request.META["SERVER_PROTOCOL"] = "HTTP/2.0"


def test_a_body_that_may_come_without_a_length_is_waited_for(ask):
    assert ask(reading, BODY, before=of_http_2).content == BODY
    assert ask(reading, FORGED, before=of_http_2).content == DENIED


def test_what_was_read_before_is_compared_at_once(ask):
    assert ask(never, FORGED, before=lambda request: request.POST).content == DENIED
    assert ask(reading, BODY, before=lambda request: request.POST).content == BODY


def test_what_was_read_in_part_before_cannot_be_compared(ask, caplog):
    assert ask(never, BODY, before=lambda request: request.read(3)).content == DENIED
    assert "was read before the gate" in caplog.text
    assert "first in MIDDLEWARE" in caplog.text
    answer = ask(
        lambda request: HttpResponse(request.read()),
        BODY,
        mode="report-only",
        before=lambda request: request.read(3),
    )
    assert answer.content == BODY[3:]


async def areading(request):
    return reading(request)


@pytest.mark.parametrize("view", [reading, areading])
def test_a_body_that_was_read_to_its_end_is_not_dropped_again(monkeypatch, view):
    guard = Guard(Signing(BODY))
    monkeypatch.setattr("edgeauth.django.middleware.project_guard", lambda: guard)
    with uploading(FORGED, CONTENT_LENGTH="7") as (environ, _):
        request = RequestFactory().post("/pay")
        request.META.update(environ)
        answer = EdgeAuthMiddleware(view)(type(request)(request.META))
        if view is areading:
            answer = asyncio.run(result_of(answer))
        assert list(answer) == [DENIED]


async def result_of(awaitable):
    return await awaitable


def test_a_view_that_reads_nothing_is_let_be(ask):
    assert ask(lambda _request: HttpResponse("page"), FORGED).content == b"page"


def test_the_gate_around_the_application_lets_it_have_no_chunks():
    assert guarded(never).reads_chunks is False


@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
def test_inside_of_another_gate_a_body_is_not_compared_again(monkeypatch, factory):
    guard = Guard(Signing(BODY))
    monkeypatch.setattr("edgeauth.django.middleware.project_guard", lambda: guard)
    compared, new = [], hashlib.new
    monkeypatch.setattr(hashlib, "new", lambda *args: compared.append(args) or new(*args))
    asked = factory().post("/pay", data=BODY, content_type="text/plain")

    assert EdgeAuthMiddleware(EdgeAuthMiddleware(reading))(asked).content == BODY
    assert compared == [("sha256",)]

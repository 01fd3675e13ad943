"""A replay store behind the middleware: awaited where the views are, asked where they are not."""

from __future__ import annotations

import asyncio

import pytest
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from support.signed_requests import SECRET

from edgeauth import Key
from edgeauth.django.middleware import EdgeAuthMiddleware
from edgeauth.replay.sqlite import SQLiteReplayStore
from edgeauth.schemes.message_signatures import MessageSigner


@pytest.fixture
def asked(project, tmp_path, monkeypatch):
    """By which way the store of the project was asked."""
    project(
        EDGEAUTH={
            "scheme": "message-signatures",
            "secret": SECRET,
            "replay": f"sqlite:{tmp_path}/seen.db",
            "exempt": ["GET /healthz"],
        }
    )
    ways = []
    for way in ("remember", "aremember"):
        real = getattr(SQLiteReplayStore, way)

        def noted(store, *args, way=way, real=real, **options):
            ways.append(way)
            return real(store, *args, **options)

        monkeypatch.setattr(SQLiteReplayStore, way, noted)
    return ways


def signed(path="/"):
    return MessageSigner(Key("default", SECRET)).sign("GET", path, "testserver")


def by_asgi(path="/", fields=None):
    request = AsyncRequestFactory().get(path, headers=fields or {})
    request.scope["raw_path"] = path.encode()
    return request


def by_wsgi(path="/", fields=None):
    return RequestFactory().get(path, headers=fields or {}, HTTP_HOST="testserver", RAW_URI=path)


def awaited(request):
    async def view(request):
        return HttpResponse(" ".join(sorted(request.edgeauth.identity.covers)))

    async def drive():
        return await EdgeAuthMiddleware(view)(request)

    return asyncio.run(drive())


def direct(request):
    return EdgeAuthMiddleware(
        lambda request: HttpResponse(" ".join(sorted(request.edgeauth.identity.covers)))
    )(request)


@pytest.mark.parametrize(
    ("make", "answer", "way"),
    [
        (by_asgi, awaited, "aremember"),
        (by_asgi, direct, "remember"),
        (by_wsgi, direct, "remember"),
    ],
)
def test_the_store_is_awaited_where_the_views_are(asked, make, answer, way):
    fields = signed()

    first, second = (answer(make(fields=fields)) for _ in "12")

    assert (first.status_code, second.status_code) == (200, 403)
    assert b"once" in first.content.split()
    assert (second.content, second.headers["Cache-Control"]) == (b"Forbidden\n", "no-store")
    assert asked == [way, way]


@pytest.mark.parametrize(("make", "answer"), [(by_asgi, awaited), (by_wsgi, direct)])
def test_a_request_that_is_not_signed_is_denied_and_the_store_is_not_asked(asked, make, answer):
    assert answer(make()).status_code == 403
    assert asked == []


@pytest.mark.parametrize(("make", "answer"), [(by_asgi, awaited), (by_wsgi, direct)])
def test_the_credential_is_gone_when_the_view_runs(asked, make, answer):
    request = make(fields=signed())

    assert answer(request).status_code == 200
    assert "Signature" not in request.headers
    assert "HTTP_SIGNATURE_INPUT" not in request.META
    assert len(asked) == 1

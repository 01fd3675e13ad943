"""A sync view, an async one, and the health check."""

from django.http import HttpRequest, HttpResponse

from example_apps.page import page


def index(request: HttpRequest) -> HttpResponse:
    identity = request.edgeauth.identity  # type: ignore[attr-defined]
    return HttpResponse(page("Django, sync view", identity))


async def index_async(request: HttpRequest) -> HttpResponse:
    identity = request.edgeauth.identity  # type: ignore[attr-defined]
    return HttpResponse(page("Django, async view", identity))


def healthz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")

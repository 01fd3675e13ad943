"""A Django site behind the gate of each kind, by ASGI and by WSGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test.utils import override_settings
from django.urls import re_path

from differential.kinds.table import SAW
from differential.kinds.telling import HANDED, told, variables

if TYPE_CHECKING:
    from django.http import HttpRequest

settings.configure(
    SECRET_KEY="not-a-secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["edgeauth.django.middleware.EdgeAuthMiddleware"],
)


def page(request: HttpRequest) -> HttpResponse:
    scope = getattr(request, "scope", None)
    handed = (request.META if scope is None else scope)[HANDED]
    body: bytes | None
    try:
        body = request.body
    except OSError:
        body = None
    return HttpResponse("in", headers={SAW: told(handed, variables(request.META), body)})


urlpatterns = [re_path(r"", page)]


def asgi(given: dict[str, Any]) -> Any:
    """The site behind a gate with these settings."""
    with override_settings(EDGEAUTH=given):
        return get_asgi_application()


def wsgi(given: dict[str, Any]) -> Any:
    """The site behind a gate with these settings."""
    with override_settings(EDGEAUTH=given):
        return get_wsgi_application()

"""A Django site behind each gate, by ASGI and by WSGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test.utils import override_settings
from django.urls import include, re_path

from differential.routes.table import PAGES, SAW, SUB, SUB_NAME, is_handshake, saw

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from differential.routes.table import Gate

settings.configure(
    SECRET_KEY="not-a-secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["edgeauth.django.middleware.EdgeAuthMiddleware"],
)


def _view(name: str) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        fields = [(field.lower(), value) for field, value in request.headers.items()]
        # What the server was asked by: Django makes capitals of a method.
        told = saw(request.META["REQUEST_METHOD"], name, handshake=is_handshake(fields))
        return HttpResponse(f"{SAW}: {told}\n", headers={SAW: told})

    return view


def _patterns(before: str = "") -> list[Any]:
    return [re_path(f"^{path[1:]}\\Z", _view(before + name)) for path, name in PAGES.items()]


urlpatterns = [
    re_path(f"^{SUB[1:]}/", include(_patterns(SUB_NAME))),
    *_patterns(),
    re_path(r"", _view("any")),
]


def asgi(gate: Gate) -> Any:
    """The site behind *gate*."""
    with override_settings(EDGEAUTH=gate.settings):
        return get_asgi_application()


def wsgi(gate: Gate) -> Any:
    """The site behind *gate*."""
    with override_settings(EDGEAUTH=gate.settings):
        return get_wsgi_application()

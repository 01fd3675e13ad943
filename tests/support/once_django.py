"""A Django site behind the gate, with a guard of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import re_path

from support.once_apps import told

if TYPE_CHECKING:
    from django.http import HttpRequest

SECRET_KEY = "not-a-secret"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["edgeauth.django"]
MIDDLEWARE = ["edgeauth.django.middleware.EdgeAuthMiddleware"]
ROOT_URLCONF = __name__


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(told(request.edgeauth))  # type: ignore[attr-defined]


urlpatterns = [re_path(r"", page)]

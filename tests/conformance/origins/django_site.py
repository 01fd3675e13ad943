"""The settings, the one view and both entry points of a Django site behind the gate."""

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.urls import re_path
from support.vectors import PASS_SECRET, SECRET

from conformance.origins.sight import sight

SECRET_KEY = "not-a-secret"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["edgeauth.django"]
MIDDLEWARE = ["conformance.origins.django_gate.Gate"]
# The pass's secret, so that the middleware removes that header too, as for JudgedGuard.
EDGEAUTH = {"secret": SECRET, "pass_secret": PASS_SECRET}
ROOT_URLCONF = __name__


def tell(request: HttpRequest) -> HttpResponse:
    names = [name for name in request.META if name.startswith("HTTP_")] + list(request.headers)
    if isinstance(request, ASGIRequest):
        names += [name.decode("latin-1") for name, _ in request.scope["headers"]]
    body = sight(request.edgeauth, request.path, names)
    return HttpResponse(body, content_type="application/json")


urlpatterns = [re_path(r"", tell)]

"""A Django site behind the gate: its settings, its one view, and what a server runs."""

import os

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

from rotation.answer import answer

SECRET_KEY = "not-a-secret"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["edgeauth.django"]
MIDDLEWARE = ["edgeauth.django.middleware.EdgeAuthMiddleware"]
ROOT_URLCONF = __name__

urlpatterns = [path("", lambda request: HttpResponse(answer(request.edgeauth)))]


def app():
    os.environ["DJANGO_SETTINGS_MODULE"] = __name__
    return get_wsgi_application()

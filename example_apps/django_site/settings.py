"""Settings of a Django site that answers its edge and nobody else."""

import os

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "for this example only; nothing is signed with it")
ALLOWED_HOSTS = ["*"]  # the edge decides which hosts it forwards
ROOT_URLCONF = "example_apps.django_site.urls"

INSTALLED_APPS = ["edgeauth.django"]
MIDDLEWARE = [
    "edgeauth.django.middleware.EdgeAuthMiddleware",
    "django.middleware.common.CommonMiddleware",
]

EDGEAUTH = {
    "secret": os.environ["EDGEAUTH_SECRET"],
    "exempt": ["GET /healthz"],
}

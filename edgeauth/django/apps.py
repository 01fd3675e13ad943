"""The Django app, which registers the system checks."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from edgeauth.django import checks


class EdgeAuthConfig(AppConfig):
    """``INSTALLED_APPS = ["edgeauth.django", ...]``."""

    name = "edgeauth.django"
    label = "edgeauth"
    verbose_name = "Edge authentication"

    def ready(self) -> None:
        register(checks.check_settings, Tags.security)
        register(checks.check_middleware, Tags.security)
        register(checks.check_application, Tags.security)
        register(checks.check_deployment, Tags.security, deploy=True)

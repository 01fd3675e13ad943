"""A Django app of daphne's name, without its server."""

from __future__ import annotations

from django.apps import AppConfig


class Named(AppConfig):
    """What ``apps.is_installed("daphne")`` finds."""

    name = "daphne"

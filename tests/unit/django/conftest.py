"""One Django project for all tests of this folder."""

from __future__ import annotations

import django
import pytest
from django.conf import settings
from django.test import override_settings
from support.vectors import SECRET

from edgeauth.django import conf

GATE = "edgeauth.django.middleware.EdgeAuthMiddleware"

settings.configure(
    ALLOWED_HOSTS=["testserver"],
    INSTALLED_APPS=["edgeauth.django"],
    MIDDLEWARE=[GATE],
    ROOT_URLCONF="support.django_urls",
    SECRET_KEY="of these tests",
    EDGEAUTH={"secret": SECRET, "exempt": ["GET /healthz"]},
)
django.setup()


@pytest.fixture(autouse=True)
def _no_guard_of_another_test():
    """A guard leaves out lines of the log after the first few, and outlives its test in circles."""
    conf._guards.clear()


@pytest.fixture
def project():
    """Changes settings of the project until the test ends."""
    active = []

    def change(**changes):
        override = override_settings(**changes)
        override.enable()
        active.append(override)

    yield change
    for override in reversed(active):
        override.disable()

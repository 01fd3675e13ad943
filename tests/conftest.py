"""What holds for every test."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# Assertions in shared files explain themselves as those in tests do.
pytest.register_assert_rewrite("conformance", "support")

# Machines that run tests are shared and noisy: no test depends on how long it took.
settings.register_profile(
    "edgeauth", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("edgeauth")


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch):
    """Settings come from the test alone."""
    for name in list(os.environ):
        if name.startswith("EDGEAUTH_"):
            monkeypatch.delenv(name)

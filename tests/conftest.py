"""What holds for every test."""

from __future__ import annotations

import logging
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


# Two minutes in one file, which is run by one process: who began it last would end with it alone.
_FIRST = "test_command_line_page.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name != _FIRST)


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch):
    """Settings come from the test alone."""
    for name in list(os.environ):
        if name.startswith("EDGEAUTH_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_logging_of_another_test():
    """What a test, or an app that it starts, does to the logger is undone."""
    logger = logging.getLogger("edgeauth")
    before = (logger.level, logger.handlers[:], logger.filters[:], logger.propagate)
    yield
    logger.setLevel(before[0])
    logger.handlers[:], logger.filters[:] = before[1:3]
    logger.propagate, logger.disabled = before[3], False

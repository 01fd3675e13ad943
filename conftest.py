"""Runs the Python in the documentation, as a reader would type it."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

if TYPE_CHECKING:
    import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Only the processes of the tests are measured, not those that they start: it costs."""
    if hasattr(config, "workerinput"):
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


def _give_a_secret(_: object) -> None:
    os.environ["EDGEAUTH_SECRET"] = "a-secret-of-the-documentation"


def _take_it_back(_: object) -> None:
    del os.environ["EDGEAUTH_SECRET"]
    # What a page does to the log is undone, as after a test.
    logger = logging.getLogger("edgeauth")
    logger.setLevel(logging.NOTSET)
    logger.handlers.clear()
    logger.propagate = True


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    setup=_give_a_secret,
    teardown=_take_it_back,
).pytest()

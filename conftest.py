"""Runs the Python in the documentation, as a reader would type it."""

from __future__ import annotations

import os

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser


def _give_a_secret(_: object) -> None:
    os.environ["EDGEAUTH_SECRET"] = "a-secret-of-the-documentation"


def _take_it_back(_: object) -> None:
    del os.environ["EDGEAUTH_SECRET"]


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md"],
    setup=_give_a_secret,
    teardown=_take_it_back,
).pytest()

"""Programs that a test needs and a machine may lack."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def missing(how: str) -> NoReturn:
    """End the test for want of a program: skipped, or failed where CI is true.

    Args:
        how: what is missing and how to get it.
    """
    if os.environ.get("CI") == "true":
        pytest.fail(how)
    pytest.skip(how)


def program(name: str, *, package: str | None = None) -> str:
    """The path of *name*; without it the test is :func:`missing` it.

    Args:
        name: the program.
        package: the Debian package that has it, if it is called otherwise.
    """
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed: apt-get install {package or name}")
    return path

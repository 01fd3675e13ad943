"""Programs that a test needs and a machine may lack."""

from __future__ import annotations

import os
import shutil

import pytest


def program(name: str, *, package: str | None = None) -> str:
    """The path of *name*; without it the test is skipped, or fails where CI is true.

    Args:
        name: the program.
        package: the Debian package that has it, if it is called otherwise.
    """
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not installed: apt-get install {package or name}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path

"""The site, built once for all processes of a run, as ``make docs`` builds it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built site."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    built = folder / "site"
    with (folder / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (built / "objects.inv").exists():
            strict = ("--fail-on-warning", "--keep-going", "--nitpicky")
            done = subprocess.run(
                [sys.executable, "-m", "sphinx", "--quiet", *strict, ROOT / "docs", built],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
    return built

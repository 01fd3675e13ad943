"""Runs a matrix in a process of its own, in which a hole may be planted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]


def run_of(module: str, *arguments: str, planted: str | None) -> subprocess.CompletedProcess[str]:
    """What ``python -m module`` says to *arguments*, where the hole *planted* is."""
    environ = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.run(
        [sys.executable, "-m", module, "--seed", "5", *arguments],
        env=environ if planted is None else {**environ, "MATRIX_PLANTED": planted},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )

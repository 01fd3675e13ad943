"""The command with its standard error on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys


def stderr_on_a_terminal(*args: object, **variables: str) -> str:
    """What ``edgeauth`` with *args* shows there; the rest of its output goes nowhere."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeauth", *map(str, args)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **variables},
    )
    os.close(theirs)
    shown = b""
    try:
        while some := os.read(ours, 65536):
            shown += some
    except OSError:  # the terminal is gone with the process
        pass
    os.close(ours)
    process.wait()
    return shown.decode()

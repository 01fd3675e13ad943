"""A guarded origin on a real socket, for a simulated edge to send its requests to."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from support.processes import HOST, Listening, free_port, running
from support.vectors import SECRET

_APP = Path(__file__).parents[1] / "edge"


@contextlib.contextmanager
def origin_with(folder: Path, **settings: str):
    """The example origin with EDGEAUTH_* *settings* beside the secret of the vectors."""
    port = free_port()
    log = folder / f"origin-{port}.log"
    env = {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_STRIP_HEADER": "false", **settings}
    argv = [sys.executable, "-m", "uvicorn", "--app-dir", _APP, "origin:app"]
    with running([*argv, "--port", str(port)], address=(HOST, port), log=log, env=env):
        yield Listening(port, log)

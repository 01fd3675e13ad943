"""The route matrix sees holes; ``make differential`` runs it on servers that have none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from differential.matrix import run_of

if TYPE_CHECKING:
    import subprocess


def asked(*arguments: str, planted: str | None = None) -> subprocess.CompletedProcess[str]:
    """A run of the matrix, in servers with the hole *planted*."""
    return run_of("differential.routes.run", *arguments, planted=planted)


@pytest.mark.parametrize(
    ("planted", "server"),
    [
        ("mount points from anybody", "daphne"),
        ("methods that are handshakes", "waitress"),
        ("handshakes that are pages", "tornado"),
        ("paths without their end", "wsgiref"),
        ("underscores that are dashes", "granian"),
    ],
)
def test_a_planted_hole_is_found_shown_and_kept(planted, server):
    run = asked("--cases", "700", "--server", server, planted=planted)

    assert run.returncode == 1, run.stdout
    assert " unsigned" in run.stdout or "which is exempt for" in run.stdout
    lines = [line.strip() for line in run.stdout.splitlines()]
    kept = next(line for line in lines if ".fuzz/differential/route-5" in line)
    assert lines[lines.index(kept) + 1] == repr(Path(kept).read_bytes())


@pytest.mark.parametrize(
    ("server", "asking", "hole"),
    [
        ("wsgiref", b"WEBSOCKET /live", "methods that are handshakes"),
        ("gunicorn-sync", b"GET /status/admin", "mount points from anybody"),
    ],
)
def test_a_kept_request_is_sent_again(server, asking, hole, tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(
        asking + b" HTTP/1.1\r\nHost: origin.example\r\nRoute-Gate: flask/plain\r\n"
        b"Connection: close\r\nSCRIPT_NAME: /status\r\n\r\n"
    )
    again = ("--server", server, str(kept))

    assert asked(*again).returncode == 0
    assert asked(*again, planted=hole).returncode == 1

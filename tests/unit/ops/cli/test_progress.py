"""Where a command takes long, a terminal shows how far it is; nothing else is told."""

from __future__ import annotations

import json

import pytest
from support.canned import canned
from support.processes import HOST
from support.terminals import stderr_on_a_terminal

from edgeauth.ops.cli.progress import progress

SECRET = "9bd1c6f0a7e84e25b3f7c1d09e5a4826"
REFUSES = b"HTTP/1.1 403 Forbidden\r\n\r\n"


def metrics(requests: int) -> bytes:
    """An answer of the service in which the key "new" has so many requests."""
    line = (
        f'edgeauth_verified_total{{scheme="edge-auth",key="new",pop="LHR"}} {requests}\n'.encode()
    )
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(line), line)


def test_the_probe_has_a_bar_where_its_rows_are_not_seen():
    with canned(REFUSES) as server:
        url = f"http://{HOST}:{server.port}/"
        slow = stderr_on_a_terminal("probe", url, "--rate", "20")
        fast = stderr_on_a_terminal("probe", url, "--rate", "100")
    assert "100%" in slow
    assert fast == ""


def test_who_watches_the_metrics_sees_for_how_long(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"old:{SECRET}\nnew:{SECRET[::-1]}\n")
    with canned(metrics(1)) as server:
        args = ("keys", "status", "--secrets-file", keys)
        args = (*args, "--metrics", f"http://{HOST}:{server.port}/metrics", "--over")
        assert "100%" in stderr_on_a_terminal(*args, "3")
        assert "%" not in stderr_on_a_terminal(*args, "0.1")


def test_no_terminal_gets_no_bar(edgeauth):
    with canned(REFUSES) as server:
        url = f"http://{HOST}:{server.port}/"
        result = edgeauth("probe", url, "--rate", "20", "--json")
    assert (json.loads(result.stdout)["failed"], result.stderr) == (0, "")


@pytest.mark.parametrize("closed", [True, False])
def test_a_closed_stream_gets_no_bar(monkeypatch, closed):
    if closed:
        monkeypatch.setattr("sys.stderr", None)
    with progress(2, "waiting") as advance:
        assert advance(1) is None

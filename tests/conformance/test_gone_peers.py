"""A client that resets its connection at once: the server has no address of it any more."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.processes import HOST, free_port, running
from support.wire import answers, converse

from conformance.rows import credential, request

if TYPE_CHECKING:
    from collections.abc import Callable

_ASGI = "conformance.origins.asgi_app:app"
_WSGI = "conformance.origins.wsgi_app:app"

# What a stranger claims, from an address on the list.
CLAIM = request(
    credential(),
    b"X-Forwarded-For: 192.0.2.9",
    judge={"addresses": ["192.0.2.0/24"], "trusted_proxies": ["unix"]},
)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(lambda port: ("uvicorn", _ASGI, f"--port={port}", "--http=h11"), id="h11"),
        pytest.param(
            lambda port: ("uvicorn", _ASGI, f"--port={port}", "--http=httptools"), id="httptools"
        ),
        pytest.param(
            lambda port: ("uvicorn", _ASGI, f"--port={port}", "--loop=asyncio"), id="asyncio"
        ),
        pytest.param(
            lambda port: ("gunicorn", _ASGI, "--worker-class=asgi", f"--bind={HOST}:{port}"),
            id="gunicorn, ASGI",
        ),
        pytest.param(lambda port: ("gunicorn", _WSGI, f"--bind={HOST}:{port}"), id="gunicorn"),
        pytest.param(
            lambda port: ("hypercorn", _ASGI, f"--bind={HOST}:{port}", "--workers=0"),
            id="hypercorn",
        ),
        pytest.param(lambda port: ("daphne", f"--port={port}", _ASGI), id="daphne"),
        pytest.param(lambda port: ("waitress", f"--listen={HOST}:{port}", _WSGI), id="waitress"),
    ],
)
def test_who_is_gone_is_not_taken_for_the_proxy_on_a_unix_socket(
    server: Callable[[int], tuple[str, ...]], tmp_path: Path
):
    port, decisions = free_port(), tmp_path / "decisions"
    decisions.touch()
    environ = {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "CONFORMANCE_DECISIONS": str(decisions),
    }
    command = [sys.executable, "-m", *server(port)]

    def accepted() -> None:
        (answer,) = answers(converse((HOST, port), request(credential())), ("GET",))
        assert answer.status == 200

    with running(command, address=(HOST, port), log=tmp_path / "log", env=environ) as process:
        accepted()
        # Stopped, so that the connection is gone before the server takes it up.
        os.killpg(process.pid, signal.SIGSTOP)
        client = socket.create_connection((HOST, port))
        client.sendall(CLAIM)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        os.killpg(process.pid, signal.SIGCONT)
        # When one that came later is answered, the server has dealt with the one before.
        accepted()

    reasons = decisions.read_text().split()
    assert reasons.count("ok") == 2
    assert set(reasons) <= {"ok", "address"}

"""A client that resets its connection at once: the server has no address of it any more."""

from __future__ import annotations

import os
import signal
import socket
import struct
from typing import TYPE_CHECKING

import pytest
from support.servers import SERVERS
from support.wire import answers, converse

from conformance.rows import credential, request

if TYPE_CHECKING:
    from pathlib import Path

# What a stranger claims, from an address on the list.
CLAIM = request(
    credential(),
    b"X-Forwarded-For: 192.0.2.9",
    judge={"addresses": ["192.0.2.0/24"], "trusted_proxies": ["unix"]},
)


# Not wsgiref: its input has no end, which the application reads for.
@pytest.mark.parametrize("name", [name for name in SERVERS if name != "wsgiref"])
def test_who_is_gone_is_not_taken_for_the_proxy_on_a_unix_socket(name: str, tmp_path: Path):
    server, decisions = SERVERS[name], tmp_path / "decisions"
    decisions.touch()
    app = f"conformance.origins.{server.kind}_app:app"
    environ = {"CONFORMANCE_DECISIONS": str(decisions)}

    def accepted() -> None:
        (answer,) = answers(converse(running.address, request(credential())), ("GET",))
        assert answer.status == 200

    with server.serving(app, tmp_path, env=environ) as running:
        accepted()
        # Stopped, so that the connection is gone before the server takes it up.
        os.killpg(running.process.pid, signal.SIGSTOP)
        client = socket.create_connection(running.address)
        client.sendall(CLAIM)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        os.killpg(running.process.pid, signal.SIGCONT)
        # When one that came later is answered, the server has dealt with the one before.
        accepted()

    reasons = decisions.read_text().split()
    assert reasons.count("ok") == 2
    assert set(reasons) <= {"ok", "address"}

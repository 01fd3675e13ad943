"""How much of a server's throughput is kept when the gate stands in front of the app.

The same Starlette app under uvicorn, one worker, with and without the middleware, asked in
turn over keep-alive connections by a client in a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from report import Group, Row

import edgeauth

SECRET = "an-example-secret-of-32-bytes-ok"
CONNECTIONS = 8
REQUESTS = 1_500
ROUNDS = 15


def group() -> Group:
    servers = {name: _Server(name) for name in ("bare", "guarded")}
    try:
        for server in servers.values():
            server.wait()
        _check(servers)
        rates: dict[str, list[float]] = {name: [] for name in servers}
        costs: dict[str, list[float]] = {name: [] for name in servers}
        for turn in range(ROUNDS):
            for name in sorted(servers, reverse=bool(turn % 2)):
                server = servers[name]
                before = server.cpu_seconds()
                rates[name].append(_rate(server.port))
                costs[name].append((server.cpu_seconds() - before) / (CONNECTIONS * REQUESTS))
    finally:
        for server in servers.values():
            server.stop()
    kept = statistics.median(a / b for a, b in zip(rates["guarded"], rates["bare"], strict=True))
    cost = statistics.median(a / b for a, b in zip(costs["bare"], costs["guarded"], strict=True))
    medians = {name: statistics.median(values) for name, values in costs.items()}
    return Group(
        title="Serve: a Starlette route under uvicorn",
        unit="the same without the middleware",
        rows=[
            Row("CPU time of a request, no middleware", medians["bare"], 1.0),
            Row("CPU time of a request, guarded", medians["guarded"], 1 / cost),
            Row("throughput kept, by the server's CPU time", None, cost, 0.97, at_least=True),
            Row("throughput kept, by the clock", None, kept),
        ],
        notes=["By the clock, client and server share the cores, so that figure is noisier."],
    )


class _Server:
    """benchmarks/served_app.py under uvicorn in a process of its own."""

    def __init__(self, name: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", f"served_app:{name}"),
                *("--port", str(self.port), "--no-access-log", "--log-level", "warning"),
            ],
            cwd=Path(__file__).parent,
            env={**os.environ, "EDGEAUTH_SECRET": SECRET, "EDGEAUTH_MAX_AGE": "3600"},
        )

    def wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("uvicorn did not start")

    def cpu_seconds(self) -> float:
        """User and system time so far (Linux: proc(5), fields 14 and 15 of stat)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def _request(value: str | None) -> bytes:
    field = f"Edge-Auth: {value}\r\n" if value else ""
    return f"GET / HTTP/1.1\r\nHost: origin\r\n{field}\r\n".encode()


def _check(servers: dict[str, _Server]) -> None:
    """A benchmark of a gate that lets everybody in would be worth nothing."""

    def status(name: str, value: str | None) -> bytes:
        with socket.create_connection(("127.0.0.1", servers[name].port)) as connection:
            connection.sendall(_request(value))
            return connection.recv(4096).split()[1]

    signed = edgeauth.sign(SECRET, pop="LHR")
    assert status("bare", None) == b"200"
    assert status("guarded", signed) == b"200"
    assert status("guarded", None) == b"403"


def _rate(port: int) -> float:
    """Requests a second over all connections."""
    request = _request(edgeauth.sign(SECRET, pop="LHR"))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(REQUESTS):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            await reader.readexactly(5)
        writer.close()

    async def all_of_them() -> float:
        start = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
        return CONNECTIONS * REQUESTS / (time.perf_counter() - start)

    return asyncio.run(all_of_them())

"""How much of a server's throughput is kept when the gate stands in front of the app.

The Starlette app of served_app.py under uvicorn[standard] (uvloop, httptools), one worker,
with and without the middleware. Both run all the time and are asked in turn by wrk, a second
at a time and so hard that the server is what is waited for: what else happens on the machine
hits both alike, and each pair of slices gives one ratio.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from adapters import FIELDS
from measure import interval, rounds
from report import Group, Row
from support.processes import HOST, free_port, running

import edgeauth

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "an-example-secret-of-32-bytes-ok"
CONNECTIONS = 8
PAIRS = 30


class Server(NamedTuple):
    """One uvicorn."""

    port: int
    pid: int


class Slice(NamedTuple):
    """What one second of load showed: requests a second, CPU seconds of the server each."""

    rate: float
    cpu: float


def group() -> Group:
    if not shutil.which("wrk"):
        return Group(
            title="Serve: a Starlette route under uvicorn",
            unit="the same without the middleware",
            rows=[],
            notes=["Not measured: it takes wrk (apt install wrk)."],
        )
    with _serving("bare") as bare, _serving("guarded") as guarded:
        _check(bare, guarded)
        servers = {"bare": bare, "guarded": guarded}
        for server in servers.values():
            _slice(server)
        slices: dict[str, list[Slice]] = {name: [] for name in servers}
        for turn in range(rounds(PAIRS)):
            for name in sorted(servers, reverse=bool(turn % 2)):
                slices[name].append(_slice(servers[name]))
    pairs = list(zip(slices["bare"], slices["guarded"], strict=True))
    by_cpu = [bare.cpu / guarded.cpu for bare, guarded in pairs]
    by_clock = [guarded.rate / bare.rate for bare, guarded in pairs]
    medians = {name: statistics.median(s.cpu for s in seen) for name, seen in slices.items()}
    return Group(
        title="Serve: a Starlette route under uvicorn",
        unit="the same without the middleware",
        rows=[
            Row("CPU time of a request, no middleware", medians["bare"], 1.0),
            Row(
                "CPU time of a request, guarded",
                medians["guarded"],
                statistics.median(1 / share for share in by_cpu),
            ),
            Row(
                "throughput kept, by the server's CPU time",
                None,
                statistics.median(by_cpu),
                0.97,
                at_least=True,
            ),
            Row("throughput kept, by the clock", None, statistics.median(by_clock)),
        ],
        notes=[
            (
                f"{len(pairs)} pairs of a second each, wrk with {CONNECTIONS} connections. "
                f"95 % intervals of the medians: {interval(by_cpu)} by CPU time, "
                f"{interval(by_clock)} by the clock, where the client shares the cores."
            )
        ],
    )


@contextlib.contextmanager
def _serving(name: str) -> Iterator[Server]:
    """benchmarks/served_app.py under uvicorn in a process of its own."""
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", f"served_app:{name}", "--port", str(port)]
    argv += ["--loop=uvloop", "--http=httptools", "--no-access-log", "--log-level=warning"]
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            argv,
            address=(HOST, port),
            log=Path(folder, "log"),
            cwd=Path(__file__).parent,
            env={"EDGEAUTH_SECRET": SECRET},
        ) as process,
    ):
        yield Server(port, process.pid)


def _check(bare: Server, guarded: Server) -> None:
    """A benchmark of a gate that lets everybody in would be worth nothing."""

    def status(server: Server, *fields: str) -> bytes:
        lines = "".join(f"{field}\r\n" for field in ("Host: origin", *fields))
        with socket.create_connection((HOST, server.port)) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
            return connection.recv(4096).split()[1]

    assert status(bare) == b"200"
    assert status(guarded, _credential()) == b"200"
    assert status(guarded) == b"403"


def _credential() -> str:
    return f"Edge-Auth: {edgeauth.sign(SECRET, pop='LHR')}"


def _slice(server: Server) -> Slice:
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", "-d1s", f"http://{HOST}:{server.port}/"]
    for field in (*(f"{name}: {text}" for name, text in FIELDS), _credential()):
        argv += ["-H", field]
    before = _cpu_seconds(server.pid)
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    spent = _cpu_seconds(server.pid) - before
    assert "Non-2xx" not in done.stdout, done.stdout
    count, rate = (
        re.search(pattern, done.stdout)
        for pattern in (r"(\d+) requests in", r"Requests/sec:\s+([\d.]+)")
    )
    assert count, done.stdout
    assert rate, done.stdout
    return Slice(float(rate[1]), spent / int(count[1]))


def _cpu_seconds(pid: int) -> float:
    """User and system time so far. Linux: the scheduler's own count, in nanoseconds."""
    return (
        sum(
            int(Path(task, "schedstat").read_text().split()[0])
            for task in Path(f"/proc/{pid}/task").iterdir()
        )
        / 1e9
    )

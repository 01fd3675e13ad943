"""How much of a server's throughput is kept when the gate stands in front of the app.

The Starlette app of served_app.py under uvicorn, one worker each: without middleware, with the
gate, and with TrustedHostMiddleware, which does less, as a peer. All of them run on one core at
the same time, each asked by a wrk of its own as hard as it can take, from another core. The
kernel gives each the same share of the core, a few milliseconds in turn, so what else happens on
the machine hits all alike, and the requests that each served in that time are their throughput.

Where a process happens to lie in memory moves its speed by some percent for as long as it lives:
so they are started several times, and what counts is the median of the starts.
"""

from __future__ import annotations

import contextlib
import os
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
    from collections.abc import Iterator, Sequence

SECRET = "9bd1c6f0a7e84e25b3f7c1d09e5a4826"
CONNECTIONS = 8
STARTS = 10
SECONDS = 5

APPS = {
    "bare": "no middleware",
    "guarded": "edgeauth",
    "trusted_host": "TrustedHostMiddleware",
}
# uvicorn as its own package installs and starts it; with the faster parser and loop of its extra;
# and without a line in a log for each request, which is the least that one can cost under it.
SETUPS = {
    "uvicorn": ("--loop=asyncio", "--http=h11"),
    "uvicorn[standard]": ("--loop=uvloop", "--http=httptools"),
    "uvicorn[standard] --no-access-log": ("--loop=uvloop", "--http=httptools", "--no-access-log"),
}
# Of the first. Under the others a route that does nothing costs less than half as much, and a
# few microseconds of any middleware are a greater share of it.
MUST_KEEP = {"uvicorn": 0.97}


class Server(NamedTuple):
    """One uvicorn."""

    port: int
    pid: int


class Served(NamedTuple):
    """What one server did in its share of the time: requests, and CPU seconds for each."""

    requests: int
    cpu: float


def group() -> Group:
    title, unit = "Serve: a Starlette route", "the same without middleware"
    if not shutil.which("wrk"):
        note = "Not measured: it takes wrk (apt install wrk)."
        return Group(title=title, unit=unit, rows=[], notes=[note])
    rows, notes = [], []
    for setup, flags in SETUPS.items():
        seen = [_start(flags) for _ in range(rounds(STARTS))]
        for app, label in APPS.items():
            rows.append(
                Row(
                    f"throughput under `{setup}`, {label}",
                    statistics.median(served[app].cpu for served in seen),
                    statistics.median(_kept(app, seen)),
                    MUST_KEEP.get(setup) if app == "guarded" else None,
                    at_least=True,
                )
            )
        by_requests = (one["guarded"].requests / one["bare"].requests for one in seen)
        notes.append(
            f"`{setup}`: 95 % interval with edgeauth {interval(_kept('guarded', seen))}, by the "
            f"requests that were served {statistics.median(by_requests):.2f}."
        )
    how = (
        f"{rounds(STARTS)} starts, {SECONDS} seconds each, all three on one core at once, each "
        f"asked by a wrk with {CONNECTIONS} connections. By the CPU time that a request took."
    )
    return Group(title=title, unit=unit, rows=rows, notes=[how, *notes])


def _kept(app: str, seen: Sequence[dict[str, Served]]) -> list[float]:
    return [served["bare"].cpu / served[app].cpu for served in seen]


def _start(flags: Sequence[str]) -> dict[str, Served]:
    """All apps started anew, and what each served while they shared a core."""
    cores = sorted(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        with _on(cores[0]):
            servers = {app: stack.enter_context(_serving(app, flags)) for app in APPS}
        _check(servers)
        with _on(cores[-1]):
            _load(servers, seconds=1)
            return _load(servers, seconds=SECONDS)


@contextlib.contextmanager
def _on(core: int) -> Iterator[None]:
    """What is started in the block runs on *core*."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _serving(app: str, flags: Sequence[str]) -> Iterator[Server]:
    """benchmarks/served_app.py under uvicorn in a process of its own."""
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", f"served_app:{app}", "--port", str(port), *flags]
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


def _check(servers: dict[str, Server]) -> None:
    """A benchmark of a gate that lets everybody in would be worth nothing."""

    def status(server: Server, *fields: str) -> bytes:
        lines = "".join(f"{field}\r\n" for field in fields)
        with socket.create_connection((HOST, server.port)) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\n{lines}\r\n".encode())
            return connection.recv(4096).split()[1]

    host = "Host: www.example.com"
    assert [status(server, host, _credential()) for server in servers.values()] == [b"200"] * 3
    assert status(servers["guarded"], host) == b"403"
    assert status(servers["trusted_host"], "Host: origin") == b"400"


def _credential() -> str:
    return f"Edge-Auth: {edgeauth.sign(SECRET, pop='LHR')}"


def _load(servers: dict[str, Server], *, seconds: int) -> dict[str, Served]:
    """Ask all *servers* at the same time, as hard as they can take."""
    fields = [*(f"{name}: {text}" for name, text in FIELDS), _credential()]
    before = {app: _cpu_seconds(server.pid) for app, server in servers.items()}
    clients = {
        app: subprocess.Popen(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
            + [part for field in fields for part in ("-H", field)]
            + [f"http://{HOST}:{server.port}/"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for app, server in servers.items()
    }
    told = {app: client.communicate()[0] for app, client in clients.items()}
    served = {}
    for app, server in servers.items():
        spent = _cpu_seconds(server.pid) - before[app]
        assert "Non-2xx" not in told[app], told[app]
        count = re.search(r"(\d+) requests in", told[app])
        assert count, told[app]
        served[app] = Served(int(count[1]), spent / int(count[1]))
    return served


def _cpu_seconds(pid: int) -> float:
    """User and system time so far. Linux: the scheduler's own count, in nanoseconds."""
    return (
        sum(
            int(Path(task, "schedstat").read_text().split()[0])
            for task in Path(f"/proc/{pid}/task").iterdir()
        )
        / 1e9
    )

"""Real programs on loopback: started on a free port, waited for, and gone afterwards."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HOST = "127.0.0.1"

# net.ipv4.ip_local_port_range begins at 32768 on Linux, IANA's dynamic ports at 49152.
_BELOW_THE_KERNELS = range(15_000, 32_000)


@dataclass(frozen=True)
class Listening:
    """A program of a test that listens on a port of loopback, and where it logs to."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


def free_port() -> int:
    """A TCP port of loopback that nobody listens on and no other process of tests was given.

    Not one that the kernel chooses: until the server listens, a connection of anybody could
    get it for its own end. By chance, and not by a seed, since tests run beside others.
    """
    given = _given_ports()
    while True:
        port = _BELOW_THE_KERNELS.start + secrets.randbelow(len(_BELOW_THE_KERNELS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            # Until this process ends: a server may be started long after it was given its port.
            fcntl.lockf(given, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            probe.bind((HOST, port))
            return port


@cache
def _given_ports() -> int:
    """A file of this user's tests in which a process locks the byte of each port it was given."""
    path = Path(tempfile.gettempdir(), f"edgeauth-ports-of-tests-{os.getuid()}")
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def accepts(address: tuple[str, int] | str) -> bool:
    """Whether something accepts connections at a (host, port) or a Unix socket path."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(1)
        return probe.connect_ex(address) == 0


def wait_until(condition: Callable[[], bool], *, seconds: float = 30, what: str = "it") -> None:
    """Poll until *condition* holds; AssertionError when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(0.02)


@contextlib.contextmanager
def running(
    argv: Sequence[str | Path],
    *,
    address: tuple[str, int] | str,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float = 30,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run *argv* until the block ends, ready when *address* accepts connections.

    Its output goes to *log*. It gets a process group of its own, so that what it forked
    ends with it: asked first (SIGTERM), killed after ten seconds.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        wait_until(
            lambda: process.poll() is not None or accepts(address),
            seconds=seconds,
            what=f"{argv[0]} listening on {address}",
        )
        assert process.poll() is None, (
            f"{argv[0]} ended with {process.returncode}:\n{log.read_text(errors='replace')}"
        )
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], *, seconds: float = 10) -> None:
    """End *process* and its process group, and reap it."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

"""``edgeauth serve`` as users run it, and the questions that a proxy asks it."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import signal
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.processes import HOST, accepts, free_port, running, wait_until
from support.wire import Address, Answer, answers, converse

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

SECRET = "a-secret-of-the-service-tests"

COMMAND = Path(sysconfig.get_path("scripts")) / "edgeauth"

# As nginx sends them.
ORIGINAL = (("X-Original-Method", "GET"), ("X-Original-URI", "/page?q=1"))


@dataclass
class Service:
    """A running service.

    Attributes:
        address: where it decides.
        admin: the port of its admin listener.
        config: its file, to be changed before a reload.
        log: what it prints.
    """

    address: Address
    admin: int
    config: Path
    log: Path
    process: subprocess.Popen[bytes]

    def ask(self, *fields: tuple[str, str], method: str = "GET", target: str = "/") -> Answer:
        """One question on a connection of its own."""
        return one(self.address, question(*fields, method=method, target=target), method)

    def observe(self, path: str) -> tuple[int, str]:
        """Status and body of an admin endpoint."""
        connection = http.client.HTTPConnection(HOST, self.admin, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def readiness(self) -> dict[str, Any]:
        return json.loads(self.observe("/readyz")[1])

    def metric(self, name: str, **labels: str) -> float:
        """The value of one sample; 0 if it is not there."""
        wanted = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
        wanted = f"{name}{{{wanted}}}" if wanted else name
        for line in self.observe("/metrics")[1].splitlines():
            sample, _, value = line.rpartition(" ")
            if sample == wanted:
                return float(value)
        return 0.0

    def children(self) -> list[int]:
        """The process ids of its workers, and last that of the admin listener."""
        pid = self.process.pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def reload(self) -> None:
        """SIGHUP, and wait until every worker decides by what is in the file now."""
        before = self.readiness()["generation"]
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: min(self.readiness()["workers"]) > before, what="every worker's reload")


@contextlib.contextmanager
def serving(
    guard: str = f'secret = "{SECRET}"',
    service: str = "",
    *,
    folder: Path | None = None,
    tcp: bool = False,
    environ: Mapping[str, str] | None = None,
    launcher: str | None = None,
) -> Iterator[Service]:
    """Run the service until the block ends.

    Args:
        guard: the top of its TOML file.
        service: lines of its table [service].
        folder: where its files are; a Unix socket's path must be short.
        tcp: whether it listens on loopback instead of a Unix socket.
        environ: more variables.
        launcher: Python code that runs the command, in the place of the command.
    """
    program = [COMMAND] if launcher is None else ["-c", launcher]
    with short_folder() if folder is None else contextlib.nullcontext(folder) as place:
        port, admin = free_port(), free_port()
        listen = f"{HOST}:{port}" if tcp else f"unix:{place}/edgeauth.sock"
        config, log = place / "edgeauth.toml", place / "edgeauth.log"
        config.write_text(
            f'{guard}\n[service]\nlisten = "{listen}"\nadmin = "{HOST}:{admin}"\n{service}\n'
        )
        address: Address = (HOST, port) if tcp else f"{place}/edgeauth.sock"
        with running(
            [sys.executable, *program, "serve", "--config", config],
            address=address,
            log=log,
            env=environ,
        ) as process:
            running_service = Service(address, admin, config, log, process)
            wait_until(lambda: accepts((HOST, admin)), what="the admin listener")
            wait_until(lambda: running_service.observe("/readyz")[0] == 200, what="readiness")
            yield running_service
        text = log.read_text(errors="replace")
        assert "Traceback" not in text, text


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A temporary folder whose path leaves room for the name of a Unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="ea-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def question(
    *fields: tuple[str, str], method: str = "GET", target: str = "/", close: bool = True
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: origin.example"]
    lines += [f"{name}: {value}" for name, value in fields]
    lines += ["Connection: close"] if close else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def one(address: Address, sent: bytes, method: str = "GET") -> Answer:
    (answer,) = answers(converse(address, sent), (method,))
    return answer

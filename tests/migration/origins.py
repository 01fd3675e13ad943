"""Origins whose settings change while they are asked, each in its own way."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support.files import replace
from support.processes import HOST, free_port, running, stop, wait_until
from support.proxies import HEADER, NGINX, Places
from support.service import Service, serving, short_folder
from support.upstream import telling_application

from migration.edge import BOTH, EDGE_AUTH, Keys

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from migration.edge import Edge

TESTS = Path(__file__).parents[1]


class Gunicorn:
    """Three workers on one machine: HUP reads the settings anew, in new workers."""

    def __init__(self, port: int, folder: Path, keys: Keys, process: subprocess.Popen[bytes]):
        self.ports = (port,)
        self._config = folder / "edgeauth.toml"
        self._keys = keys
        self._process = process

    def change(self, takes: frozenset[str], edge: Edge, midway: frozenset[str] | None) -> None:
        """Take *takes*; when the change is under way, the edge sends *midway*."""
        before = children(self._process.pid)
        replace(self._config, self._keys.settings[takes])
        self._process.send_signal(signal.SIGHUP)
        if midway is not None:
            wait_until(lambda: children(self._process.pid) != before, what="a new worker")
            edge.sends(midway)
        wait_until(lambda: not children(self._process.pid) & before, what="the last old worker")


@contextlib.contextmanager
def gunicorn(folder: Path, keys: Keys, *arguments: str) -> Iterator[Gunicorn]:
    port = free_port()
    replace(folder / "edgeauth.toml", keys.settings[EDGE_AUTH])
    argv = [sys.executable, "-m", "gunicorn", "--workers=3", f"--bind={HOST}:{port}", *arguments]
    log = folder / "log"
    with running(argv, address=(HOST, port), log=log, cwd=folder, env=environ(folder)) as process:
        wait_until(lambda: len(children(process.pid)) == 3, what="three workers")
        yield Gunicorn(port, folder, keys, process)
    assert "Traceback" not in log.read_text(errors="replace")


class Machines:
    """Two machines with a uvicorn each, which are stopped and started one after the other."""

    def __init__(self, folder: Path, keys: Keys, started: contextlib.ExitStack):
        self.ports = (free_port(), free_port())
        self._folder, self._keys, self._started = folder, keys, started
        self._running = {port: self._start(port, EDGE_AUTH) for port in self.ports}

    def change(self, takes: frozenset[str], edge: Edge, midway: frozenset[str] | None) -> None:
        for port, other in (self.ports, self.ports[::-1]):
            edge.asks(other)
            stop(self._running[port])
            self._running[port] = self._start(port, takes)
            edge.asks(*self.ports)
            # One machine has the new settings and one the old.
            if midway is not None:
                edge.sends(midway)
                midway = None
            edge.answered(20)

    def _start(self, port: int, takes: frozenset[str]) -> subprocess.Popen[bytes]:
        replace(self._folder / "edgeauth.toml", self._keys.settings[takes])
        argv = [sys.executable, "-m", "uvicorn", "--port", str(port), "rotation.asgi_app:app"]
        return self._started.enter_context(
            running(
                argv,
                address=(HOST, port),
                log=self._folder / "log",
                cwd=self._folder,
                env=environ(self._folder),
            )
        )


@contextlib.contextmanager
def machines(folder: Path, keys: Keys) -> Iterator[Machines]:
    with contextlib.ExitStack() as started:
        yield Machines(folder, keys, started)
    assert "Traceback" not in (folder / "log").read_text(errors="replace")


class Asked:
    """nginx that asks ``edgeauth serve``: both are reloaded while they run."""

    def __init__(self, places: Places, keys: Keys, service: Service):
        self.ports = (places.port,)
        self.nginx: subprocess.Popen[bytes] | None = None
        self._takes = EDGE_AUTH
        self._places, self._keys, self._service = places, keys, service
        self._table = service.config.read_text().partition("[service]")[2]

    def argv(self, takes: frozenset[str]) -> list[str | Path]:
        """Write what is printed for these settings; the command that runs nginx with it."""
        config = self._places.folder / "printed.toml"
        config.write_text(self._keys.settings[takes & BOTH])
        settings = (("EDGEAUTH_CONFIG", str(config)),)
        return NGINX.prepare(dataclasses.replace(self._places, settings=settings))

    def change(self, takes: frozenset[str], edge: Edge, midway: frozenset[str] | None) -> None:
        # A proxy hands on what anybody may still be asked about.
        self._reload_nginx(self._takes | takes)
        if midway is not None:
            edge.sends(midway)
        text = f"{self._keys.settings[takes]}\n[service]{self._table}"
        replace(self._service.config, text)
        self._service.reload()
        self._reload_nginx(takes)
        self._takes = takes

    def verified(self, scheme: str) -> float:
        """How many credentials of *scheme* the service has verified, by its metrics."""
        counter = f'edgeauth_verified_total{{.*scheme="{scheme}".*}} (.+)'
        return sum(map(float, re.findall(counter, self._service.observe("/metrics")[1])))

    def _reload_nginx(self, takes: frozenset[str]) -> None:
        assert self.nginx is not None
        pid = self.nginx.pid
        before = children(pid)
        self.argv(takes)
        self.nginx.send_signal(signal.SIGHUP)
        wait_until(lambda: children(pid) and not children(pid) & before, what="nginx's reload")


@contextlib.contextmanager
def asked(folder: Path, keys: Keys) -> Iterator[Asked]:
    guard = keys.settings[EDGE_AUTH]
    with (
        short_folder() as short,
        telling_application() as upstream,
        serving(guard, "workers = 2", folder=short) as service,
    ):
        assert isinstance(service.address, str)
        places = Places(folder, service.address, free_port(), upstream, HEADER)
        origin = Asked(places, keys, service)
        argv, address = origin.argv(EDGE_AUTH), (HOST, places.port)
        with running(argv, address=address, log=folder / "log", cwd=folder) as origin.nginx:
            yield origin
        log = (folder / "error.log").read_text(errors="replace")
        assert not NGINX.complaints.search(log), log


def children(pid: int) -> set[str]:
    """The processes that *pid* has started and that have not ended."""
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def environ(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(TESTS), "EDGEAUTH_CONFIG": str(folder / "edgeauth.toml")}

"""The four set-ups: how each is run, asked and observed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.files import replace
from support.processes import HOST, free_port, running, wait_until
from support.proxies import NGINX, nginx, proxying
from support.service import Service, serving
from support.upstream import telling_application

from edgeauth._reload.watched_file import grace
from soak.health import command, family
from soak.traffic import EXEMPT, MAX_AGE, Manner

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping

    from support.wire import Address, Answer

    from edgeauth import Key
    from soak.traffic import Line

TESTS = Path(__file__).parents[1]

# Seconds from one look at the file of keys to the next, in the applications.
_INTERVAL = 0.2

# Longer than the soak, where SIGHUP is what reloads.
_NEVER = 3600

_PATIENT = (
    # A busy machine is no reason to close a connection or to replace a worker. (So long may
    # a worker that was killed just when it was asked for a sign of life go unnoticed.)
    "--timeout-keep-alive=120",
    "--timeout-worker-healthcheck=20",
    "--timeout-graceful-shutdown=30",
)
COMMANDS = {
    "ASGI: uvicorn": (
        *("uvicorn", "--factory", "soak.apps:asgi", "--workers=2", "--http=httptools"),
        *("--host", HOST, "--port", "{port}", "--lifespan=off", "--no-access-log"),
        *("--log-level=error", *_PATIENT),
    ),
    "WSGI: gunicorn": (
        *("gunicorn", "soak.apps:wsgi()", "--workers=2", "--preload", "--threads=8"),
        *(f"--bind={HOST}:{{port}}", "--keep-alive=120", "--timeout=120"),
    ),
}


@dataclass
class Target:
    """One running set-up.

    Attributes:
        address: where requests go.
        manner: what differs in its answers.
        decisions: its file of decisions.
        processes: gives the names of all its processes by their ids, in a fixed order.
        workers: gives the ids of those that decide.
        ready: whether all of it is up.
        take: brings keys into force, and returns when they are.
        tells: whether an answer says what the decision was.
        drain: asks it to end; gives its exit status when it has ended.
        scrape: reads its metrics, where it has them.
        restart: replaces the decision service, in two steps, where something stands before it.
    """

    address: Address
    manner: Manner
    decisions: Path
    processes: Callable[[], dict[int, str]]
    workers: Callable[[], list[int]]
    ready: Callable[[], bool]
    take: Callable[..., None]
    tells: Callable[[Answer, Line], bool]
    drain: Callable[[], int] | None = None
    scrape: Callable[[], str] | None = None
    restart: Callable[[], contextlib.AbstractContextManager[None]] | None = None


# --- the applications


@contextlib.contextmanager
def application(
    name: str, folder: Path, *keys: Key, settings: Mapping[str, object] | None = None
) -> Iterator[Target]:
    """The gate inside an application, under a real server.

    Args:
        name: of :data:`COMMANDS`.
        folder: an empty one.
        keys: in force at first.
        settings: others than those of the header; with the keys and the file of decisions.
    """
    secrets, decisions, port = folder / "secrets", folder / "decisions.jsonl", free_port()
    replace(secrets, _lines(*keys))
    if settings is None:
        settings = _settings(secrets, decisions, _INTERVAL)
    else:
        settings = {"secrets_file": secrets, "decisions": decisions, **settings}
    environ = {
        "PYTHONPATH": str(TESTS),
        **{f"EDGEAUTH_{name.upper()}": str(value) for name, value in settings.items()},
    }
    argv = [sys.executable, "-m", *(part.format(port=port) for part in COMMANDS[name])]
    log = folder / "log"
    with running(argv, address=(HOST, port), log=log, cwd=folder, env=environ) as process:

        def workers() -> list[int]:
            # uvicorn has a process that looks after what its workers share, too.
            return [
                pid
                for pid in family(process.pid)[1:]
                if command(pid) and "resource_tracker" not in command(pid)
            ]

        def take(*keys: Key) -> None:
            replace(secrets, _lines(*keys))
            time.sleep(grace(_INTERVAL))  # the promise of edgeauth._reload.watched_file

        target = Target(
            address=(HOST, port),
            manner=Manner(bears_huge=name.startswith("ASGI")),
            decisions=decisions,
            processes=lambda: _named(family(process.pid), "supervisor", workers()),
            workers=workers,
            ready=lambda: len(workers()) == 2,
            take=take,
            tells=_application_tells,
            drain=lambda: _drain(process),
        )
        wait_until(target.ready, what="two workers")
        yield target
    _look_through(log)


def _application_tells(answer: Answer, line: Line) -> bool:
    if not line.allowed:
        return answer.body in {b"Forbidden\n", b""}
    return answer.body == (
        b"" if line.method == "HEAD" else f"{line.reason} {line.key or '-'}".encode()
    )


# --- the decision service


@contextlib.contextmanager
def service(folder: Path, *keys: Key) -> Iterator[Target]:
    """``edgeauth serve``, asked as nginx asks it."""
    with _serving(folder, *keys) as running_service:
        admin = running_service.children()[-1]

        def workers() -> list[int]:
            return [pid for pid in running_service.children() if pid != admin]

        yield Target(
            address=running_service.address,
            manner=Manner(admitted=204, unreadable=frozenset({403}), is_asked=True, reads_raw=True),
            decisions=folder / "decisions.jsonl",
            processes=lambda: _service_names(running_service, admin),
            workers=workers,
            ready=lambda: running_service.observe("/readyz")[0] == 200,
            take=lambda *keys: _take(running_service, folder, keys),
            tells=_service_tells,
            drain=lambda: _drain(running_service.process),
            scrape=lambda: running_service.observe("/metrics")[1],
        )


@contextlib.contextmanager
def behind_nginx(folder: Path, *keys: Key) -> Iterator[Target]:
    """nginx before an application, and the decision service beside it."""
    # Idle connections end soon, so that descriptors can be counted.
    brief = {
        "keepalive_timeout 60s;": "keepalive_timeout 1s;",
        "keepalive 32;": "keepalive 32; keepalive_timeout 1s;",
    }
    kind = dataclasses.replace(NGINX, prepare=nginx("nginx.conf", brief))
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(telling_application())
        first = stack.enter_context(contextlib.ExitStack())
        now = [first.enter_context(_serving(folder, *keys))]
        admins = [now[0].children()[-1]]
        proxy = stack.enter_context(proxying(kind, folder, str(now[0].address), upstream))
        nginx_pid = int((folder / "nginx.pid").read_text())
        in_force = [keys]

        def take(*keys: Key) -> None:
            in_force[0] = keys
            _take(now[0], folder, keys)

        def processes() -> dict[int, str]:
            names = _named(family(nginx_pid), "nginx", family(nginx_pid)[1:], "nginx worker")
            return {**_service_names(now[0], admins[0]), **names}

        @contextlib.contextmanager
        def restart() -> Iterator[None]:
            first.close()
            try:
                yield
            finally:
                now[0] = stack.enter_context(_serving(folder, *in_force[0]))
                admins[0] = now[0].children()[-1]

        yield Target(
            address=(HOST, proxy.port),
            manner=Manner(reads_raw=True, drops_empty=True),
            decisions=folder / "decisions.jsonl",
            processes=processes,
            workers=lambda: [pid for pid in now[0].children() if pid != admins[0]],
            ready=lambda: now[0].observe("/readyz")[0] == 200,
            take=take,
            tells=_nginx_tells,
            scrape=lambda: now[0].observe("/metrics")[1],
            restart=restart,
        )


@contextlib.contextmanager
def _serving(folder: Path, *keys: Key) -> Iterator[Service]:
    secrets, decisions = folder / "secrets", folder / "decisions.jsonl"
    replace(secrets, _lines(*keys))
    settings = _settings(secrets, decisions, _NEVER)
    environ = {f"EDGEAUTH_{name.upper()}": str(value) for name, value in settings.items()}
    with serving("", "workers = 2", folder=folder, environ=environ) as running_service:
        yield running_service
        _look_through(running_service.log)


def _take(running_service: Service, folder: Path, keys: tuple[Key, ...]) -> None:
    replace(folder / "secrets", _lines(*keys))
    running_service.reload()


def _service_names(running_service: Service, admin: int) -> dict[int, str]:
    pids = family(running_service.process.pid)
    return {**_named(pids, "supervisor", [pid for pid in pids[1:] if pid != admin]), admin: "admin"}


def _service_tells(answer: Answer, line: Line) -> bool:
    told = (answer.headers.get("x-edgeauth-reason"), answer.headers.get("x-edgeauth-key"))
    return told == (line.reason, line.key if line.allowed else None)


def _nginx_tells(answer: Answer, line: Line) -> bool:
    if not line.allowed or line.method == "HEAD":
        return not any(name.startswith("x-edgeauth") for name in answer.headers)
    seen = json.loads(answer.body)["headers"]
    told = (seen.get("x-edgeauth-reason"), seen.get("x-edgeauth-key"))
    return told == (line.reason, line.key) and "edge-auth" not in seen


TARGETS = {
    **{
        name: lambda folder, *keys, name=name: application(name, folder, *keys) for name in COMMANDS
    },
    "edgeauth serve": service,
    "edgeauth serve behind nginx": behind_nginx,
}


# --- for all of them


def _settings(secrets: Path, decisions: Path, interval: float) -> dict[str, object]:
    return {
        "secrets_file": secrets,
        "decisions": decisions,
        "watch_interval": interval,
        "require_pop": "false",
        "max_age": MAX_AGE,
        "exempt": f"GET {EXEMPT}",
    }


def _lines(*keys: Key) -> str:
    return "".join(f"{key.id}:{key.secret.decode()}\n" for key in keys)


def _named(pids, first: str, workers: list[int], word: str = "worker") -> dict[int, str]:
    names = dict.fromkeys(pids, "resource tracker")
    names[pids[0]] = first
    return names | {pid: f"{word} {place}" for place, pid in enumerate(workers, 1)}


def _look_through(log: Path) -> None:
    """What is in a log after any fault, unless something went wrong that no answer shows."""
    text = log.read_text(errors="replace")
    for word in ("Traceback", "lines are lost"):
        assert word not in text, text


def _drain(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(60)

"""The main job on real sockets: what the edge signs gets in, and nothing else does.

Starts the Starlette app under uvicorn and the Flask app under gunicorn, sends both the same
requests and prints what each got. Exits 0 only if every answer is as it must be. What it
started has ended when it ends, also after a failure or Ctrl-C.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import edgeauth
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme
from edgeauth.schemes.base import Outgoing
from edgeauth.schemes.message_signatures import sign_request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    ("uvicorn", "example_apps.starlette_app.app:app", "--port", "{port}"),
    ("gunicorn", "example_apps.flask_app.app:app", "--bind", "127.0.0.1:{port}"),
)
START_SECONDS = 60
STOP_SECONDS = 10

# Two CDNs before one app: Fastly, which signs in either way, and Akamai with its own. The store is
# what remembers what is good once.
SETTINGS = """\
replay = "sqlite:{folder}/seen.db"

[[schemes]]
scheme = "edge-auth"
secrets_file = "{folder}/keys"
require_pop = false

[[schemes]]
scheme = "message-signatures"
secrets_file = "{folder}/keys"

[[schemes]]
cdn = "akamai"
secrets_file = "{folder}/keys"
"""


class Row(NamedTuple):
    """One request, and the status that it must get."""

    what: str
    expected: int
    headers: Mapping[str, str]
    path: str = "/"


def field(value: str) -> dict[str, str]:
    """The one field of the older credential."""
    return {"Edge-Auth": value}


def rows(key: edgeauth.Key, host: str) -> list[Row]:
    """The requests to send to *host*; *key* is what edge and origin share."""
    secret = key.secret.decode()
    signed = edgeauth.sign(secret, pop="LHR")
    old = edgeauth.sign(secret, pop="LHR", timestamp=int(time.time()) - 120)
    message = sign_request(key, "GET", "/", host)
    other = sign_request(key, "GET", "/account", host)
    akamai = AkamaiG2OScheme([key]).credential(now=time.time(), request=Outgoing("GET", host, "/"))
    return [
        Row("direct, unsigned", 403, {}),
        Row("edge, VCL", 200, field(signed)),
        Row("edge, Compute Rust", 200, field(edgeauth.sign(secret, pop="LHR", encoding="base64"))),
        Row("edge, Compute JavaScript", 200, field(edgeauth.sign(secret, pop=None))),
        Row("expired, signed 120 s ago", 403, field(old)),
        Row("tampered, POP changed", 403, field(signed.replace("LHR", "AMS"))),
        Row("message signature", 200, message),
        Row("the same, replayed", 403, message),
        Row("message signature of /account", 403, other),
        Row("another CDN, Akamai's G2O", 200, akamai),
        Row("the same, another path", 403, akamai, "/account"),
        Row("health check, unsigned", 200, {}, "/healthz"),
    ]


def main() -> int:
    """Run the demo; 0 if every row is as it must be."""
    # Ended from outside, it still takes its servers along.
    signal.signal(signal.SIGTERM, _exit)
    key = edgeauth.Key("demo", secrets.token_urlsafe(32))
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile())
        ports = []
        try:
            for command in COMMANDS:
                port = free_port()
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                settings = written_settings(folder, key)
                stack.enter_context(running(command, port, settings, log))
                ports.append(port)
            # Signed only now: a server that starts slowly must not make a request old.
            return report([answers(port, key) for port in ports])
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            log.seek(0)
            print(f"the demo failed: {error}\n{log.read().decode(errors='replace')}")
            return 1


def written_settings(folder: Path, key: edgeauth.Key) -> Path:
    """The settings of one origin, in a file in *folder*."""
    keys, settings = folder / "keys", folder / "edgeauth.toml"
    keys.touch(mode=0o600)
    keys.write_text(f"{key.id}:{key.secret.decode()}\n", "utf-8")
    settings.write_text(SETTINGS.format(folder=folder), "utf-8")
    return settings


def answers(port: int, key: edgeauth.Key) -> list[tuple[Row, int]]:
    """The rows, and what the server on *port* answers to each."""
    return [(row, status(port, row)) for row in rows(key, f"{HOST}:{port}")]


def report(results: list[list[tuple[Row, int]]]) -> int:
    """Print the table; 0 if every row is as it must be."""
    print("\nOne key, two origins, each with a store of what it admitted once. Both accept the")
    print("form without a POP, as Compute JavaScript sends it; it is refused by default.\n")
    print(f"{'request':<31}{'Starlette':>12}{'Flask':>12}{'must be':>10}")
    print(f"{'':<31}{'uvicorn':>12}{'gunicorn':>12}")
    failed = 0
    for (row, starlette), (_, flask) in zip(*results, strict=True):
        right = starlette == flask == row.expected
        failed += not right
        verdict = "ok" if right else "WRONG"
        print(f"{row.what:<31}{starlette:>12}{flask:>12}{row.expected:>10}  {verdict}")
    count = len(results[0])
    print(f"\n{count - failed} of {count} rows are as they must be.")
    return 1 if failed else 0


def status(port: int, row: Row) -> int:
    """The status that the server on *port* answers to the request of *row*."""
    # gunicorn listens before its worker has loaded the app, so this may wait for that.
    connection = http.client.HTTPConnection(HOST, port, timeout=START_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", row.path, headers=dict(row.headers))
        return connection.getresponse().status


@contextlib.contextmanager
def running(command: tuple[str, ...], port: int, config: Path, log: IO[bytes]) -> Iterator[None]:
    """Run a server until the block ends; it is ready when *port* accepts connections."""
    argv = [sys.executable, "-m", *(part.format(port=port) for part in command)]
    others = {name: value for name, value in os.environ.items() if not name.startswith("EDGEAUTH_")}
    process = None
    try:
        # Interrupted in the midst of this, nobody would know the process to end.
        with held_back(signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(  # noqa: S603 - one of COMMANDS
                argv,
                cwd=ROOT,
                env=others | {"EDGEAUTH_CONFIG": str(config)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A group of its own: Ctrl-C is for the demo, and workers end with their server.
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not accepts(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not listen on port {port}")
            time.sleep(0.05)
        yield
    finally:
        if process is not None:
            stop(process)


@contextlib.contextmanager
def held_back(*numbers: signal.Signals) -> Iterator[None]:
    """Let signals act when the block has ended and not in its midst."""
    pending: list[int] = []
    handlers = {
        number: signal.signal(number, lambda received, _frame: pending.append(received))
        for number in numbers
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for received in pending:
            signal.raise_signal(received)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End *process* and all that it started."""
    # The demo is over; a second Ctrl-C would leave the rest running.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether something accepts connections on *port*."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

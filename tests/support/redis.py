"""A real Redis of a test: killed, paused, started anew."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

from support.processes import HOST, accepts, free_port, stop, wait_until
from support.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class RedisServer:
    """redis-server on a port and a Unix socket of its own, with nothing on the disk.

    Args:
        folder: an empty one with a short path, for its log and its socket.
        options: more of its options, as in ``["--requirepass", "secret"]``.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._program = program("redis-server")
        self._folder = folder
        # Else the bus of a cluster is 10,000 above the port, where anybody may listen.
        bus = ("--cluster-port", str(free_port())) if "--cluster-enabled" in options else ()
        self._options = (*options, *bus)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.socket = str(folder / "redis.sock")
        self.url = f"redis://{HOST}:{self.port}"
        self.unix_url = f"unix://{self.socket}"

    def start(self) -> None:
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    *("--port", str(self.port), "--bind", HOST, "--unixsocket", self.socket),
                    *("--save", "", "--appendonly", "no", "--dir", str(self._folder)),
                    *self._options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._listens, what="redis-server listening")

    def _listens(self) -> bool:
        assert self.process.poll() is None, (self._folder / "redis.log").read_text()
        return accepts((HOST, self.port)) and accepts(self.socket)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "redis-server was not started"
        return self._process

    def kill(self) -> None:
        """End it without a warning."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Kill it and start it anew: what it knew is lost."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Let it answer nothing, with all connections as they are."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def tell(self, *words: str) -> bytes:
        """Send one command; what it answers."""
        with socket.create_connection((HOST, self.port), timeout=10) as connection:
            parts = b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)
            connection.sendall(b"*%d\r\n%s" % (len(words), parts))
            return connection.recv(65_536)

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.resume()
            stop(self._process)


@contextlib.contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    """A :class:`RedisServer` that runs until the block ends."""
    server = RedisServer(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.end()

"""A server of address lists that does what it is told, its worst included."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.processes import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Gives the whole answer to a request, bit by bit; the argument is the request's head.
Behaviour = "Callable[[bytes], Iterator[bytes]]"


@dataclass
class ListServer:
    """Answers each connection with what ``behaviour`` yields, then closes it."""

    port: int
    behaviour: Behaviour
    requests: list[bytes] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/public-ip-list"


@contextlib.contextmanager
def list_server(behaviour: Behaviour) -> Iterator[ListServer]:
    """Run a server until the block ends."""
    with socket.create_server((HOST, 0)) as listener:
        server = ListServer(listener.getsockname()[1], behaviour)
        thread = threading.Thread(target=_serve, args=(listener, server))
        thread.start()
        try:
            yield server
        finally:
            server.stop.set()
            # What wakes accept() up.
            with contextlib.suppress(OSError), socket.create_connection((HOST, server.port)):
                pass
            thread.join()


def _serve(listener: socket.socket, server: ListServer) -> None:
    while not server.stop.is_set():
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (some := connection.recv(65536)):
                head += some
            if not head:
                continue
            server.requests.append(head)
            for part in server.behaviour(head):
                connection.sendall(part)


def answer(
    body: bytes | str | object, *fields: str, status: str = "200 OK"
) -> Callable[[bytes], Iterator[bytes]]:
    """The behaviour of a plain answer; a body that is no text is sent as JSON."""
    text = body if isinstance(body, (bytes, str)) else json.dumps(body)
    raw = text.encode() if isinstance(text, str) else text
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", "Connection: close", *fields]

    def behave(_: bytes) -> Iterator[bytes]:
        yield "\r\n".join([*lines, "", ""]).encode() + raw

    return behave

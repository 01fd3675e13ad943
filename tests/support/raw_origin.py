"""The application behind a proxy, read byte by byte: what a parser would hide is shown too."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socketserver
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.processes import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_MAX_BODY = 1 << 24


@dataclass(frozen=True)
class Arrival:
    """One request as it came over the wire.

    Attributes:
        method, target: of its first line.
        fields: names as received, and values, in order.
        body: its length only matters, so that is what is kept of a long one.
        trailers: the fields after a chunked body.
    """

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()

    def values(self, name: str) -> list[str]:
        """The values of a field, by its name in any case."""
        return [value for field, value in self.fields if field.lower() == name.lower()]

    @property
    def upgrades(self) -> bool:
        """Whether it asks for a WebSocket, as a careless application would read it."""
        return any(value.strip().lower() == "websocket" for value in self.values("Upgrade"))


@dataclass
class Origin:
    """A running application of this kind.

    Attributes:
        port: where it listens.
        arrivals: all requests that reached it, in the order in which they did.
    """

    port: int
    arrivals: list[Arrival] = field(default_factory=list)


@contextlib.contextmanager
def raw_origin() -> Iterator[Origin]:
    """Run it in threads until the block ends."""
    with _Server((HOST, 0), _Handler) as server:
        server.origin = Origin(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.origin
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128
    origin: Origin

    def handle_error(self, *_args: Any) -> None:
        """Nothing: a proxy may drop an idle connection at any time."""


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        while (arrival := _read(self.rfile)) is not None:
            self.server.origin.arrivals.append(arrival)
            if arrival.upgrades:
                # What a WebSocket looks like to a proxy; nothing more is said on it.
                self.wfile.write(
                    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                    b"Upgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n" % _accept(arrival)
                )
                return
            told = json.dumps(
                {"method": arrival.method, "target": arrival.target, "fields": arrival.fields}
            ).encode()
            body = b"" if arrival.method == "HEAD" else told
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(told)}\r\n\r\n"
            self.wfile.write(head.encode() + body)


def _accept(arrival: Arrival) -> bytes:
    """RFC 6455, 4.2.2."""
    key = "".join(arrival.values("Sec-WebSocket-Key")) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1(key.encode("latin-1"), usedforsecurity=False).digest())


def _read(stream: BinaryIO) -> Arrival | None:
    first = _line(stream)
    if first is None:
        return None
    method, _, rest = first.partition(" ")
    fields = _fields(stream)
    arrival = Arrival(method, rest.rpartition(" ")[0], fields)
    trailers: tuple[tuple[str, str], ...] = ()
    body = b""
    if any("chunked" in value.lower() for value in arrival.values("Transfer-Encoding")):
        while size := int((_line(stream) or "0").partition(";")[0], 16):
            body += stream.read(min(size, _MAX_BODY))
            stream.readline()
        trailers = _fields(stream)
    elif lengths := arrival.values("Content-Length"):
        body = stream.read(min(int(lengths[0]), _MAX_BODY))
    return Arrival(method, arrival.target, fields, body.decode("latin-1"), trailers)


def _fields(stream: BinaryIO) -> tuple[tuple[str, str], ...]:
    found = []
    while line := _line(stream):
        name, _, value = line.partition(":")
        found.append((name, value.strip()))
    return tuple(found)


def _line(stream: BinaryIO) -> str | None:
    line = stream.readline(1 << 16)
    return line.decode("latin-1").rstrip("\r\n") if line.endswith(b"\n") else None

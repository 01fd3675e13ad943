"""Bytes over a plain socket: nothing here normalises what is sent."""

from __future__ import annotations

import http.client
import io
import socket
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = tuple[str, int] | str


class Answer(NamedTuple):
    """One HTTP response, its header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def connect(address: Address, *, seconds: float = 10) -> socket.socket:
    """A connection to a (host, port) or a Unix socket path that gives up after *seconds*."""
    client = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    client.settimeout(seconds)
    client.connect(address)
    return client


def converse(address: Address, sent: bytes, *, seconds: float = 10) -> bytes:
    """Send *sent* and return everything that comes back until the server closes.

    Raises:
        TimeoutError: the server neither answered nor closed in time: it hangs.
    """
    received = bytearray()
    with connect(address, seconds=seconds) as client:
        try:
            client.sendall(sent)
            while part := client.recv(65536):
                received += part
        except (BrokenPipeError, ConnectionResetError):
            # The server had enough before it read all of it; what it said counts.
            pass
    return bytes(received)


def answers(received: bytes, methods: Iterable[str]) -> list[Answer]:
    """The responses in *received* to requests with *methods*, as many as there are."""
    stream = _Open(received)
    found = []
    for method in methods:
        if stream.tell() == len(received):
            break
        response = http.client.HTTPResponse(_Connection(stream), method=method)  # type: ignore[arg-type]
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        found.append(Answer(response.status, headers, response.read()))
    assert stream.tell() == len(received), f"left over: {received[stream.tell() :]!r}"
    return found


class _Open(io.BytesIO):
    def close(self) -> None:
        """The next response is in the same stream."""


class _Connection:
    def __init__(self, stream: io.BytesIO) -> None:
        self._stream = stream

    def makefile(self, _mode: str) -> io.BytesIO:
        return self._stream

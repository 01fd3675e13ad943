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
    try:
        client.connect(address)
    except BaseException:
        client.close()
        raise
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
        found.append(_answer(stream, method))
    assert stream.tell() == len(received), f"left over: {received[stream.tell() :]!r}"
    return found


class Stream:
    """The answers on a connection, one after the other, while it stays open."""

    def __init__(self, client: socket.socket) -> None:
        self._reader = _Kept(_Received(client))

    def answer(self, method: str) -> Answer:
        """The next answer, to a request with *method*.

        Raises:
            EOFError: the connection ended before it was whole.
            OSError: it was reset, or there was none in time.
        """
        try:
            return _answer(self._reader, method)
        except http.client.HTTPException as error:
            raise EOFError(repr(error)) from None


def _answer(stream: io.BufferedIOBase, method: str) -> Answer:
    response = http.client.HTTPResponse(_Connection(stream), method=method)  # type: ignore[arg-type]
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read())


class _Open(io.BytesIO):
    def close(self) -> None:
        """The next response is in the same stream."""


class _Received(io.RawIOBase):
    """What a socket receives; unlike its makefile(), it does not hold the socket open."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        return self._client.recv_into(buffer)


class _Kept(io.BufferedReader):
    def close(self) -> None:
        """The next response is in the same stream."""


class _Connection:
    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream

    def makefile(self, _mode: str) -> io.BufferedIOBase:
        return self._stream

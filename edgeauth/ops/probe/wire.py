"""One request on one connection: exact bytes out, the head of the answer in.

HTTP clients tidy up what they send (they merge duplicate fields, refuse odd bytes, rewrite
paths), and what a gate does with the untidy is just what has to be seen.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from edgeauth.errors import ConfigurationError

_MAX_HEAD_BYTES = 64 << 10
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})[ \r]")
_LOCATION = re.compile(rb"\r\nlocation:[ \t]*([^\r]*)", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9a-fA-F:.]{2,45}")
_SWITCHING = 101
_FIRST_FINAL_STATUS = 200


class Target(NamedTuple):
    """Where requests go.

    Attributes:
        authority: the value of the Host field.
        path: the path and query of the URL.
        address: host and port to connect to.
        tls: how certificates are checked; None for plain HTTP.
        name: the name that the certificate must have.
    """

    authority: str
    path: str
    address: tuple[str, int]
    tls: ssl.SSLContext | None
    name: str

    @classmethod
    def parse(cls, url: str, *, connect: str | None = None, cacert: str | None = None) -> Target:
        """Read a URL; *connect* is another HOST:PORT to connect to, *cacert* a CA to trust.

        Raises:
            ConfigurationError: one of them cannot be used.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port, parts = "", None, urlsplit("")
        if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host) or parts.username:
            raise ConfigurationError(f"URL {url!a} must be like https://origin.example/page")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not path.isascii() or not path.isprintable() or " " in path:
            raise ConfigurationError(f"URL {url!a} must have its odd characters written as %XX")
        secure = parts.scheme == "https"
        address = (host, port or (443 if secure else 80)) if connect is None else _address(connect)
        return cls(parts.netloc, path, address, _context(cacert) if secure else None, host)


class Answer(NamedTuple):
    """What came back.

    Attributes:
        status: the final status; None where there was none.
        failure: ``unreachable``, ``closed``, ``timeout`` or ``no-http``; None with a status.
        detail: where a redirect leads, or what the failure was.
    """

    status: int | None
    failure: str | None = None
    detail: str = ""


def send(target: Target, sent: bytes, *, timeout: float) -> Answer:
    """Send *sent* on a connection of its own; the whole takes *timeout* seconds at most."""
    deadline = time.monotonic() + timeout
    try:
        connection = socket.create_connection(target.address, timeout=timeout)
    except OSError as error:
        return Answer(None, "unreachable", str(error))
    with connection:
        try:
            stream = connection
            if target.tls is not None:
                stream = target.tls.wrap_socket(connection, server_hostname=target.name)
        except OSError as error:
            return Answer(None, "unreachable", f"TLS: {error}")
        with stream:
            return _exchange(stream, sent, deadline)


def _exchange(stream: socket.socket, sent: bytes, deadline: float) -> Answer:
    received = b""
    try:
        stream.sendall(sent)
    except TimeoutError:
        return Answer(None, "timeout")
    except OSError:
        pass  # it had enough before it read all of it; what it said counts
    while True:
        head, end, rest = received.partition(b"\r\n\r\n")
        if end:
            answer = _answer(head + b"\r")
            if answer.status is None or _is_final(answer.status):
                return answer
            received = rest
            continue
        if len(received) > _MAX_HEAD_BYTES:
            return Answer(None, "no-http", f"the head is over {_MAX_HEAD_BYTES} bytes")
        part = _receive(stream, deadline)
        if part is None:
            return Answer(None, "timeout")
        if not part:
            return Answer(None, "no-http" if received else "closed")
        received += part


def _receive(stream: socket.socket, deadline: float) -> bytes | None:
    """The next bytes; none at the end of the stream, and None at that of the time."""
    left = deadline - time.monotonic()
    if left <= 0:
        return None
    stream.settimeout(left)
    try:
        return stream.recv(4096)
    except TimeoutError:
        return None
    except OSError:
        return b""


def _is_final(status: int) -> bool:
    return status >= _FIRST_FINAL_STATUS or status == _SWITCHING


def _answer(head: bytes) -> Answer:
    status = _STATUS.match(head)
    if status is None:
        return Answer(None, "no-http", "the answer is not HTTP/1")
    location = _LOCATION.search(head)
    return Answer(int(status[1]), None, location[1].decode("latin-1") if location else "")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not _HOST.fullmatch(host) or not re.fullmatch(r"[0-9]{1,5}", port):
        raise ConfigurationError(f"--connect {text!a} must be HOST:PORT, such as 192.0.2.1:443")
    return host, int(port)


def _context(cacert: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cacert)
    except OSError as error:
        raise ConfigurationError(f"--cacert {cacert!a} cannot be used: {error}") from None

"""A server that answers with fixed bytes, and keeps what it was sent."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from typing import TYPE_CHECKING

from support.processes import HOST

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator


class Canned(socketserver.ThreadingTCPServer):
    """What *answer* makes of the socket happens on each connection, once a head was read.

    Attributes:
        port: where it listens.
        heads: the heads of all requests, in order.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(
        self, answer: bytes | Callable[[socket.socket], None], tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__((HOST, 0), _Handler)
        self.answer = answer
        self.tls = tls
        self.port = self.server_address[1]
        self.heads: list[bytes] = []

    def handle_error(self, request, client_address):
        """A client that goes away is what some tests are about."""


class _Handler(socketserver.BaseRequestHandler):
    server: Canned

    def handle(self) -> None:
        stream = self.request
        if self.server.tls is not None:
            stream = self.server.tls.wrap_socket(stream, server_side=True)
        received = b""
        while b"\r\n\r\n" not in received and (part := stream.recv(65536)):
            received += part
        self.server.heads.append(received)
        if callable(self.server.answer):
            self.server.answer(stream)
        else:
            stream.sendall(self.server.answer)
        stream.close()


@contextlib.contextmanager
def canned(
    answer: bytes | Callable[[socket.socket], None] = b"HTTP/1.1 200 OK\r\n\r\n",
    tls: ssl.SSLContext | None = None,
) -> Iterator[Canned]:
    """Such a server, until the block ends."""
    with Canned(answer, tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

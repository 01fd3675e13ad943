"""A WSGI environ whose body comes over a connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def uploading(sent: bytes, **variables: Any) -> Iterator[tuple[dict[str, Any], socket.socket]]:
    """An environ whose body comes from a socket, and the client's end of it.

    A test fails that waits for the client for ten seconds, on either end.
    """
    client, server = socket.socketpair()
    waited = threading.Event()

    def leave() -> None:
        waited.set()
        client.shutdown(socket.SHUT_WR)

    patience = threading.Timer(10, leave)
    with client, server, server.makefile("rb") as stream:
        client.settimeout(10)
        client.sendall(sent)
        patience.start()
        try:
            yield {"REQUEST_METHOD": "POST", "wsgi.input": stream, **variables}, client
        finally:
            patience.cancel()
            patience.join()
    assert not waited.is_set(), "nobody ended the read"

"""A WSGI environ whose body comes over a connection."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def uploading(sent: bytes, **variables: Any) -> Iterator[tuple[dict[str, Any], socket.socket]]:
    """An environ whose body comes from a socket, and the client's end of it."""
    client, server = socket.socketpair()
    with client, server, server.makefile("rb") as stream:
        client.sendall(sent)
        yield {"REQUEST_METHOD": "POST", "wsgi.input": stream, **variables}, client

"""The application behind a proxy: it tells what reached it."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from support.processes import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _tell(self) -> None:
        if self.server.reached is not None:
            self.server.reached.append(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        told = {
            "method": self.command,
            "target": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode("latin-1"),
        }
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _tell  # noqa: N815

    def log_message(self, *_args: object) -> None:
        """Nothing: the proxies' logs are what the tests read."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    reached: list[str] | None = None

    def handle_error(self, *_args: object) -> None:
        """Nothing: a proxy may drop an idle connection at any time."""


@contextlib.contextmanager
def telling_application(reached: list[str] | None = None) -> Iterator[int]:
    """Run it in a thread until the block ends; gives its port.

    Args:
        reached: gets the target of each request that reaches it.
    """
    server = _Server((HOST, 0), _Handler)
    server.reached = reached
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

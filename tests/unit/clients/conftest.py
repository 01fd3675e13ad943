"""Two real servers on loopback that tell what reached them."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Origin:
    """A server that notes (path, value of the credential) of each request.

    ``/to?URL`` redirects to URL, given as it shall stand in the Location field.
    """

    def __init__(self):
        self.seen = []
        self.names = set()
        origin = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                origin.seen.append((self.path, self.headers.get("Edge-Auth")))
                origin.names |= {name.lower() for name in self.headers}
                _, _, target = self.path.partition("/to?")
                self.send_response(302 if target else 200)
                if target:
                    self.send_header("Location", target)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def paths(self):
        return [path for path, _value in self.seen]

    @property
    def values(self):
        return [value for _path, value in self.seen]

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def home():
    origin = Origin()
    yield origin
    origin.close()


@pytest.fixture
def abroad():
    origin = Origin()
    yield origin
    origin.close()

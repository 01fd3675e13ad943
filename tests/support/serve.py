"""``python -m support.serve NAME module:attribute OPTIONS``: servers that have no such command.

Each is started as its documentation starts it.
"""

# ruff: noqa: PLC0415 - a run needs the package of one server, and of no other

from __future__ import annotations

import argparse
import asyncio
import socketserver
from importlib import import_module
from typing import TYPE_CHECKING, Any
from wsgiref import simple_server

from support.processes import HOST

if TYPE_CHECKING:
    from collections.abc import Callable


def gevent(app: Any, given: argparse.Namespace) -> None:
    from gevent import baseserver, pywsgi

    listener = (HOST, given.port) if given.path is None else _unix_of_gevent(given.path)
    server: baseserver.BaseServer = pywsgi.WSGIServer(listener, app)
    server.serve_forever()


def _unix_of_gevent(path: str) -> Any:
    import gevent.socket

    listener = gevent.socket.socket(gevent.socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    return listener


def tornado(app: Any, given: argparse.Namespace) -> None:
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_unix_socket
    from tornado.wsgi import WSGIContainer

    async def serve() -> None:
        server = HTTPServer(WSGIContainer(app))
        if given.path is None:
            server.listen(given.port, HOST)
        else:
            server.add_socket(bind_unix_socket(given.path))
        await asyncio.Event().wait()

    asyncio.run(serve())


def wsgiref(app: Any, given: argparse.Namespace) -> None:
    # A connection that says nothing would hold up all others, as it does without threads.
    class Threads(socketserver.ThreadingMixIn, simple_server.WSGIServer):
        daemon_threads = True

    with simple_server.make_server(HOST, given.port, app, server_class=Threads) as server:
        server.serve_forever()


def a2wsgi(app: Any, given: argparse.Namespace) -> None:
    import uvicorn
    from a2wsgi import WSGIMiddleware

    where = {"port": given.port} if given.path is None else {"uds": given.path}
    wrapped: Any = WSGIMiddleware(app)
    uvicorn.run(wrapped, host=HOST, root_path=given.root, access_log=False, **where)


_BY_NAME: dict[str, Callable[[Any, argparse.Namespace], None]] = {
    "gevent": gevent,
    "tornado": tornado,
    "wsgiref": wsgiref,
    "a2wsgi": a2wsgi,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="support.serve")
    parser.add_argument("name", choices=_BY_NAME)
    parser.add_argument("app")
    parser.add_argument("--port", type=int)
    parser.add_argument("--path")
    parser.add_argument("--root", default="")
    given = parser.parse_args()
    module, _, attribute = given.app.partition(":")
    _BY_NAME[given.name](getattr(import_module(module), attribute), given)


if __name__ == "__main__":
    main()

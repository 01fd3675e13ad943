"""Application servers, a line each: how one is started with an application, and where it listens.

A server that is added here is in every matrix of servers from then on. ``serve.py`` starts
those that have no command of their own.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from support.processes import HOST, free_port, running

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

    from support.wire import Address

_TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Running:
    """A server that runs.

    Attributes:
        address: where it listens: (host, port), or the path of a Unix socket.
        log: what it prints.
        process: the one that was started; it leads a process group.
    """

    address: Address
    log: Path
    process: subprocess.Popen[bytes]


@dataclass(frozen=True)
class Server:
    """How a server is started: the module to run, and options, in the words of a command line.

    ``{app}`` (``module:attribute``), ``{dotted}`` (``module.attribute``), ``{port}``,
    ``{path}`` and ``{root}`` stand for what each run fills in.

    Attributes:
        kind: what applications it runs.
        command: its module, what it always needs, and last the application.
        tcp: how it is told of a port of loopback.
        unix: how it is told of a Unix socket; None if it cannot have one.
        root: how it is told of a mount point; None if it cannot have one.
    """

    kind: Literal["asgi", "wsgi"]
    command: str
    tcp: str
    unix: str | None = None
    root: str | None = None

    @contextlib.contextmanager
    def serving(
        self,
        app: str,
        folder: Path,
        *,
        options: tuple[str, ...] = (),
        unix: bool = False,
        root: str = "",
        env: Mapping[str, str] | None = None,
    ) -> Iterator[Running]:
        """Run it until the block ends.

        Args:
            app: ``module:attribute``, importable from the folder of the tests.
            folder: of its files; a Unix socket's path must be short.
            options: more words of the command line.
            unix: whether it listens on a Unix socket.
            root: the mount point that it is told of.
            env: more variables.
        """
        bind, mount = self.unix if unix else self.tcp, self.root if root else ""
        if bind is None or mount is None:
            raise ValueError(f"it cannot have that: unix={unix}, root={root!r}")
        places = {
            "app": app,
            "dotted": app.replace(":", "."),
            "port": free_port(),
            "path": folder / "s",
            "root": root,
        }
        address: Address = str(places["path"]) if unix else (HOST, places["port"])
        *first, last = self.command.split()
        words = [*first, *bind.split(), *mount.split(), *options, last]
        with running(
            [sys.executable, "-m", *(word.format(**places) for word in words)],
            address=address,
            log=folder / "log",
            cwd=folder,
            env={"PYTHONPATH": str(_TESTS), **(env or {})},
        ) as process:
            yield Running(address, folder / "log", process)


# Hypercorn without workers serves in the process that was started; gunicorn's plain worker
# closes each connection after one answer, its threaded one does not.
# ruff: noqa: E501 - a server is a line
# fmt: off
SERVERS: dict[str, Server] = {
    "uvicorn-h11": Server("asgi", "uvicorn --http=h11 --no-access-log {app}", "--port={port}", "--uds={path}", "--root-path={root}"),
    "uvicorn-httptools": Server("asgi", "uvicorn --http=httptools --no-access-log {app}", "--port={port}", "--uds={path}", "--root-path={root}"),
    "hypercorn": Server("asgi", "hypercorn --workers=0 {app}", "--bind=127.0.0.1:{port}", "--bind=unix:{path}", "--root-path={root}"),
    "granian": Server("asgi", "granian --interface=asgi {app}", "--port={port}", "--uds={path}", "--url-path-prefix={root}"),
    "daphne": Server("asgi", "daphne --verbosity=0 {app}", "--port={port}", "--unix-socket={path}", "--root-path={root}"),
    "gunicorn-asgi": Server("asgi", "gunicorn --worker-class=asgi {app}", "--bind=127.0.0.1:{port}", "--bind=unix:{path}", "--root-path={root}"),
    "gunicorn-uvicorn": Server("asgi", "gunicorn --worker-class=uvicorn_worker.UvicornWorker {app}", "--bind=127.0.0.1:{port}", "--bind=unix:{path}"),
    "gunicorn-sync": Server("wsgi", "gunicorn {app}", "--bind=127.0.0.1:{port}", "--bind=unix:{path}", "--env=SCRIPT_NAME={root}"),
    "gunicorn": Server("wsgi", "gunicorn --threads=2 {app}", "--bind=127.0.0.1:{port}", "--bind=unix:{path}", "--env=SCRIPT_NAME={root}"),
    "gunicorn-gevent": Server("wsgi", "gunicorn --worker-class=gevent {app}", "--bind=127.0.0.1:{port}", "--bind=unix:{path}", "--env=SCRIPT_NAME={root}"),
    "waitress": Server("wsgi", "waitress {app}", "--listen=127.0.0.1:{port}", "--unix-socket={path}", "--url-prefix={root}"),
    "granian-wsgi": Server("wsgi", "granian --interface=wsgi {app}", "--port={port}", "--uds={path}", "--url-path-prefix={root}"),
    "hypercorn-wsgi": Server("wsgi", "hypercorn --workers=0 wsgi:{app}", "--bind=127.0.0.1:{port}", "--bind=unix:{path}", "--root-path={root}"),
    "cheroot": Server("wsgi", "cheroot {app}", "--bind=127.0.0.1:{port}", "--bind={path}"),
    "twisted": Server("wsgi", "twisted web --wsgi={dotted}", "--listen=tcp:{port}:interface=127.0.0.1", "--listen=unix:{path}"),
    "uwsgi": Server("wsgi", "support.uwsgi --master --need-app --die-on-term --enable-threads --module={app}", "--http-socket=127.0.0.1:{port}", "--http-socket={path}", "--mount={root}={app} --manage-script-name"),
    "gevent": Server("wsgi", "support.serve gevent {app}", "--port={port}", "--path={path}"),
    "tornado": Server("wsgi", "support.serve tornado {app}", "--port={port}", "--path={path}"),
    "wsgiref": Server("wsgi", "support.serve wsgiref {app}", "--port={port}"),
    "a2wsgi": Server("wsgi", "support.serve a2wsgi {app}", "--port={port}", "--path={path}", "--root={root}"),
}
# fmt: on

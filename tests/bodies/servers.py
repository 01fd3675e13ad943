"""The servers that meet an upload which nobody signed."""

from __future__ import annotations

import contextlib
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.processes import HOST, free_port, running
from support.wire import answers, converse

from edgeauth import sign

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "some-secret-that-strangers-lack"

_TESTS = Path(__file__).parents[1]
_SCRIPTS = Path(sysconfig.get_path("scripts"))


@dataclass(frozen=True)
class Server:
    """How a server is started with one worker; ``{port}`` is filled in.

    Attributes:
        name: for test ids.
        arguments: the command, a script of the environment first, and its options.
        app: the application in :mod:`bodies.origin`.
        keeps_connections: whether it keeps connections, or closes each without a word. nginx
            keeps them by itself since 1.29.7, and uses one now and then that such a server has
            just closed: a 502 without any upload.
    """

    name: str
    arguments: str
    app: str
    keeps_connections: bool = True

    @contextlib.contextmanager
    def serving(self, folder: Path, name: str) -> Iterator[int]:
        """Run it until the block ends; gives its port."""
        port = free_port()
        program, *rest = self.arguments.format(port=port, app=f"bodies.origin:{self.app}").split()
        argv = [_SCRIPTS / program, *rest]
        if program == "python":
            argv[0] = Path(sys.executable)
        environ = {"PYTHONPATH": str(_TESTS), "EDGEAUTH_SECRET": SECRET}
        log = folder / f"{name}.log"
        with running(argv, address=(HOST, port), log=log, cwd=folder, env=environ):
            # Most listen before they have imported the application.
            assert signed(port) == 200
            yield port


def signed(port: int) -> int:
    """The status of a signed request."""
    head = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nEdge-Auth: {sign(SECRET, pop='LHR')}\r\n"
    sent = f"{head}Connection: close\r\n\r\n".encode()
    (answer,) = answers(converse((HOST, port), sent, seconds=20), ["GET"])
    return answer.status


def _gunicorn(name: str, app: str, *options: str) -> Server:
    bind = "--bind=127.0.0.1:{port} --no-control-socket"
    return Server(name, " ".join(["gunicorn {app}", bind, *options]), app)


_UWSGI = "uwsgi --http=127.0.0.1:{port} --module={app} --master --need-app --die-on-term"
_GRANIAN = "granian {app} --host=127.0.0.1 --port={port} --interface="

WSGI = (
    _gunicorn("gunicorn-sync", "wsgi"),
    _gunicorn("gunicorn-gthread", "wsgi", "--threads=2"),
    _gunicorn("gunicorn-gevent", "wsgi", "--worker-class=gevent"),
    _gunicorn("flask-gunicorn", "flask"),
    _gunicorn("django-gunicorn", "django_wsgi"),
    Server("uwsgi-http", _UWSGI, "wsgi", keeps_connections=False),
    Server(
        "uwsgi-http-socket",
        _UWSGI.replace("--http=", "--http-socket="),
        "wsgi",
        keeps_connections=False,
    ),
    Server("granian-wsgi", f"{_GRANIAN}wsgi --blocking-threads=1", "wsgi"),
    Server("waitress", "waitress-serve --listen=127.0.0.1:{port} {app}", "wsgi"),
    Server("cheroot", "cheroot {app} --bind=127.0.0.1:{port} --threads=1", "wsgi"),
)
ASGI = (
    Server("hypercorn", "hypercorn {app} --bind=127.0.0.1:{port} --workers=0", "asgi"),
    Server(
        "hypercorn-trio",
        "hypercorn {app} --bind=127.0.0.1:{port} --workers=0 --worker-class=trio",
        "asgi",
    ),
    Server("granian-asgi", f"{_GRANIAN}asgi", "asgi"),
    Server("uvicorn", "uvicorn {app} --port={port} --http=httptools", "asgi"),
    Server("uvicorn-h11", "uvicorn {app} --port={port} --http=h11", "asgi"),
    Server("daphne", "daphne {app} --bind=127.0.0.1 --port={port}", "asgi"),
    _gunicorn("gunicorn-asgi", "asgi", "--worker-class=asgi"),
    Server(
        "django-hypercorn", "hypercorn {app} --bind=127.0.0.1:{port} --workers=0", "django_asgi"
    ),
)
SERVERS = (*WSGI, *ASGI)

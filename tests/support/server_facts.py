"""What each server makes of a request, where it matters to a gate: measured, and held by a test.

``tests/integrations/test_server_facts.py`` asks the real servers; ``docs/servers.md`` has the same
as a table. A server in ``support/servers.py`` needs a line here.
"""

from __future__ import annotations

from dataclasses import dataclass

# What becomes of X_Forwarded_For beside X-Forwarded-For.
APART = "apart"  # two names, as sent
DROPPED = "dropped"  # a name with an underscore does not arrive
JOINED = "joined"  # one value: both, with a comma
LAST = "last"  # one value: that of the field that was sent last
# What becomes of the trailers of a chunked body.
MERGED = "merged"  # they are among the fields
REFUSED = "refused"  # such a request is refused
UNREAD = "unread"  # the server reads no chunked bodies


@dataclass(frozen=True)
class Facts:
    """One server.

    Attributes:
        title: what people call it.
        look_alike: what becomes of a field whose name has an underscore for a dash.
        trailers: what becomes of them.
        mount: the field by which a client sets the mount point; None: there is none.
        target: whether the application learns the target as it was sent: yes or no.
        unix_peer: the address that the application sees of a peer on a Unix socket: that of
            ``client`` or ``REMOTE_ADDR``; None: absent, or None; ``"-"``: no Unix sockets.
        unix_server: ``server`` or ``SERVER_NAME:SERVER_PORT`` there; None: absent, or None. PATH
            stands for the path of the socket, HOST for the client's Host field, HOSTNAME for
            the machine's.
    """

    title: str
    look_alike: str
    trailers: str
    mount: str | None
    target: str
    unix_peer: str | None
    unix_server: str | None


FACTS: dict[str, Facts] = {
    "uvicorn-h11": Facts("uvicorn, h11", APART, DROPPED, None, "yes", None, "PATH"),
    "uvicorn-httptools": Facts("uvicorn, httptools", APART, MERGED, None, "yes", None, "PATH"),
    "hypercorn": Facts("Hypercorn", APART, DROPPED, None, "yes", None, None),
    "granian": Facts("Granian", APART, DROPPED, None, "yes", "", "PATH:0"),
    "daphne": Facts("Daphne", DROPPED, DROPPED, "Daphne-Root-Path", "yes", None, None),
    "gunicorn-asgi": Facts(
        "gunicorn, `asgi` worker", DROPPED, DROPPED, None, "yes", None, "PATH[0]:PATH[1]"
    ),
    "gunicorn-uvicorn": Facts("gunicorn, uvicorn worker", APART, MERGED, None, "yes", None, "PATH"),
    "gunicorn-sync": Facts(
        "gunicorn, `sync`", DROPPED, DROPPED, "SCRIPT_NAME", "yes", "", "HOST:80"
    ),
    "gunicorn": Facts("gunicorn, `gthread`", DROPPED, DROPPED, "SCRIPT_NAME", "yes", "", "HOST:80"),
    "gunicorn-gevent": Facts(
        "gunicorn, `gevent`", DROPPED, DROPPED, "SCRIPT_NAME", "yes", "", "HOST:80"
    ),
    "waitress": Facts(
        "waitress", DROPPED, DROPPED, None, "yes", "localhost", "waitress.invalid:PATH"
    ),
    "granian-wsgi": Facts("Granian, WSGI", LAST, DROPPED, None, "no", "", "PATH:0"),
    "hypercorn-wsgi": Facts("Hypercorn, WSGI", JOINED, DROPPED, None, "no", None, "localhost"),
    "cheroot": Facts("cheroot", LAST, DROPPED, None, "yes", "", "Cheroot:"),
    "twisted": Facts("Twisted", LAST, DROPPED, None, "no", "-", None),
    "uwsgi": Facts("uWSGI", JOINED, DROPPED, None, "yes", "0.0.0.0", "HOSTNAME:80"),
    "gevent": Facts("gevent", DROPPED, DROPPED, None, "no", None, ":"),
    "tornado": Facts("Tornado", LAST, REFUSED, None, "no", "0.0.0.0", "HOST:80"),
    "wsgiref": Facts("wsgiref", JOINED, UNREAD, None, "no", "-", None),
    "a2wsgi": Facts("a2wsgi on uvicorn, httptools", JOINED, MERGED, None, "no", None, "PATH:0"),
}


def folds(name: str) -> bool:
    """Whether a client can say an address that its proxy did not: the proxy must drop such names.

    a2wsgi tells the ASGI scope too, and a gate reads that.
    """
    return FACTS[name].look_alike in {JOINED, LAST} and name != "a2wsgi"

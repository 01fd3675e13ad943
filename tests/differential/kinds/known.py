"""What servers are known to do by themselves to a request that the edge signed, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from differential.kinds.grammar import Case


def refuses(server: str, case: Case) -> bool:
    """Whether it is a way of *server* to refuse *case*, or to fail, by itself."""
    method, target, _ = case.raw.split(b" ", 2)
    if server in {"tornado", "hypercorn-wsgi"}:
        # Their WSGI fails where an answer to HEAD has no body.
        return method == b"HEAD"
    # It takes such a target for one with a host.
    return server == "cheroot" and target.startswith(b"//")


def routes_otherwise(server: str, saw: dict[str, Any]) -> bool:
    """Whether it is a way of *server* that the application routes another path than was sent."""
    path = saw["target"].partition("?")[0]
    if server == "waitress":
        # Slashes at the front are made one, for the application too.
        return path.startswith("//")
    if server == "cheroot":
        # An escaped slash stays escaped.
        return "%2f" in path.lower()
    if server == "uwsgi":
        # Dots and slashes are taken out of the path.
        segments = unquote(path).split("/")[1:]
        return "." in segments or ".." in segments or "" in segments
    return False

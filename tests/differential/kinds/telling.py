"""What a server handed over, and what an application saw of it, as a text for one field.

It is read from the scope and the environ here, by nothing of the package.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where the applications find it.
HANDED = "kinds.handed"
_PLAIN = ("CONTENT_TYPE", "CONTENT_LENGTH")


def of_scope(scope: dict[str, Any]) -> dict[str, Any]:
    target, query = scope.get("raw_path"), scope["query_string"]
    if target is not None and query:
        target += b"?" + query
    return {
        "method": scope["method"],
        "target": _text(target),
        "routed": scope["path"],
        "query": _text(query),
        # There "/" and "/?" are one.
        "empty_query": target is not None and not query,
        "peer": (scope["client"] or [None])[0],
        "fields": [[_text(name), _text(value)] for name, value in scope["headers"]],
    }


def of_environ(environ: dict[str, Any]) -> dict[str, Any]:
    fields = [
        [name.removeprefix("HTTP_").replace("_", "-").lower(), value]
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in _PLAIN and value)
    ]
    # As in the URL. Where the mount point ends, a client says at some servers (docs/servers.md).
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    if (scope := environ.get("asgi.scope")) is not None:
        fields = [[_text(name), _text(value)] for name, value in scope["headers"]]
    return {
        "method": environ["REQUEST_METHOD"],
        "target": environ.get("RAW_URI") or environ.get("REQUEST_URI") or None,
        "routed": path.encode("latin-1").decode("utf-8", "replace"),
        "query": environ.get("QUERY_STRING", ""),
        "empty_query": False,
        "peer": environ.get("REMOTE_ADDR"),
        "fields": fields,
    }


def told(handed: dict[str, Any], shown: Iterable[str], body: bytes | None) -> str:
    """The value of the field: what was handed over, the names that were shown, the body.

    Args:
        handed: of ``of_scope`` or ``of_environ``.
        shown: names of fields, in lower case.
        body: None where it could not be read.
    """
    return json.dumps({**handed, "shown": sorted(shown), "body": _text(body)})


def variables(environ: Iterable[str]) -> list[str]:
    """The fields whose variables are in an environ."""
    return [
        name.removeprefix("HTTP_").replace("_", "-").lower()
        for name in environ
        if name.startswith("HTTP_")
    ]


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")

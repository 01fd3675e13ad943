"""Finds fields of clients that move a request to an exempt path.

Middleware outside the gate may change the path or the mount point of a request by such a field.
So the app is asked without a credential, for a page that does not exist, with the fields of every
kind of proxy.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from edgeauth.ops.doctor.finding import Finding
from edgeauth.ops.probe.spoofable import Spoof, spoofs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    # The status of the answer to a GET of a path with header fields; None for no answer.
    Ask = Callable[[str, Mapping[str, str]], int | None]

# The answers of a gate, or of a server before it.
_REFUSED = frozenset({400, 401, 403})


def check_spoofed(ask: Ask, exempt: Iterable[str]) -> list[Finding]:
    """The sets of fields that open an app which refuses the same request without them.

    Args:
        ask: asks the app.
        exempt: ``METHOD /exact/path`` entries that its gate lets pass.
    """
    nowhere = f"/{secrets.token_hex(8)}"
    if ask(nowhere, {}) not in _REFUSED:
        return []  # nothing refuses here, as the check of the gates reports
    # A field that opens the app runs a view, so only safe requests are made.
    entries = [entry for entry in exempt if entry.startswith("GET ")] or ["GET /healthz"]
    return [
        _finding(spoof)
        for entry in entries
        for spoof in spoofs("GET", entry.partition(" ")[2])
        if ask(spoof.path or nowhere, dict(spoof.fields)) not in _REFUSED
    ]


def _finding(spoof: Spoof) -> Finding:
    names = ", ".join(name for name, _ in spoof.fields)
    return Finding(
        "spoofed-field",
        "error",
        f"the app lets in whoever sends these fields ({spoof.title}): {names}",
        "Something before the gate believes one of them. Take it away, or let the proxy before "
        "the app set the field in every request.",
    )

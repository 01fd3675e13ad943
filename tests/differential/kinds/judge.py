"""What may come of a request to the gate of a kind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from support.server_facts import FACTS

from differential.kinds import peers
from differential.kinds.known import refuses, routes_otherwise
from differential.kinds.table import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differential.kinds.grammar import Case

_DENIED = 403
# What an odd request is answered, by whomever.
_NOT_IN = 400


@dataclass(frozen=True)
class Came:
    """What came of a request.

    Attributes:
        status: None where the server ended the connection without an answer.
        saw: what the application told of it; None if it was not reached.
    """

    status: int | None
    saw: str | None = None


def wrong_with(case: Case, came: Came, server: str) -> Iterator[str]:
    """What *came* must not be, in sentences."""
    kind = KINDS[case.kind]
    if came.saw is not None:
        saw = json.loads(came.saw)
        if not accepted_by_peer(kind.peer, saw):
            yield f"was let in, and {kind.peer} does not accept {saw}"
        if shown := set(kind.fields) & set(saw["shown"]):
            yield f"shows {shown} to the application"
        if (
            kind.of_a_request
            and not _is_routed_as_signed(saw)
            and not routes_otherwise(server, saw)
        ):
            yield f"routes {saw['routed']!r} and {saw['query']!r}, and signed is {saw['target']!r}"
    elif came.status is not None and came.status < _NOT_IN:
        yield f"was answered {came.status} by no application"
    if case.plain:
        told = FACTS[server].target == "yes" if server in FACTS else True
        enters = told or not kind.of_a_request
        if enters and came.saw is None and not refuses(server, case):
            yield f"was answered {came.status}, and is as the edge signed it"
        if not enters and (came.saw is not None or came.status != _DENIED):
            yield f"was answered {came.status} without the target that is signed"


def accepted_by_peer(peer: str, saw: dict[str, Any]) -> bool:
    """Whether *peer* accepts what was handed over, read in any way that its server leaves open."""
    targets = [saw["target"], f"{saw['target']}?"] if saw["empty_query"] else [saw["target"]]
    fields = tuple((name, value) for name, value in saw["fields"])
    return any(
        peers.accepts(peer, peers.Handed(saw["method"], target, saw["peer"], fields, saw["body"]))
        for target in targets
    )


def _is_routed_as_signed(saw: dict[str, Any]) -> bool:
    path, _, query = saw["target"].encode("latin-1").partition(b"?")
    routed = unquote_to_bytes(path).decode("utf-8", "replace")
    return (routed, query.decode("latin-1")) == (saw["routed"], saw["query"])

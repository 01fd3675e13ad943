"""What a probe tries at a gate for signatures of requests, whatever the kind of the signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from edgeauth.ops.schemes.probe_rows import Plan, Row, bad, good, sent_again

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from edgeauth.ops.schemes.probe_rows import Fields

# Beyond the window by so much that clocks which differ a little do not matter.
BEYOND = 30
LONG = 4_000
# A name that is nobody's (RFC 6761).
_OTHER_HOST = "edgeauth-probe.invalid"


class Signed(Protocol):
    """Makes the fields of a signed request, given the time (Unix seconds) at which it is sent."""

    @property
    def target(self) -> str: ...
    def but(self, **changes: Any) -> Self:  # noqa: ANN401 - what is signed
        """The same with other parts."""

    def __call__(self, now: int) -> list[tuple[str, bytes]]: ...


class Try(NamedTuple):
    """A request, and what it means if it is answered; *idle* is why it would show nothing."""

    id: str
    title: str
    means: str
    fields: Fields
    idle: str | None = None


def rows_of(plan: Plan, tries: Iterable[Try], no_key: str | None = None) -> list[Row]:
    """A row for each of *tries*, which must be refused.

    Args:
        plan: what is known of the origin.
        tries: what is sent.
        no_key: why nothing can be signed; None where it can, or where no key is needed.
    """
    found = []
    for one in tries:
        idle = no_key or one.idle
        if idle is not None:
            found.append(Row(one.id, one.title, "refused", None, idle))
        else:
            found.append(bad(plan, one.id, one.title, one.means, one.fields))
    return found


def genuine_rows(plan: Plan, signed: Signed, *, idle: str | None, new: str, what: str) -> list[Row]:
    """What the edge sends, the very same a second time, and what it sends next.

    Args:
        plan: what is known of the origin.
        signed: what the edge sends.
        idle: why the second one would show nothing; None where it does.
        new: what is new of the next one.
        what: what is the same in the second one.
    """
    found = [
        *sent_again(
            good(plan, "signed", "the edge", signed),
            "the very same request again",
            idle,
            f"the same {what} is answered twice: set replay, one store for all processes",
        ),
        good(plan, "signed-next", f"the edge, with a new {new}", signed),
    ]
    if plan.websocket is not None:
        at_websocket = signed.but(target=plan.websocket)
        sender = "the edge, WebSocket"
        found.append(good(plan, "signed-websocket", sender, at_websocket, websocket=True))
    return found


def for_another_request(
    signed: Signed, parts: Iterable[str], covered: Container[str] | None = None, why: str = ""
) -> list[Try]:
    """What is truly signed, and for a request of which one part is otherwise.

    Args:
        signed: what the edge sends.
        parts: which, each in its turn: ``method``, ``path``, ``host``, ``query``.
        covered: those that are signed; None for all. Of others a try would show nothing.
        why: what is said of those, before the name of the part.
    """
    path, _, query = signed.target.partition("?")
    more = f"{query}&edgeauth-probe=1" if query else "edgeauth-probe=1"
    known: dict[str, tuple[str, str, dict[str, str]]] = {
        "method": (
            "signed for HEAD, sent as GET",
            "the method is not signed: what was signed to read may change something",
            {"method": "HEAD"},
        ),
        "path": (
            "signed for another path",
            "the path is not signed: one signature opens every page",
            {"target": f"{path}x" + (f"?{query}" if query else "")},
        ),
        "host": (
            "signed for another host",
            "the host is not signed: what was signed for another site is good here",
            {"authority": _OTHER_HOST},
        ),
        "query": (
            "signed with another query",
            "the query is not signed: parameters can be changed",
            {"target": f"{path}?{more}"},
        ),
    }
    found = []
    for part in parts:
        title, means, changes = known[part]
        idle = None if covered is None or part in covered else f"{why}{part}"
        found.append(Try(f"other-{part}", title, means, signed.but(**changes), idle))
    return found

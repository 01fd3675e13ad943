"""Looks for what happened to a request, so that its signature is no longer good."""

from __future__ import annotations

from itertools import chain, combinations, islice, product
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import MalformedHeader
from edgeauth.ops.schemes.diagnosis import Finding
from edgeauth.ops.schemes.rewrites import Rewrite, lost_ports, rewrites
from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from edgeauth.ops.schemes.seen import Seen

    # What a scheme signs of a request; MalformedHeader where it cannot.
    Message = Callable[[Seen], bytes]

# Half a second of HMAC; what a public key needs for one costs ten times as much.
MOST = 20_000
MOST_WITH_PUBLIC_KEYS = 4_000


class Explained(NamedTuple):
    """What the edge signed, and what happened to it."""

    signed: Seen
    findings: list[Finding]


def search(
    seen: Seen,
    message: Message,
    fits: Callable[[bytes], bool],
    *,
    fields: Iterable[str] = (),
    ports: bool = False,
    most: int = MOST,
) -> Explained | None:
    """What happened to *seen*, if one usual thing or two explain its signature.

    Args:
        seen: the request as it was received.
        message: makes what is signed. What it does not look at is not tried.
        fits: whether the signature is one of such a message.
        fields: the names of the fields that are signed.
        ports: whether every port that Host may have lost is tried as well.
        most: how many messages are tried before the ports.
    """
    as_received = _made(message, seen)
    of_parts = [
        [
            one
            for one in of_a_part
            if as_received is None or _made(message, one.signed) != as_received
        ]
        for of_a_part in rewrites(seen, fields)
    ]
    more = ((one,) for one in lost_ports(seen)) if ports else _nothing()
    tried: set[bytes] = set()
    for changes in chain(islice(_ones_and_twos(of_parts), most), more):
        request = _both(seen, changes)
        found = _made(message, request)
        if found is None or found in tried:
            continue
        tried.add(found)
        if fits(found):
            findings = [Finding(one.code, escaped(one.text)) for one in changes]
            return Explained(request, findings)
    return None


def _made(message: Message, request: Seen) -> bytes | None:
    try:
        return message(request)
    except MalformedHeader:
        return None


def _nothing() -> Iterator[tuple[Rewrite, ...]]:
    yield from ()


def _ones_and_twos(of_parts: list[list[Rewrite]]) -> Iterator[tuple[Rewrite, ...]]:
    yield from ((one,) for one in chain.from_iterable(of_parts))
    for first, second in combinations(of_parts, 2):
        yield from product(first, second)


def _both(seen: Seen, changes: tuple[Rewrite, ...]) -> Seen:
    """*seen* with all of *changes*."""
    found = changes[0].signed
    for change in changes[1:]:
        found = found.as_changed(seen, change.signed)
    return found

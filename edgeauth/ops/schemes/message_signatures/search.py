"""Looks for what happened to a request, so that its signature is no longer good."""

from __future__ import annotations

from itertools import chain, combinations, islice, product
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import MalformedHeader
from edgeauth.keys import Key
from edgeauth.ops.schemes.diagnosis import Finding
from edgeauth.ops.schemes.message_signatures.makers import made_by
from edgeauth.ops.schemes.message_signatures.rewrites import Rewrite, lost_ports, rewrites
from edgeauth.ops.schemes.message_signatures.seen import Seen, name_of
from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeauth.public_keys import PublicKey
    from edgeauth.schemes.message_signatures.base import Base

# Half a second of HMAC; what a public key needs for one costs ten times as much.
_MOST = 20_000
_MOST_WITH_PUBLIC_KEYS = 4_000


class Explained(NamedTuple):
    """What the edge signed, and what happened to it."""

    signed: Seen
    findings: list[Finding]


def search(
    signature: bytes, seen: Seen, base: Base, signed: bytes, keys: Sequence[Key | PublicKey]
) -> Explained | None:
    """What happened to *seen*, if one usual thing or two explain *signature*.

    Args:
        signature: its bytes.
        seen: the request as it was received.
        base: makes what is signed.
        signed: the list of components and its parameters.
        keys: any of which may have made it.
    """
    fields = [name for part in base.components if (name := name_of(part))[:1] != "@"]
    of_parts = rewrites(seen, dict.fromkeys(fields))
    likely, more = _ones_and_twos(of_parts), _nothing()
    most = _MOST_WITH_PUBLIC_KEYS
    if all(isinstance(key, Key) for key in keys):
        most = _MOST
        if any("host" in part.needs for part in base.components):
            more = ((one,) for one in lost_ports(seen))
    tried: set[bytes] = set()
    for changes in chain(islice(likely, most), more):
        request = _both(seen, changes)
        try:
            message = base.of(request, signed, request.scheme)
        except MalformedHeader:
            continue
        if message in tried:
            continue
        tried.add(message)
        if any(made_by(key, signature, message) for key in keys):
            findings = [Finding(one.code, escaped(one.text)) for one in changes]
            return Explained(request, findings)
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

"""The lines of what is signed of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.errors import MalformedHeader
from edgeauth.schemes.message_signatures.base import Base
from edgeauth.schemes.message_signatures.fields import unescaped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth.ops.schemes.seen import Seen
    from edgeauth.schemes.message_signatures.components import Component

# What is only its owner's to see, if an edge signs it.
_PRIVATE = ("authorization", "proxy-authorization", "cookie")


def line_of(part: Component, seen: Seen) -> bytes:
    """What stands behind the name of *part* in the signed bytes.

    Raises:
        MalformedHeader: the request does not have it.
    """
    whole = Base([part]).of(seen, b"", seen.scheme)
    return whole.removesuffix(b'\n"@signature-params": ')[len(part.id) + 2 :]


def lines_of(parts: Iterable[Component], seen: Seen) -> list[bytes | MalformedHeader]:
    """The line of each of *parts*, or why there is none."""
    found: list[bytes | MalformedHeader] = []
    for part in parts:
        try:
            found.append(line_of(part, seen))
        except MalformedHeader as error:
            found.append(error)
    return found


def is_private(part: Component) -> bool:
    """Whether *part* is a field that is not shown."""
    return part.id.partition(b";")[0].strip(b'"').decode() in _PRIVATE


def name_of(part: Component) -> str:
    """The name of *part* without parameters: ``@path``, or that of a field."""
    name: bytes = part.id.partition(b";")[0]
    return unescaped(name).decode()

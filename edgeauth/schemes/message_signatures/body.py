"""The digest of a body that a signature covers (RFC 9530)."""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Iterable, Sequence  # noqa: TC003 - so that annotations can be read

from edgeauth.schemes.message_signatures import grammar
from edgeauth.schemes.message_signatures.components import Component  # noqa: TC001
from edgeauth.schemes.message_signatures.fields import HasFields  # noqa: TC001
from edgeauth.schemes.message_signatures.grammar import Item
from edgeauth.verdict import BodyDigest

FIELD = b"content-digest"

# The better one first: one that holds is enough. Others are as good as none.
_LENGTHS = {b"sha-512": 64, b"sha-256": 32}


def signed_digests(components: Iterable[Component]) -> tuple[bytes, ...]:
    """Which digests of the body are signed, if the request has them; the better one first."""
    signed: set[bytes] = set()
    for name, parameters in (component.identity for component in components):
        if name == FIELD:
            keys = [value[1:-1] for key, value in parameters if key == b"key"]
            signed.update(keys or _LENGTHS)
    return tuple(name for name in _LENGTHS if name in signed)


def body_digest(request: HasFields, signed: Sequence[bytes]) -> BodyDigest | None:
    """The digest of the body, of those that are *signed*; None if it has none of them.

    Raises:
        MalformedHeader: Content-Digest is no dictionary.
    """
    lines = request.header("Content-Digest")
    members = grammar.dictionary(grammar.field_value(lines), "Content-Digest")
    for name in signed:
        member = members.get(name)
        if isinstance(member, Item) and member.value.kind == "bytes":
            value = a2b_base64(member.value.text[1:-1])
            if len(value) == _LENGTHS[name]:
                return BodyDigest(name.decode().replace("-", ""), value)
    return None

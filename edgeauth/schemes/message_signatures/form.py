"""How ``Signature-Input`` is read: which signature counts, and what it says.

An edge signs all its requests in one form: the same components in the same order, and the same
parameters with other values. A form is worked out once, and read by one regular expression from
then on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence  # noqa: TC003 - so that annotations can be read
from operator import itemgetter
from typing import NamedTuple

from edgeauth.errors import MalformedHeader, MissingHeader
from edgeauth.schemes.message_signatures import grammar
from edgeauth.schemes.message_signatures.base import Base
from edgeauth.schemes.message_signatures.body import signed_digests
from edgeauth.schemes.message_signatures.components import Identity, components
from edgeauth.schemes.message_signatures.grammar import InnerList, Item, Member

INPUT = "Signature-Input"
SIGNATURE = "Signature"

# Parameters that change from one request, or one key, to the next, in canonical form. Twelve
# digits of seconds reach past the year 9999, and a nonce is remembered: both have an end.
_STRING = b'"(' + grammar.PLAIN + b'{1,%d})"'
_CHANGING = {
    b"created": rb"(0|[1-9][0-9]{0,11})",
    b"expires": rb"(0|[1-9][0-9]{0,11})",
    b"nonce": _STRING % 256,
    b"keyid": _STRING % 64,
}
_READ = {key: re.compile(pattern) for key, pattern in _CHANGING.items()}
# The others are part of the form.
_FIXED = frozenset([b"tag", b"alg"])
# A group that never takes part.
_ABSENT = rb"(?:((?!)))?"


class Selected(NamedTuple):
    """The signature of a message that counts: its label, what it says it is of, and its base64."""

    label: bytes
    signed: InnerList
    signature: bytes


class Form:
    """How one form of ``Signature-Input`` is read, and what it means.

    Args:
        found: a signature of this form.
        required: the components that must be signed, by identity.
        require_nonce: whether a nonce must be signed, too.

    Attributes:
        label: the name of the signature, and the equals sign after it.
        opening: how the value of ``Signature`` begins.
        base: makes what is signed.
        algorithm: what the message says of it, or None.
        missing: why what is signed is not enough, or None.
        covers: of ``method``, ``path``, ``query``, ``host``, ``body`` and ``time``. Not ``once``:
            who verifies has not seen earlier requests, and whoever has adds it.
        digests: which digests of the body are signed.
        head: how it begins, up to the first parenthesis that closes.
        source: what comes after that, as the source of a pattern.
        pattern: the same, once it was learnt.
        values: picks created, expires, nonce and keyid from the groups of the pattern.

    Raises:
        MalformedHeader: it is outside of what is supported here.
    """

    __slots__ = (
        *("algorithm", "base", "covers", "digests", "head", "label", "missing", "pattern"),
        *("opening", "source", "values"),
    )

    def __init__(
        self, found: Selected, required: Mapping[Identity, bytes], *, require_nonce: bool
    ) -> None:
        given = found.signed.parameters
        if not given.keys() <= _CHANGING.keys() | _FIXED or any(
            given[key].kind != "string" for key in given.keys() & _FIXED
        ):
            raise MalformedHeader("a parameter of the signature is unknown, or not of its type")
        if b"keyid" not in given:
            raise MalformedHeader(
                "the signature names no key", hint="sign with keyid: the id of the key here"
            )
        self.label = found.label + b"="
        self.opening = self.label + b":"
        self.base = Base(components(found.signed))
        self.algorithm = given[b"alg"].text[1:-1] if b"alg" in given else None
        self.digests = signed_digests(self.base.components)
        parts = self.base.components
        left_out = required.keys() - {part.identity for part in parts}
        names = [required[identity].decode() for identity in left_out]
        names += ["created"] * (b"created" not in given)
        names += ["nonce"] * (require_nonce and b"nonce" not in given)
        self.missing = f"the signature leaves out {', '.join(sorted(names))}" if names else None
        covers = frozenset[str]().union(*(part.covers for part in parts))
        if not self.digests:
            covers -= {"body"}  # a digest that nobody here can compare
        self.covers = covers | ({"time"} if b"created" in given else set())

        self.head, _, rest = (self.label + found.signed.list_text()).partition(b")")
        patterns = [
            b";" + key + b"=" + (_CHANGING.get(key) or re.escape(value.text))
            for key, value in given.items()
        ]
        self.source = b"".join([re.escape(rest), *patterns, _ABSENT])
        order = [*(key for key in given if key in _CHANGING), b""]
        self.values = itemgetter(*(order.index(key if key in order else b"") for key in _CHANGING))

    def learn(self) -> None:
        """Work out the pattern: it costs a hundred times what reading by it does."""
        self.pattern = re.compile(self.source)


def changing(signed: InnerList) -> tuple[bytes | None, ...]:
    """What changes from one request to the next: created, expires, nonce and keyid.

    Raises:
        MalformedHeader: one of them is not of its form.
    """
    given = signed.parameters
    found = {
        key: pattern.fullmatch(given[key].text) for key, pattern in _READ.items() if key in given
    }
    if None in found.values():
        raise MalformedHeader("created, expires, nonce or keyid is not of its form")
    return tuple(match[1] if (match := found.get(key)) else None for key in _CHANGING)


def selected(inputs: Sequence[bytes], signatures: Sequence[bytes], tag: bytes | None) -> Selected:
    """The signature that counts, of all that a message has.

    Args:
        inputs, signatures: the lines of the two fields.
        tag: that of the signature that counts, quoted; None if there is to be one alone.

    Raises:
        MissingHeader: there is none.
        MalformedHeader: there are several, or the fields are not of the form.
    """
    for name, lines in ((INPUT, inputs), (SIGNATURE, signatures)):
        if not lines:
            raise MissingHeader(f"no {name} header")
    found = grammar.dictionary(grammar.field_value(inputs), INPUT)
    given = grammar.dictionary(grammar.field_value(signatures), SIGNATURE)
    if found.keys() != given.keys():
        raise MalformedHeader("Signature-Input and Signature have different labels")
    lists = {label: _components(member) for label, member in found.items()}
    values = {label: _base64(member) for label, member in given.items()}
    ours = [label for label, signed in lists.items() if tag is None or _tag(signed) == tag]
    if not ours:
        raise MissingHeader(
            "no signature has the tag of this gate",
            hint="does the edge sign with the tag that is configured here?",
        )
    if len(ours) > 1:
        raise MalformedHeader(
            f"{len(ours)} signatures could be meant; there must be one",
            hint="sign with a tag at the edge and name it here, and remove there what clients sign",
        )
    [label] = ours
    return Selected(label, lists[label], values[label])


def _components(member: Member) -> InnerList:
    if not isinstance(member, InnerList):
        raise MalformedHeader("a member of Signature-Input is no list of components")
    return member


def _base64(member: Member) -> bytes:
    if not isinstance(member, Item) or member.value.kind != "bytes" or member.parameters:
        raise MalformedHeader("a member of Signature is no sequence of bytes")
    return member.value.text[1:-1]


def _tag(signed: InnerList) -> bytes | None:
    tag = signed.parameters.get(b"tag")
    return None if tag is None else tag.text

"""The value of a header field that is signed (RFC 9421, 2.1)."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from typing import Protocol

from edgeauth.errors import MalformedHeader
from edgeauth.schemes.message_signatures import grammar
from edgeauth.schemes.message_signatures.grammar import TRUE, Parameters

# As edgeauth.schemes.base has them, in lower case: without the underscore, which WSGI folds.
_NAME = re.compile(rb"[a-z0-9!#$%&'*+.^`|~-]{1,128}")
_ESCAPED = re.compile(rb"\\(.)")

# Which structured fields are of which form: what is not here cannot be covered with ";sf".
_DICTIONARIES = frozenset(
    b"content-digest repr-digest want-content-digest want-repr-digest priority signature "
    b"signature-input accept-signature signature-agent cdn-cache-control".split()
)
_LISTS = frozenset(b"accept-ch cache-status proxy-status client-cert-chain".split())
_ITEMS = frozenset([b"client-cert"])


class HasFields(Protocol):
    """What has header fields."""

    def header(self, name: str) -> Sequence[bytes]: ...


Value = Callable[[HasFields], bytes]


def field(name: bytes, parameters: Parameters) -> Value:
    """The function that finds what is signed of the field with *name*.

    Raises:
        MalformedHeader: of the name or the *parameters* of the component, and by the function if
            the request has no such field.
    """
    if not _NAME.fullmatch(name):
        raise MalformedHeader("a signed component is no name of a field in lower case")
    header = name.decode()
    flags = {key for key, value in parameters.items() if value == TRUE}
    if not parameters:
        return lambda request: grammar.field_value(_lines(request, header))
    if parameters.keys() == {b"bs"} == flags:
        return lambda request: _armoured(_lines(request, header))
    if parameters.keys() == {b"sf"} == flags and (canonical := _canonical(name)) is not None:
        return lambda request: canonical(grammar.field_value(_lines(request, header)), header)
    key = parameters.get(b"key")
    others = parameters.keys() - {b"key"}
    if key is not None and key.kind == "string" and others == flags <= {b"sf"}:
        wanted = unescaped(key.text)
        return lambda request: _member(grammar.field_value(_lines(request, header)), header, wanted)
    raise MalformedHeader(
        "a signed field has parameters that are not supported",
        hint="supported are ;key, ;bs, and ;sf for fields whose form is known",
    )


def unescaped(text: bytes) -> bytes:
    """What a string in its quotes stands for."""
    return _ESCAPED.sub(rb"\1", text[1:-1])


def _lines(request: HasFields, header: str) -> Sequence[bytes]:
    values = request.header(header)
    if not values:
        raise MalformedHeader(
            "a signed field is not in the request",
            hint="does something between edge and origin remove or rename a field?",
        )
    return values


def _armoured(lines: Sequence[bytes]) -> bytes:
    return b", ".join(b":" + b2a_base64(line.strip(b" \t"), newline=False) + b":" for line in lines)


def _canonical(name: bytes) -> Callable[[bytes, str], bytes] | None:
    if name in _DICTIONARIES:
        return lambda text, header: grammar.dictionary_text(grammar.dictionary(text, header))
    if name in _LISTS:
        return lambda text, header: b", ".join(
            member.text() for member in grammar.sequence(text, header)
        )
    if name in _ITEMS:
        return lambda text, header: grammar.item(text, header).text()
    return None


def _member(text: bytes, header: str, wanted: bytes) -> bytes:
    members = grammar.dictionary(text, header)
    if wanted not in members:
        raise MalformedHeader("a signed member is not in its field")
    return members[wanted].text()

"""Structured fields (RFC 8941): read strictly, and written in the one canonical form.

Narrower than the RFC, so that everybody reads the same: a key that is there twice, of a
dictionary or of parameters, is an error, and so is base64 without its padding or with bits to
spare. A value has at most 8192 bytes. Reading takes one pass, and nothing is nested deeper than
an inner list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence  # noqa: TC003 - so that annotations can be read
from typing import NamedTuple

from edgeauth.errors import MalformedHeader

MAX_BYTES = 8192

KEY = rb"[a-z*][a-z0-9_.*-]*"
# Printable, and nothing that needs an escape.
PLAIN = rb"[ !#-\[\]-~]"
# With its padding, and no bits to spare: each sequence of bytes has one spelling.
BASE64 = (
    rb"(?:[A-Za-z0-9+/]{4})*"
    rb"(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?"
)

_KEY = re.compile(KEY)
_COMMA = re.compile(rb"[ \t]*,[ \t]*")
_SPACES = re.compile(rb" *")
_PARAMETER = re.compile(rb"; *(" + KEY + rb")(=)?")
_BARE = re.compile(
    rb'(?P<string>"' + PLAIN + rb'*(?:\\["\\]' + PLAIN + rb'*)*")'
    rb"|(?P<decimal>-?[0-9]{1,12}\.[0-9]{1,3})(?![0-9.])"
    rb"|(?P<integer>-?[0-9]{1,15})(?![0-9.])"
    rb"|:(?P<bytes>" + BASE64 + rb"):"
    rb"|(?P<boolean>\?[01])"
    rb"|(?P<token>[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*)"
)


class Bare(NamedTuple):
    """A value without parameters: ``string``, ``integer``, ..., and its canonical text."""

    kind: str
    text: bytes


TRUE = Bare("boolean", b"?1")

Parameters = dict[bytes, Bare]


class Item(NamedTuple):
    """A value and its parameters."""

    value: Bare
    parameters: Parameters

    def text(self) -> bytes:
        """It in canonical form."""
        return self.value.text + written(self.parameters)


class InnerList(NamedTuple):
    """A list of items in parentheses, and its own parameters."""

    items: tuple[Item, ...]
    parameters: Parameters

    def list_text(self) -> bytes:
        """The items in canonical form, in parentheses."""
        return b"(" + b" ".join(item.text() for item in self.items) + b")"

    def text(self) -> bytes:
        """It in canonical form."""
        return self.list_text() + written(self.parameters)


Member = Item | InnerList


def written(parameters: Parameters) -> bytes:
    """Parameters in canonical form."""
    return b"".join(
        b";" + key if value == TRUE else b";" + key + b"=" + value.text
        for key, value in parameters.items()
    )


def field_value(lines: Sequence[bytes]) -> bytes:
    """One field of all its lines, each without the white space around it (RFC 9110, 5.3)."""
    if len(lines) == 1:
        return lines[0].strip(b" \t")
    return b", ".join(line.strip(b" \t") for line in lines)


def dictionary(text: bytes, field: str) -> dict[bytes, Member]:
    """The members of a dictionary; *field* is what errors call it.

    Raises:
        MalformedHeader: it is none.
    """
    reader = _Reader(text, field)
    members: dict[bytes, Member] = {}
    while True:
        key = reader.key()
        if key in members:
            raise MalformedHeader(f"{field} has the same key twice")
        members[key] = reader.member() if reader.has(b"=") else reader.after(TRUE)
        if reader.ended():
            return members
        reader.comma()


def sequence(text: bytes, field: str) -> list[Member]:
    """The members of a list; as :func:`dictionary`."""
    reader = _Reader(text, field)
    members = [reader.member()]
    while not reader.ended():
        reader.comma()
        members.append(reader.member())
    return members


def item(text: bytes, field: str) -> Item:
    """A field that is one item; as :func:`dictionary`."""
    reader = _Reader(text, field)
    found = reader.item()
    if not reader.ended():
        raise reader.malformed()
    return found


def dictionary_text(members: dict[bytes, Member]) -> bytes:
    """A dictionary in canonical form."""
    return b", ".join(
        key + written(member.parameters)
        if isinstance(member, Item) and member.value == TRUE
        else key + b"=" + member.text()
        for key, member in members.items()
    )


class _Reader:
    def __init__(self, text: bytes, field: str) -> None:
        self._text = text.strip(b" ")
        self._field = field
        self._at = 0
        if len(text) > MAX_BYTES:
            raise MalformedHeader(f"{field} has more than {MAX_BYTES} bytes")

    def malformed(self) -> MalformedHeader:
        return MalformedHeader(f"{self._field} is not of the form of a structured field")

    def ended(self) -> bool:
        return self._at == len(self._text)

    def has(self, byte: bytes) -> bool:
        found = self._text.startswith(byte, self._at)
        self._at += found
        return found

    def key(self) -> bytes:
        return self._take(_KEY)[0]

    def comma(self) -> None:
        self._take(_COMMA)

    def member(self) -> Member:
        if not self.has(b"("):
            return self.item()
        items = []
        self._take(_SPACES)
        while not self.has(b")"):
            items.append(self.item())
            if not self._take(_SPACES)[0] and not self._text.startswith(b")", self._at):
                raise self.malformed()
        return InnerList(tuple(items), self._parameters())

    def item(self) -> Item:
        return self.after(self._bare())

    def after(self, value: Bare) -> Item:
        return Item(value, self._parameters())

    def _parameters(self) -> Parameters:
        found: Parameters = {}
        while self._text.startswith(b";", self._at):
            match = self._take(_PARAMETER)
            if match[1] in found:
                raise MalformedHeader(f"{self._field} has the same parameter twice")
            found[match[1]] = self._bare() if match[2] else TRUE
        return found

    def _bare(self) -> Bare:
        match = self._take(_BARE)
        kind = match.lastgroup or ""
        text = match[kind]
        if kind == "integer":
            text = b"%d" % int(text)
        elif kind == "decimal":
            text = _decimal(text)
        elif kind == "bytes":
            text = b":" + text + b":"
        return Bare(kind, text)

    def _take(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise self.malformed()
        self._at = match.end()
        return match


def _decimal(text: bytes) -> bytes:
    whole, _, fraction = text.lstrip(b"-").partition(b".")
    found = b"%d.%b" % (int(whole), fraction.rstrip(b"0") or b"0")
    return b"-" + found if text.startswith(b"-") and found != b"0.0" else found

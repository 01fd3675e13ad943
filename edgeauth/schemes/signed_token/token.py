"""The compact form of a token (RFC 7515, 7.1), taken apart. Nothing here is believed yet."""

from __future__ import annotations

import json
import re
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from typing import Any, NamedTuple, NoReturn

from edgeauth.errors import MalformedHeader

# Many times the size of a real one; servers take no more than that in all fields together.
MAX_BYTES = 16_384
_MAX_HEAD = 2048

_FORM = re.compile(rb"([\w-]{1,%d})\.([\w-]+)\.([\w-]*)" % _MAX_HEAD, re.ASCII)
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_NOT_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Parts(NamedTuple):
    """A token, taken apart.

    Attributes:
        head: the first part, as received.
        payload: the second one, as received.
        signed: what the signature is of.
        signature: decoded.
    """

    head: bytes
    payload: bytes
    signed: bytes
    signature: bytes


def parts_of(value: bytes) -> Parts:
    """The parts of a token.

    Raises:
        MalformedHeader: it is not three parts of base64url, or is too long.
    """
    if len(value) > MAX_BYTES:
        raise MalformedHeader(f"the token has {len(value)} bytes, more than {MAX_BYTES}")
    match = _FORM.fullmatch(value)
    if match is None:
        raise MalformedHeader("the field is no token: three parts of base64url with dots between")
    head, payload, received = match.groups()
    signature = decoded(received)
    # A second spelling of a signature (bits that mean nothing) is another token to whoever counts.
    if b2a_base64(signature, newline=False).rstrip(b"=").translate(_NOT_URL_SAFE) != received:
        raise MalformedHeader("the signature is not the base64url of its bytes")
    return Parts(head, payload, value[: match.start(3) - 1], signature)


def decoded(part: bytes) -> bytes:
    """The bytes that a part stands for.

    Raises:
        MalformedHeader: its length is that of no base64.
    """
    try:
        return a2b_base64(part.translate(_URL_SAFE) + b"=" * (-len(part) % 4))
    except NotBase64:
        raise MalformedHeader("a part of the token has the length of no base64url") from None


class _Duplicate(ValueError):
    pass


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Duplicate
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


_HEADER = json.JSONDecoder(parse_constant=_no_number, object_pairs_hook=_once_each)
_CLAIMS = json.JSONDecoder(parse_constant=_no_number)


def header_of(head: bytes) -> dict[str, Any]:
    """The names of the header of a token, each there once.

    Raises:
        MalformedHeader: it is no JSON object.
    """
    return _object(_HEADER, head, "header")


def claims_of(payload: bytes) -> dict[str, Any]:
    """The claims of a token.

    Raises:
        MalformedHeader: they are no JSON object; NaN and Infinity are no JSON.
    """
    return _object(_CLAIMS, payload, "payload")


def _object(decoder: json.JSONDecoder, part: bytes, what: str) -> dict[str, Any]:
    try:
        found = decoder.decode(decoded(part).decode())
    # UnicodeDecodeError is a ValueError, and so is an integer of too many digits.
    except (ValueError, RecursionError):
        raise MalformedHeader(f"the {what} of the token is no JSON") from None
    if not isinstance(found, dict):
        raise MalformedHeader(f"the {what} of the token is no JSON object")
    return found

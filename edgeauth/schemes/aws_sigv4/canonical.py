"""The bytes that are signed: the canonical request and the string to sign of SigV4.

What comes from a request is taken as it was received. No part of it can hold a line end, so that
none stands for another line.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence  # noqa: TC003 - so that annotations can be read
from operator import methodcaller
from typing import Literal
from urllib.parse import quote_from_bytes, unquote_to_bytes

from edgeauth.errors import MalformedHeader

ALGORITHM = b"AWS4-HMAC-SHA256"
TERMINATOR = b"aws4_request"
EMPTY = hashlib.sha256(b"").hexdigest().encode()
UNSIGNED = b"UNSIGNED-PAYLOAD"

# As RFC 3986 has it: what is never encoded. Pairs of them are canonical already.
_UNRESERVED = rb"[A-Za-z0-9._~-]*"
_PLAIN = re.compile(_UNRESERVED)
_PLAIN_QUERY = re.compile(rb"%b=%b(?:&%b=%b)*" % ((_UNRESERVED,) * 4))
_NOT_PRINTABLE = re.compile(rb"[^!-~]")
_PRINTABLE = bytes(range(0x21, 0x7F))
_name_and_value = methodcaller("partition", b"=")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_SPACES = re.compile(rb" {2,}")


def canonical_path(path: bytes, mode: Literal["s3", "generic"]) -> bytes:
    """The line of the path.

    Args:
        path: as it is sent.
        mode: ``s3``: the same, never normalised. ``generic``: dot segments and empty ones are
            removed, and the rest is encoded, a percent sign of it too.
    """
    if mode == "s3":
        if _NOT_PRINTABLE.search(path) is None:
            return path
        return quote_from_bytes(path, _PRINTABLE).encode()
    return quote_from_bytes(normalised(path)).encode()


def normalised(path: bytes) -> bytes:
    """*path* without dot segments and empty ones; it begins with a slash."""
    if b"//" not in path and b"/." not in path:
        return path
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b"..":
            del kept[-1:]
        elif segment not in (b"", b"."):
            kept.append(segment)
    slash = b"/" if kept and path.endswith(b"/") else b""
    return b"/" + b"/".join(kept) + slash


def canonical_query(query: bytes) -> list[bytes]:
    """The ``name=value`` of a query, decoded and encoded again, in the order of the line.

    A plus sign is a plus sign: it stands for no space here.
    """
    if not query:
        return []
    pairs = query.split(b"&")
    if not _PLAIN_QUERY.fullmatch(query):
        pairs = [_encoded(pair) for pair in pairs]
    # Not by the whole text: "=" sorts behind what a longer name may go on with.
    return sorted(pairs, key=_name_and_value) if b"&" in query else pairs


def _encoded(pair: bytes) -> bytes:
    name, _, value = pair.partition(b"=")
    return _component(name) + b"=" + _component(value)


def _component(text: bytes) -> bytes:
    if _PLAIN.fullmatch(text):
        return text
    return quote_from_bytes(unquote_to_bytes(text), "").encode()


def field_value(lines: Sequence[bytes]) -> bytes:
    """What stands behind the name of a signed field.

    Raises:
        MalformedHeader: a line has control characters.
    """
    value = b",".join([line.strip(b" \t") for line in lines])
    if _CONTROL.search(value):
        raise MalformedHeader("a signed field has control characters")
    return _SPACES.sub(b" ", value)


def string_to_sign(request: Iterable[bytes], *, date: bytes, scope: bytes) -> bytes:
    """What the signature is the HMAC of.

    Args:
        request: the lines of the canonical request: method, path, query, ``name:value`` of each
            signed field, an empty one, the names with semicolons, and what stands for the body.
        date: ``YYYYMMDDTHHMMSSZ``.
        scope: day, region and service, and the terminator.
    """
    hashed = hashlib.sha256(b"\n".join(request)).hexdigest().encode()
    return b"\n".join((ALGORITHM, date, scope, hashed))


def day_secret(secret: bytes, day: bytes, region: bytes, service: bytes) -> bytes:
    """What signs on *day* for a region and a service, made of the *secret* of a key."""
    made = b"AWS4" + secret
    for part in (day, region, service, TERMINATOR):
        made = hmac.digest(made, part, "sha256")
    return made

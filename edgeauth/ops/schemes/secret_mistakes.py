"""The mistakes that are usual with a secret, at the edge and here."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from edgeauth.keys import Key
from edgeauth.ops.schemes.diagnosis import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgeauth.ops.schemes.request_lines import RequestLines

HEX = re.compile(rb"(0[xX])?([0-9A-Fa-f]{16,})")
BASE64 = re.compile(rb"([A-Za-z0-9+/_-]{16,})={0,2}")


def secrets_of(key: Key) -> Iterator[tuple[bytes, Finding | None]]:
    """The secret of *key* as it is, and as it goes wrong."""
    right = key.secret
    yield right, None
    edge = (
        ("secret-newline", right + b"\n", "ends in a newline: store it with printf, not echo"),
        ("secret-newline", right + b"\r\n", "ends in a Windows line end"),
        ("secret-space", right + b" ", "ends in a space"),
        ("secret-space", b" " + right, "begins with a space"),
        ("secret-quotes", b'"' + right + b'"', "has quotes around it"),
        ("secret-quotes", b"'" + right + b"'", "has quotes around it"),
        ("secret-bom", b"\xef\xbb\xbf" + right, "begins with a byte order mark"),
        ("secret-id", key.id.encode() + b":" + right, "has the key id and a colon before it"),
        ("secret-decoded", _from_hex(right), "was decoded from hex: use its characters"),
        ("secret-decoded", _from_base64(right), "was decoded from base64: use its characters"),
        ("secret-encoded", b64encode(right), "was encoded in base64 once more"),
        ("secret-encoded", right.hex().encode(), "was encoded in hex once more"),
        ("secret-empty", b"", "is empty, so anybody can sign: set it"),
        ("secret-empty", b"(null)", "is '(null)', so anybody can sign: set it"),
    )
    for code, secret, text in edge:
        if secret is not None:
            yield secret, Finding(code, f"Right but for the secret at the edge, which {text}.")
    here = (
        ("secret-quotes-here", right.strip(b"\"'"), "has quotes around it"),
        ("secret-id-here", right.partition(b":")[2], "has an id and a colon before it"),
    )
    for code, secret, text in here:
        if secret:
            yield secret, Finding(code, f"Right but for the secret here, which {text}.")


def _from_hex(text: bytes) -> bytes | None:
    match = HEX.fullmatch(text)
    return None if match is None or len(match[2]) % 2 else bytes.fromhex(match[2].decode())


def _from_base64(text: bytes) -> bytes | None:
    match = BASE64.fullmatch(text)
    if match is None:
        return None
    standard = match[1].translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return b64decode(standard + b"=" * (-len(standard) % 4), validate=True)
    except binascii.Error:
        return None


def secret_sent(
    keys: Iterable[object], names: Iterable[str], lines: RequestLines
) -> Finding | None:
    """What to say where a field of *names* holds the secret of one of *keys*; else None."""
    values = [value for name in names for value in lines.header(name)]
    for key in keys:
        if isinstance(key, Key) and any(key.secret in value for value in values):
            text = f"The fields hold the secret of key {key.id} itself: make a new one."
            return Finding("secret-sent", text)
    return None

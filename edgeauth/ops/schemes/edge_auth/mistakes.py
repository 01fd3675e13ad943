"""The mistakes that are usual at an edge, tried to see which of them makes a signature fit."""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.ops.schemes.diagnosis import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.keys import Key
    from edgeauth.schemes.edge_auth import EdgeAuthScheme

HEX = re.compile(rb"(0[xX])?([0-9A-Fa-f]{16,})")
BASE64 = re.compile(rb"([A-Za-z0-9+/_-]{16,})={0,2}")
_HASHES = {20: "sha1", 32: "sha256", 48: "sha384", 64: "sha512"}


class Signer(NamedTuple):
    """The key that made a signature, and what went wrong when it did."""

    key: Key
    findings: list[Finding]


def find_signer(mac: bytes, signed: bytes, scheme: EdgeAuthScheme) -> Signer | None:
    """Who made *mac*, and by which mistakes. Only the usual ones are tried, alone and in pairs."""
    name = _HASHES.get(len(mac))
    if name is None:
        return None
    for key in scheme.keys.newest_first:
        for secret, at_secret in _secrets(key):
            for message, at_message in _messages(signed):
                if hmac.compare_digest(hmac.digest(secret, message, name), mac):
                    found = [at_secret, at_message, _other_hash(name)]
                    return Signer(key, [finding for finding in found if finding is not None])
    return None


def _other_hash(name: str) -> Finding | None:
    if name == "sha256":
        return None
    return Finding("hash", f"Signed with HMAC-{name.upper()}: the edge must use HMAC-SHA256.")


def _secrets(key: Key) -> Iterator[tuple[bytes, Finding | None]]:
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


def _messages(signed: bytes) -> Iterator[tuple[bytes, Finding | None]]:
    """The bytes that should be signed, and those that are signed by mistake."""
    yield signed, None
    timestamp, _, pop = signed.partition(b",")
    mistakes = (
        ("signed-newline", signed + b"\n", "with a newline at their end (echo, not printf)"),
        ("signed-comma", signed + b",", "with the last comma"),
        ("signed-space", signed + b", ", "with the last comma and the space after it"),
        ("signed-space", signed + b" ", "with the space before the signature"),
        ("signed-spaces", signed.replace(b" ", b""), "without the space that was sent in them"),
        ("signed-pop", timestamp, "without the POP"),
        ("signed-pop", timestamp + pop, "without the comma before the POP"),
        ("signed-pop", timestamp + b"," + pop.upper(), "with the POP in upper case"),
        ("signed-pop", timestamp + b"," + pop.lower(), "with the POP in lower case"),
    )
    for code, message, text in mistakes:
        if message != signed:
            yield (
                message,
                Finding(
                    code,
                    f"The signature fits these bytes {text}: the edge must sign exactly what "
                    "it sends before the last comma.",
                ),
            )

"""The mistakes that are usual at an edge, tried to see which of them makes a signature fit."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.ops.schemes.diagnosis import Finding
from edgeauth.ops.schemes.secret_mistakes import secrets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.keys import Key
    from edgeauth.schemes.edge_auth import EdgeAuthScheme

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
        for secret, at_secret in secrets_of(key):
            for message, at_message in _messages(signed):
                if hmac.compare_digest(hmac.digest(secret, message, name), mac):
                    found = [at_secret, at_message, _other_hash(name)]
                    return Signer(key, [finding for finding in found if finding is not None])
    return None


def _other_hash(name: str) -> Finding | None:
    if name == "sha256":
        return None
    return Finding("hash", f"Signed with HMAC-{name.upper()}: the edge must use HMAC-SHA256.")


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

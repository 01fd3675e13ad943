"""Who may have made a signature, and by which mistakes: each is tried."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import BadSignature
from edgeauth.keys import Key
from edgeauth.ops.schemes.diagnosis import Finding
from edgeauth.ops.schemes.secret_mistakes import HEX, secrets_of
from edgeauth.public_keys import PublicKey, cryptography_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.schemes.message_signatures import MessageSignatureScheme

HMAC = "hmac-sha256"
_HASHES = {20: "sha1", 32: "sha256", 48: "sha384", 64: "sha512"}
# How long a signature is in the form of RFC 9421. Of RSA it depends on the key.
_LENGTHS = {32: HMAC, 64: "ed25519 or ecdsa-p256-sha256", 96: "ecdsa-p384-sha384"}
_RSA = ("rsa-pss-sha512", "rsa-v1_5-sha256")


class Message(NamedTuple):
    """What was signed, and its parts.

    Attributes:
        base: all of it.
        last: the line of the parameters.
        label: of the signature.
    """

    base: bytes
    last: bytes
    label: bytes


def algorithm_of(key: Key | PublicKey) -> str:
    """The algorithm of *key*, as RFC 9421 names it."""
    return HMAC if isinstance(key, Key) else key.algorithm


def made_by(key: Key | PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether *key* made *signature* of *message*."""
    if isinstance(key, Key):
        return hmac.compare_digest(key.mac(message), signature)
    try:
        key.verify(signature, message)
    except BadSignature:
        return False
    return True


def mistake(
    signature: bytes,
    message: Message,
    named: Key | PublicKey | None,
    scheme: MessageSignatureScheme,
) -> Finding | None:
    """Which mistake explains *signature* of this request, whatever key it names."""
    for key in scheme.keys:
        if key is not named and made_by(key, signature, message.base):
            return Finding("other-key", _other_key(key, named))
    keys = scheme.keys if named is None else (named,)
    for key in keys:
        for signed, finding in _messages(message):
            if made_by(key, signature, signed):
                return finding
        of_the_key = (
            _of_a_secret(key, signature, message.base)
            if isinstance(key, Key)
            else _of_a_public_key(key, signature, message.base)
        )
        if of_the_key is not None:
            return of_the_key
    return None


def wrong_algorithm(signature: bytes, key: Key | PublicKey) -> Finding | None:
    """What the length of *signature* says, where *key* cannot have made one of that length."""
    has = algorithm_of(key)
    likely = _LENGTHS.get(len(signature), "RSA" if len(signature) >= 256 else None)  # noqa: PLR2004
    if likely is None:
        return Finding(
            "signature-length",
            f"The signature has {len(signature)} bytes, which no algorithm makes: it is cut off, "
            "or not in the form of RFC 9421.",
        )
    if has in likely or (likely == "RSA" and has in _RSA):
        return None
    return Finding(
        "algorithm",
        f"The signature has {len(signature)} bytes, as {likely} makes them, and key {key.id} is "
        f"for {has}: the key at the edge is of another kind than the one here.",
    )


def _other_key(key: Key | PublicKey, named: Key | PublicKey | None) -> str:
    says = "a key that is not here" if named is None else f"key {named.id}"
    return (
        f"Key {key.id} made this signature, and the message says that {says} did: write "
        f"keyid={key.id} at the edge, or give it the other key."
    )


def _messages(message: Message) -> Iterator[tuple[bytes, Finding]]:
    """The bytes that are signed by mistake."""
    base, last, label = message
    lines = base[: len(base) - len(last)]
    for code, signed, what in (
        ("base-newline", base + b"\n", "with a newline at its end: the last line has none"),
        ("base-crlf", base.replace(b"\n", b"\r\n"), "with CRLF: its lines end in LF alone"),
        ("base-params", lines.rstrip(b"\n"), 'without its last line, "@signature-params"'),
        ("base-label", _labelled(lines, last, label), "with the label before the parameters"),
        ("base-reversed", _sorted(lines) + last, "with its lines in another order than the list"),
    ):
        if signed != base:
            yield signed, Finding(code, f"The edge signed the signature base {what}.")


def _labelled(lines: bytes, last: bytes, label: bytes) -> bytes:
    name, _, rest = last.partition(b": ")
    return lines + name + b": " + label + b"=" + rest


def _sorted(lines: bytes) -> bytes:
    return b"".join(sorted(lines.splitlines(keepends=True)))


def _of_a_secret(key: Key, signature: bytes, base: bytes) -> Finding | None:
    if HEX.fullmatch(signature) and signature.lower() == key.mac(base).hex().encode():
        return Finding(
            "base64-of-hex",
            "The hex digits of the signature were encoded in base64: encode its bytes.",
        )
    name = _HASHES.get(len(signature))
    if name is None:
        return None
    for secret, finding in secrets_of(key):
        if hmac.compare_digest(hmac.digest(secret, base, name), signature):
            if name != "sha256":
                return Finding(
                    "hash", f"Signed with HMAC-{name.upper()}: the edge must use HMAC-SHA256."
                )
            return finding
    return None


def _of_a_public_key(key: PublicKey, signature: bytes, base: bytes) -> Finding | None:
    if key.algorithm in _RSA:
        [other] = {*_RSA} - {key.algorithm}
        if made_by(PublicKey(key.id, key.pem, other), signature, base):
            return Finding(
                "algorithm",
                f"Signed with {other}, and key {key.id} is for {key.algorithm}: change the one "
                "or the other.",
            )
    elif key.algorithm.startswith("ecdsa"):
        extra = cryptography_for(key.id)
        try:
            r, s = extra["from_der"](signature)
            size = extra[key.algorithm][1]
            plain = r.to_bytes(size, "big") + s.to_bytes(size, "big")
        except (ValueError, OverflowError):
            return None
        if made_by(key, plain, base):
            return Finding(
                "signature-der",
                "The signature is in DER: RFC 9421 wants r and s, one after the other (Web Crypto "
                "makes that; in Node, dsaEncoding: 'ieee-p1363').",
            )
    return None

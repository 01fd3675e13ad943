"""What is wrong with the signature of an ``Edge-Auth`` value."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from edgeauth.ops.schemes.diagnosis import Field, Finding
from edgeauth.ops.schemes.edge_auth.mistakes import find_signer
from edgeauth.ops.schemes.part import Part, shortened
from edgeauth.ops.schemes.secret_mistakes import BASE64, HEX
from edgeauth.schemes.edge_auth.grammar import SIGNATURE

if TYPE_CHECKING:
    from edgeauth.schemes.edge_auth import EdgeAuthScheme

# "0x" goes with hex alone; before base64 it is told of as a wrong length.
_CANONICAL = re.compile(rb"(?:0x)?(?:%b)" % SIGNATURE)


def explain_signature(signed: bytes, raw: bytes, scheme: EdgeAuthScheme, now: float) -> Part:
    """The signature *raw* of the bytes *signed*, held against the keys of *scheme*."""
    body = raw.removeprefix(b" ")
    seen = shortened(body)
    if not body.strip():
        finding = Finding(
            "empty-signature",
            "The signature is empty: is the secret set at the edge? A dictionary or store "
            "without the entry signs nothing.",
        )
        return Field("signature", seen, ok=False, note="empty"), [finding]
    decoded = _decode(body)
    if decoded is None:
        return Field("signature", seen, ok=False, note="neither hex nor base64"), [_form(body)]
    mac, findings = decoded
    signer = find_signer(mac, signed, scheme)
    if signer is None:
        findings.append(_wrong(mac, signed, scheme))
        return Field("signature", seen, ok=False, note="made by none of the keys"), findings
    findings += signer.findings
    key = signer.key
    if not findings and not _CANONICAL.fullmatch(body):
        findings.append(_form(body))
    if findings:
        return Field(
            "signature", seen, ok=False, note=f"fits key {key.id}, but see below"
        ), findings
    if not key.valid_at(now):
        finding = Finding(
            "key-dates",
            f"Key {key.id} made the signature, and is not valid at this moment: look at its "
            "not_before and not_after.",
        )
        return Field("signature", seen, ok=False, note=f"made by key {key.id}, not valid now"), [
            finding
        ]
    newest = scheme.keys.newest_first[0]
    if key is not newest:
        findings.append(
            Finding(
                "older-key",
                f"Signed with the older key {key.id}; the newest is {newest.id}. That is as it "
                "should be until the edge has the new secret.",
            )
        )
    return Field("signature", seen, ok=True, note=f"made by key {key.id}"), findings


def _form(body: bytes) -> Finding:
    return Finding(
        "signature-form",
        f"The signature has {len(body)} characters; expected 64 lower-case hex digits, with "
        "or without 0x before them, or 44 characters of base64.",
    )


def _decode(body: bytes) -> tuple[bytes, list[Finding]] | None:
    """The bytes of a signature that may be written in a wrong way, and what is wrong with it."""
    findings = []
    text = body.strip(b" \t\r\n\"'")
    if text != body:
        findings.append(
            Finding("signature-space", "There are spaces or quotes around the signature.")
        )
    if in_hex := HEX.fullmatch(text):
        digits = in_hex[2]
        if text != text.lower():
            findings.append(
                Finding("upper-case-hex", "The hex is in upper case: the edge must send lower.")
            )
        return bytes.fromhex(digits[: len(digits) // 2 * 2].decode()), findings
    in_base64 = BASE64.fullmatch(text)
    if in_base64 is None:
        return None
    standard = in_base64[1].translate(bytes.maketrans(b"-_", b"+/"))
    padded = standard + b"=" * (-len(standard) % 4)
    try:
        decoded = b64decode(padded, validate=True)
    except binascii.Error:
        return None
    if standard != in_base64[1]:
        findings.append(
            Finding("url-safe-base64", "The base64 has - or _: the edge must send + and /.")
        )
    if len(text) != len(padded):
        findings.append(
            Finding("unpadded-base64", "The base64 has lost its =: the edge must send it padded.")
        )
    if b64encode(decoded) != padded:
        findings.append(Finding("base64-ending", "The last character of the base64 was altered."))
    if nested := HEX.fullmatch(decoded):
        findings.append(
            Finding("base64-of-hex", "The hex digits were encoded in base64 once more.")
        )
        return bytes.fromhex(nested[2][: len(nested[2]) // 2 * 2].decode()), findings
    return decoded, findings


def _wrong(mac: bytes, signed: bytes, scheme: EdgeAuthScheme) -> Finding:
    if any(key.mac(signed).startswith(mac) for key in scheme.keys.newest_first):
        return Finding("cut-off", f"The signature is cut off: only {len(mac)} of 32 bytes came.")
    ids = ", ".join(key.id for key in scheme.keys)
    return Finding(
        "wrong-signature",
        f"No key here made this signature (tried: {ids}), nor by a usual mistake such as a "
        "newline or quotes in the secret. The edge has another secret, or the value was "
        "changed on its way. Put one new secret on both sides: edgeauth keygen.",
    )

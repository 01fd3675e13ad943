"""Who may have made a signature, of what, and by which mistakes: each is tried."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import MalformedHeader
from edgeauth.ops.schemes.diagnosis import Field, Finding
from edgeauth.ops.schemes.part import shortened
from edgeauth.ops.schemes.search import search
from edgeauth.ops.schemes.secret_mistakes import BASE64, HEX, secrets_of
from edgeauth.schemes.akamai_g2o.digests import DIGESTS
from edgeauth.schemes.akamai_g2o.sign_string import SignString

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.keys import Key
    from edgeauth.ops.schemes.seen import Seen
    from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme

# What properties sign; the target itself is tried apart.
_STRINGS = (
    ("AK_URL",),
    ("AK_PATH",),
    ("AK_METHOD", "AK_URL"),
    ("AK_METHOD", "AK_PATH"),
    ("AK_HOSTHEADER", "AK_URL"),
    ("AK_HOSTHEADER", "AK_PATH"),
    ("AK_SCHEME", "AK_HOSTHEADER", "AK_URL"),
    ("AK_METHOD", "AK_HOSTHEADER", "AK_URL"),
    ("AK_METHOD", "AK_HOSTHEADER", "AK_PATH"),
    ("AK_METHOD", "AK_SCHEME", "AK_HOSTHEADER", "AK_URL"),
    ("AK_PATH", "AK_QUERY"),
    ("AK_URL", "AK_CLIENT_REAL_IP"),
    ("AK_CLIENT_REAL_IP", "AK_URL"),
    ("AK_FILENAME",),
)


class Received(NamedTuple):
    """What came.

    Attributes:
        seen: the request.
        data, sign: the two fields.
        version: that of the data header.
        client: its address of the client.
        signed: the sign string.
    """

    seen: Seen
    data: bytes
    sign: bytes
    version: int
    client: bytes
    signed: bytes

    @property
    def message(self) -> bytes:
        """All that is signed."""
        return self.data + self.signed


@dataclass
class Secret:
    """A secret that need not be one of a key: one that went wrong, or is guessed."""

    secret: bytes

    def mac(self, message: bytes) -> bytes:
        return hmac.digest(self.secret, message, "sha256")


def explain_signature(
    scheme: AkamaiG2OScheme, received: Received, key: Key | None
) -> tuple[Field, list[Finding]]:
    """The sign header of *received*, held against *key*, or all keys where that is None."""
    name, sign = scheme.sign_header, received.sign
    shown = shortened(sign)
    keys = scheme.keys.newest_first if key is None else (key,)
    digest, message = DIGESTS[received.version], received.message
    if not sign.strip():
        text = f"{name} is empty: is the secret key of the property set?"
        return Field("sign", shown, ok=False, note="empty"), [Finding("empty-signature", text)]
    for one in keys:
        right = b64encode(digest(one, message))
        if right == sign and one is key:
            return Field("sign", shown, ok=True, note=f"made by key {one.id}"), []
        if (finding := _not_whole(sign, right, name)) is not None:
            return Field("sign", shown, ok=False, note="not whole"), [finding]
    decoded = _decoded(sign, name)
    if decoded is None:
        text = (
            f"{name} is neither base64 nor hex: something on the way rewrote it. It "
            "must be the base64 of the digest."
        )
        return Field("sign", shown, ok=False, note="no base64"), [Finding("signature-form", text)]
    mac, findings = decoded
    for one in keys:
        if digest(one, message) == mac:
            if one is not key:
                findings.append(_other_key(one))
            return Field(
                "sign", shown, ok=False, note=f"fits key {one.id}, but see below"
            ), findings
    found = _explained(scheme, received, keys, mac)
    return Field("sign", shown, ok=False, note="not made of these by this key"), [
        *findings,
        *found,
    ]


def _not_whole(sign: bytes, right: bytes, name: str) -> Finding | None:
    if sign.startswith(right + b","):
        return Finding(
            "sign-twice",
            f"{name} was there twice, and a proxy or a server joined the two. The edge must remove "
            "what clients send.",
        )
    if sign == right or not (right.startswith(sign) or sign.startswith(right)):
        return None
    what = "it is cut off" if len(sign) < len(right) else "something is behind it"
    return Finding(
        "cut-off", f"{name} has {len(sign)} characters, and the right one has {len(right)}: {what}."
    )


def _explained(
    scheme: AkamaiG2OScheme, received: Received, keys: tuple[Key, ...], mac: bytes
) -> list[Finding]:
    digest = DIGESTS[received.version]
    for one in scheme.keys.newest_first:
        if one not in keys and digest(one, received.message) == mac:
            return [_other_key(one)]
    for one in keys:
        for finding in _mistakes(scheme, received, one, mac):
            return [finding]
    if not callable(scheme.sign_string):
        parts = SignString(scheme.sign_string or ("AK_URL",))
        found = search(
            received.seen,
            lambda request: parts.of(request, received.client),
            lambda signed: any(digest(one, received.data + signed) == mac for one in keys),
        )
        if found is not None:
            return found.findings
    tried = ", ".join(one.id for one in keys)
    return [
        Finding(
            "wrong-signature",
            f"No key here made {scheme.sign_header} of this request (tried: {tried}), nor of what "
            "usually happens to one: another path or query, another sign string or version, a "
            "mistake with the secret. Compare the sign string above with what the edge asked for. "
            "Or the property has another secret key: put one new secret on both sides.",
        )
    ]


def _mistakes(
    scheme: AkamaiG2OScheme, received: Received, key: Key, mac: bytes
) -> Iterator[Finding]:
    version, message = received.version, received.message
    digest = DIGESTS[version]
    for other in DIGESTS:
        if other != version and DIGESTS[other](key, message) == mac:
            yield Finding(
                "other-version",
                f"{scheme.sign_header} is of version {other}, and {scheme.data_header} says "
                f"{version}: something on the way rewrote the data header.",
            )
    for secret, finding in secrets_of(key):
        if finding is not None and digest(Secret(secret), message) == mac:
            yield finding
    for what, signed in _strings(received):
        if digest(key, received.data + signed) == mac:
            yield Finding(
                "sign-string",
                f"The property signs {what}, and the settings here say {_said(scheme)}: set "
                "sign_string here to what the property has, or the other way round.",
            )


def _said(scheme: AkamaiG2OScheme) -> str:
    if scheme.sign_string is None:
        return "the target"
    return "a callable" if callable(scheme.sign_string) else " ".join(scheme.sign_string)


def _strings(received: Received) -> Iterator[tuple[str, bytes]]:
    yield "nothing of the request", b""
    seen = received.seen
    target, host = seen.target or b"", seen.host or b""
    for names in _STRINGS:
        try:
            what = "the target" if names == ("AK_URL",) else " ".join(names)
            yield what, SignString(names).of(seen, received.client)
        except MalformedHeader:
            continue
    for scheme in (b"https", b"http"):
        yield f"the whole URL ({scheme.decode()}://...)", scheme + b"://" + host + target


def _other_key(key: Key) -> Finding:
    return Finding(
        "other-key",
        f"Key {key.id} made this signature, and the data header names another: write the nonce "
        f"{key.id} into the property, or give it the secret of the key that it names.",
    )


def _decoded(sign: bytes, name: str) -> tuple[bytes, list[Finding]] | None:
    """The bytes of *sign*, which may be written in a wrong way, and what is wrong with it."""
    text, findings = sign.strip(b" \t\"'"), []
    if text != sign:
        findings.append(Finding("signature-space", f"{name} has spaces or quotes around it."))
    if in_hex := HEX.fullmatch(text):
        digits = in_hex[2]
        text_hex = f"{name} is in hex: it must be the base64 of the digest."
        findings.append(Finding("signature-hex", text_hex))
        return bytes.fromhex(digits[: len(digits) // 2 * 2].decode()), findings
    if (in_base64 := BASE64.fullmatch(text)) is None:
        return None
    standard = in_base64[1].translate(bytes.maketrans(b"-_", b"+/"))
    padded = standard + b"=" * (-len(standard) % 4)
    try:
        decoded = b64decode(padded, validate=True)
    except binascii.Error:
        return None
    if padded != text:
        text_form = f"{name} is in another base64 than the edge writes: with + and /, and padded."
        findings.append(Finding("signature-base64", text_form))
    elif b64encode(decoded) != padded:
        text_end = f"The last character of {name} was altered."
        findings.append(Finding("signature-ending", text_end))
    return decoded, findings

"""Why an ``Edge-Auth`` value is refused, in words for the person who runs the origin.

Explains and never decides: whether a value is accepted is for the scheme to say. It tries
the mistakes that are usual at an edge, such as a newline after the secret, and says which
of them makes the signature fit. No secret and no expected signature is in what it returns.
"""

from __future__ import annotations

import binascii
import hmac
import re
import time
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import VerificationError, seconds
from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.keys import Key
    from edgeauth.schemes.edge_auth import EdgeAuthScheme


class Field(NamedTuple):
    """One part of the value.

    Attributes:
        name: ``timestamp``, ``POP`` or ``signature``; ``value`` where it has no such parts.
        seen: what was received, escaped and shortened.
        ok: whether this part alone is as it must be.
        note: what it means.
    """

    name: str
    seen: str
    ok: bool
    note: str


class Finding(NamedTuple):
    """One thing that an operator should know: a stable code, and a sentence."""

    code: str
    text: str


class Diagnosis(NamedTuple):
    """The parts of a value, and what was found about them."""

    fields: tuple[Field, ...]
    findings: tuple[Finding, ...]


def diagnose(value: bytes, scheme: EdgeAuthScheme, *, now: float) -> Diagnosis:
    """Look at *value* as *scheme* would at *now* (Unix seconds)."""
    for key in scheme.keys:
        if key.secret in value:
            finding = Finding(
                "secret-sent",
                f"The value holds the secret of key {key.id} itself, so whoever saw it has the "
                "secret: make a new one. Does the edge use the scheme shared-secret?",
            )
            return Diagnosis((Field("value", "(not shown)", ok=False, note=""),), (finding,))
    whole = _whole(value, scheme, now)
    if whole is not None:
        return Diagnosis((Field("value", _short(value), ok=False, note=""),), (whole,))
    signed, _, signature = value.rpartition(b",")
    timestamp, comma, pop = signed.partition(b",")
    time_field, time_findings = _timestamp(timestamp, scheme, now)
    pop_field, pop_findings = _pop(pop if comma else None, scheme)
    signature_field, signature_findings = _signature(signed, signature, scheme, now)
    # Fields as they stand in the value, findings in the order in which a scheme checks.
    return Diagnosis(
        (time_field, pop_field, signature_field),
        (*signature_findings, *time_findings, *pop_findings),
    )


_Part = tuple[Field, list[Finding]]

_SHORT = 24


def _short(raw: bytes) -> str:
    text = escaped(raw)
    return text if len(text) <= _SHORT else f"{text[:10]}...{text[-4:]}"


# The value as a whole

_MAX_BYTES = 1024
_JOINED = re.compile(rb"([0-9]{9,16},(?:[^,]*,)?[^,]*?)[ \t]*,[ \t]*([0-9]{9,16},.*)", re.DOTALL)
_FAULTS = (
    (rb"\Z", Finding("empty", "The value is empty.")),
    (
        rb"[\"']",
        Finding("quoted", "The value begins with a quote: the edge must send it without."),
    ),
    (
        rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), ",
        Finding(
            "date-in-words",
            "The value begins with a date in words, as VCL writes a time: "
            'sign strftime({"%s"}, now) instead.',
        ),
    ),
    (
        rb"[^,]*\Z",
        Finding("no-comma", "The value has no comma; expected <unix time>,<POP>,<signature>."),
    ),
)


def _whole(value: bytes, scheme: EdgeAuthScheme, now: float) -> Finding | None:
    # Also what bounds the searches below.
    if len(value) > _MAX_BYTES:
        return Finding(
            "too-long", f"The value has {len(value)} bytes; a right one has fewer than 100."
        )
    for beginning, finding in _FAULTS:
        if re.match(beginning, value):
            return finding
    joined = _JOINED.fullmatch(value)
    return None if joined is None else _joined(joined[1], joined[2], scheme, now)


def _joined(first: bytes, rest: bytes, scheme: EdgeAuthScheme, now: float) -> Finding:
    if first == rest:
        return Finding(
            "joined",
            "The same value is there twice: the edge adds the header where it must set it, or "
            "sets it under two names that differ only in _ and -.",
        )
    return Finding(
        "joined",
        "Two values, joined by a proxy or a server: the request had the header twice. Alone, "
        f"the first is {_outcome(first, scheme, now)}, the rest is {_outcome(rest, scheme, now)}. "
        "The edge must remove what the client sent, and set the header at one place only.",
    )


def _outcome(value: bytes, scheme: EdgeAuthScheme, now: float) -> str:
    try:
        scheme.verify_value(value, now=now)
    except VerificationError as error:
        return f"refused ({error.reason})"
    return "accepted"


# The timestamp

_UNIX = re.compile(rb"[1-9][0-9]{0,11}")
_FINER_THAN_SECONDS = re.compile(rb"[1-9][0-9]{12,18}|[0-9]+\.[0-9]+")
_TWO_HOURS = 7200
_TWO_DAYS = 172_800
# The last second that every platform can print as a date.
_LAST_DATE = 32_503_679_999


def _timestamp(raw: bytes, scheme: EdgeAuthScheme, now: float) -> _Part:
    if not _UNIX.fullmatch(raw):
        return Field("timestamp", _short(raw), ok=False, note="no Unix time"), [
            _timestamp_form(raw)
        ]
    signed_at = int(raw)
    age = now - signed_at
    findings = []
    if age > scheme.max_age:
        over = _span(age - scheme.max_age)
        findings.append(
            Finding(
                "too-old",
                f"Too old by {over}: signed {_span(age)} ago, and max_age is "
                f"{_span(scheme.max_age)}. If it was fresh, the clock here is ahead of the "
                f"edge's by {over} or more: compare it with a time server. If it is from a "
                "log, give the time of its request with --at.",
            )
        )
    elif age < -scheme.max_future:
        over = _span(-age - scheme.max_future)
        findings.append(
            Finding(
                "future",
                f"Too new by {over}: signed {_span(-age)} in the future, and max_future is "
                f"{_span(scheme.max_future)}. If it was fresh, the clock here is behind the "
                f"edge's by {over} or more: compare it with a time server.",
            )
        )
    note = f"{_date(signed_at)}, {_span(abs(age))} {'ago' if age >= 0 else 'ahead'}"
    return Field("timestamp", _short(raw), ok=not findings, note=note), findings


def _timestamp_form(raw: bytes) -> Finding:
    if _FINER_THAN_SECONDS.fullmatch(raw):
        return Finding(
            "not-seconds",
            "The time is in milliseconds or finer: the edge must send whole seconds.",
        )
    return Finding(
        "timestamp-form",
        "The time must be Unix seconds in digits, without sign, space or leading zero.",
    )


def _span(length: float) -> str:
    if length < _TWO_HOURS:
        return f"{seconds(length)} s"
    return f"{length / 3600:.0f} h" if length < _TWO_DAYS else f"{length / 86400:.0f} days"


def _date(timestamp: int) -> str:
    if timestamp > _LAST_DATE:
        return "after the year 2999"
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(timestamp))


# The POP

_POP = re.compile(rb"[A-Za-z0-9-]{1,16}")


def _pop(raw: bytes | None, scheme: EdgeAuthScheme) -> _Part:
    if raw is None:
        return _no_pop(scheme)
    seen = _short(raw)
    if not _POP.fullmatch(raw):
        return Field("POP", seen, ok=False, note="no POP code"), [_pop_form(raw)]
    pop = raw.decode()
    if scheme.pops is None:
        return Field("POP", seen, ok=True, note="any is accepted"), []
    if pop in scheme.pops:
        return Field("POP", seen, ok=True, note="on the list"), []
    if pop.lower() in {code.lower() for code in scheme.pops}:
        finding = Finding(
            "pop-case", f"POP {pop} differs from an entry of pops in upper and lower case only."
        )
    else:
        listed = ", ".join(sorted(scheme.pops))
        finding = Finding("pop-not-listed", f"POP {pop} is not one of pops, which are {listed}.")
    return Field("POP", seen, ok=False, note="not on the list"), [finding]


def _no_pop(scheme: EdgeAuthScheme) -> _Part:
    if scheme.require_pop:
        finding = Finding(
            "no-pop",
            "The value names no POP, as from Compute JavaScript, and require_pop is on. "
            "Let the edge send one, or set EDGEAUTH_REQUIRE_POP=false.",
        )
    elif scheme.pops is not None:
        finding = Finding(
            "no-pop", "The value names no POP, so it is on no list: take pops out of the settings."
        )
    else:
        return Field("POP", "", ok=True, note="none, which require_pop=false admits"), []
    return Field("POP", "", ok=False, note="none"), [finding]


def _pop_form(raw: bytes) -> Finding:
    if raw in (b"", b"(null)"):
        return Finding(
            "pop-empty", "The POP is empty: the variable that the edge takes it from is not set."
        )
    if b"," in raw:
        return Finding(
            "fields", "There are more than three fields; expected <unix time>,<POP>,<signature>."
        )
    return Finding("pop-form", "A POP code has 1 to 16 letters, digits or dashes.")


# The signature

_CANONICAL = re.compile(rb"(?:0x)?[0-9a-f]{64}|[A-Za-z0-9+/]{43}=")
_HEX = re.compile(rb"(0[xX])?([0-9A-Fa-f]{16,})")
_BASE64 = re.compile(rb"([A-Za-z0-9+/_-]{16,})={0,2}")
_HASHES = {20: "sha1", 32: "sha256", 48: "sha384", 64: "sha512"}


class _Signer(NamedTuple):
    key: Key
    findings: list[Finding]


def _signature(signed: bytes, raw: bytes, scheme: EdgeAuthScheme, now: float) -> _Part:
    body = raw.removeprefix(b" ")
    seen = _short(body)
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
    signer = _signer(mac, signed, scheme)
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
    if in_hex := _HEX.fullmatch(text):
        digits = in_hex[2]
        if text != text.lower():
            findings.append(
                Finding("upper-case-hex", "The hex is in upper case: the edge must send lower.")
            )
        return bytes.fromhex(digits[: len(digits) // 2 * 2].decode()), findings
    in_base64 = _BASE64.fullmatch(text)
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
    if nested := _HEX.fullmatch(decoded):
        findings.append(
            Finding("base64-of-hex", "The hex digits were encoded in base64 once more.")
        )
        return bytes.fromhex(nested[2][: len(nested[2]) // 2 * 2].decode()), findings
    return decoded, findings


def _signer(mac: bytes, signed: bytes, scheme: EdgeAuthScheme) -> _Signer | None:
    """Who made *mac*, and by which mistakes. Only the usual ones are tried, alone and in pairs."""
    name = _HASHES.get(len(mac))
    if name is None:
        return None
    for key in scheme.keys.newest_first:
        for secret, at_secret in _secrets(key):
            for message, at_message in _messages(signed):
                if hmac.compare_digest(hmac.digest(secret, message, name), mac):
                    found = [at_secret, at_message, _other_hash(name)]
                    return _Signer(key, [finding for finding in found if finding is not None])
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
    match = _HEX.fullmatch(text)
    return None if match is None or len(match[2]) % 2 else bytes.fromhex(match[2].decode())


def _from_base64(text: bytes) -> bytes | None:
    match = _BASE64.fullmatch(text)
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


def _wrong(mac: bytes, signed: bytes, scheme: EdgeAuthScheme) -> Finding:
    if any(key.mac(signed).startswith(mac) for key in scheme.keys):
        return Finding("cut-off", f"The signature is cut off: only {len(mac)} of 32 bytes came.")
    ids = ", ".join(key.id for key in scheme.keys)
    return Finding(
        "wrong-signature",
        f"No key here made this signature (tried: {ids}), nor by a usual mistake such as a "
        "newline or quotes in the secret. The edge has another secret, or the value was "
        "changed on its way. Put one new secret on both sides: edgeauth keygen.",
    )

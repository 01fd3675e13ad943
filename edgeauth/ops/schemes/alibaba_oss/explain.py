"""Why a request that is signed for a bucket of OSS is refused.

Explains and never decides. No secret and no expected signature is in what this returns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from edgeauth.errors import ClaimRefused, MalformedHeader, NotCovered, VerificationError
from edgeauth.keys import Key
from edgeauth.ops.schemes.alibaba_oss.like import like
from edgeauth.ops.schemes.diagnosis import Diagnosis, Field, Finding
from edgeauth.ops.schemes.otherwise import Otherwise, explain_age, rewrites, told
from edgeauth.ops.schemes.part import shortened
from edgeauth.ops.schemes.secret_mistakes import secrets_of
from edgeauth.ops.text import escaped
from edgeauth.schemes.alibaba_oss.strings import (
    DATE,
    FIELD,
    PAYLOAD,
    PREFIX,
    V1_CREDENTIAL,
    V1_LINES,
    V4_CREDENTIAL,
    V4_LINES,
)
from edgeauth.schemes.signed_parts import NO_DATE, http_date, iso_date

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.alibaba_oss import AlibabaOssScheme

_LOOSE = {
    "v1": re.compile(rb"OSS (?P<id>[^:\s]*):(?P<signature>\S*)"),
    "v4": re.compile(rb"OSS4-HMAC-SHA256 .*Credential=(?P<id>[^/,\s]*)/?.*"),
}
_ANY_TIME = 1e12


class _Found(NamedTuple):
    fields: list[Field]
    findings: list[Finding]


def explain(scheme: AlibabaOssScheme, lines: RequestLines, now: float) -> Diagnosis:
    """Look at the signature in *lines* as *scheme* would at *now* (Unix seconds)."""
    found = _Found([], [])
    values = lines.header(FIELD)
    sent = next((key for key in scheme.keys if any(key.material in one for one in values)), None)
    if sent is not None:
        text = f"{FIELD} holds the secret of key {sent.id} itself: make a new one."
        return Diagnosis((), (Finding("secret-sent", text),))
    value = values[0] if values else None
    if value is None or not value.startswith(b"OSS"):
        found.findings.append(_no_credential(value))
        return _diagnosis(found)
    if value.startswith(b"OSS4") != (scheme.version == "v4"):
        other = "v4" if scheme.version == "v1" else "v1"
        text = f"{FIELD} is signed with {other}: set version to {other} here, or change the edge."
        found.findings.append(Finding("other-version", text))
        return _diagnosis(found)
    strict = V4_CREDENTIAL if scheme.version == "v4" else V1_CREDENTIAL
    match = strict.fullmatch(value)
    loose = _LOOSE[scheme.version].fullmatch(value)
    key = _key(scheme, loose["id"] if loose else b"", found, now)
    if match is None:
        found.findings.append(_form(scheme))
        return _diagnosis(found)
    additional, received = b"", match.groups(b"")[-1]
    if scheme.version == "v4":
        additional = match.groups(b"")[-2]
        _scope(scheme, match, found)
    named = V4_LINES if scheme.version == "v4" else V1_LINES
    names = {*(name.decode() for name in named), *additional.decode().split(";"), DATE, PAYLOAD}
    seen = Otherwise.of(lines, names - {""}, PREFIX)
    _signature(_Signed(scheme, seen, lines, value, received), key, found, additional)
    _additional(scheme, additional, found)
    _date(scheme, seen, now, found)
    return _diagnosis(found)


def _diagnosis(found: _Found) -> Diagnosis:
    return Diagnosis(tuple(found.fields), tuple(found.findings))


def _no_credential(value: bytes | None) -> Finding:
    if value is None:
        return Finding(
            "missing",
            f"There is no {FIELD}: let the edge send it. A link that is signed in its query is "
            "none of an edge, and is refused.",
        )
    return Finding(
        "other-credential",
        f"{FIELD} holds no signature of OSS: does the edge pass on what the visitor sent? It must "
        "overwrite the field.",
    )


def _form(scheme: AlibabaOssScheme) -> Finding:
    if scheme.version == "v1":
        return Finding(
            "signature-form",
            f"{FIELD} must be OSS KEY-ID:SIGNATURE, a signature of 28 characters of base64: is it "
            "hex, cut off, or without its padding?",
        )
    return Finding(
        "signature-form",
        f"{FIELD} must be OSS4-HMAC-SHA256 Credential=KEY-ID/DAY/REGION/oss/aliyun_v4_request,"
        "AdditionalHeaders=NAMES,Signature=64 digits of hex, small letters.",
    )


def _key(scheme: AlibabaOssScheme, key_id: bytes, found: _Found, now: float) -> Key | None:
    key = next((one for one in scheme.keys if one.id.encode() == key_id), None)
    if not isinstance(key, Key):
        known = ", ".join(one.id for one in scheme.keys)
        found.fields.append(Field("key id", escaped(key_id), ok=False, note="no key here has it"))
        found.findings.append(
            Finding(
                "unknown-key",
                f"The signature names the key {escaped(key_id)}, and the keys here are: {known}. "
                "Give the secret here the access key id as its id (secrets_file, "
                "KEY-ID:SECRET), or write the id of the key here at the edge.",
            )
        )
        return None
    valid = key.valid_at(now)
    found.fields.append(Field("key id", key.id, ok=valid, note="" if valid else "not valid now"))
    if not valid:
        text = f"Key {key.id} is not valid at this moment: look at its not_before and not_after."
        found.findings.append(Finding("key-dates", text))
    return key


def _scope(scheme: AlibabaOssScheme, match: re.Match[bytes], found: _Found) -> None:
    region, product = match[4], match[5]
    right = region == scheme.region.encode() and product == b"oss"
    found.fields.append(Field("scope", escaped(match[2]), ok=right, note=""))
    if not right:
        found.findings.append(
            Finding(
                "region",
                f"The scope names the region {escaped(region)} and the product {escaped(product)}; "
                f"the setting region is {scheme.region}, the product oss: write the same on both "
                "sides.",
            )
        )


class _Signed(NamedTuple):
    """A request, and the signature of it."""

    scheme: AlibabaOssScheme
    seen: Otherwise
    lines: RequestLines
    value: bytes
    received: bytes


def _signature(given: _Signed, key: Key | None, found: _Found, additional: bytes) -> None:
    scheme, seen = given.scheme, given.seen
    try:
        signed = (
            scheme.v4_canonical(seen, additional)[0]
            if scheme.version == "v4"
            else scheme.v1_signed(seen)[0]
        )
    except MalformedHeader as error:
        found.findings.append(told(error))
        return
    found.fields.extend(
        Field(f"line {place}", escaped(line), ok=True, note="")
        for place, line in enumerate(signed.split(b"\n"), 1)
        if line
    )
    shown = shortened(given.received)
    if key is None:
        found.fields.append(Field("signature", shown, ok=False, note="of a key that is not here"))
    elif _made_by(scheme, key.secret, seen, given.value):
        found.fields.append(Field("signature", shown, ok=True, note=f"made by key {key.id}"))
    else:
        found.fields.append(Field("signature", shown, ok=False, note="not made of these lines"))
        found.findings.append(_search(given, key))


def _made_by(scheme: AlibabaOssScheme, secret: bytes, seen: Otherwise, value: bytes) -> bool:
    """Whether *secret* made *value*, the field, of the request *seen*, whenever that was."""
    if not secret:
        return False
    pattern = V4_CREDENTIAL if scheme.version == "v4" else V1_CREDENTIAL
    match = pattern.fullmatch(value)
    keys = [Key(match[1].decode(), secret, min_bytes=1)] if match else scheme.keys
    request: Any = seen.with_field(FIELD.lower().encode(), value)
    try:
        like(scheme, keys, max_skew=_ANY_TIME).verify(request, now=0)
    except (ClaimRefused, NotCovered):
        return True
    except MalformedHeader as error:
        return error.message == NO_DATE
    except VerificationError:
        return False
    return True


def _search(given: _Signed, key: Key) -> Finding:
    scheme, seen, lines, value, _ = given
    for finding, otherwise in _mistakes(scheme, seen):
        if _made_by(otherwise, key.secret, seen, value):
            return finding
    for finding, other in rewrites(seen, lines.hints):
        if _made_by(scheme, key.secret, other, value):
            return finding
    for secret, mistake in secrets_of(key):
        if mistake is not None and _made_by(scheme, secret, seen, value):
            return mistake
    return Finding(
        "wrong-signature",
        f"Key {key.id} did not make this signature of this request, nor of what usually happens to "
        "one. Compare the lines above with those at the edge: the bucket is the setting bucket. If "
        "its log says what it asked for, give that with --expect-url or --expect-host.",
    )


def _mistakes(
    scheme: AlibabaOssScheme, seen: Otherwise
) -> Iterator[tuple[Finding, AlibabaOssScheme]]:
    """Other settings, with which the signature may be right."""
    other = "raw" if scheme.resource_path == "decoded" else "decoded"
    yield (
        Finding("resource-path", f"Right but for the path: set resource_path to {other} here."),
        like(scheme, resource_path=other),
    )
    yield (
        Finding(
            "bucket",
            f"Right but for the bucket: the edge left it out of the resource, which begins with "
            f"/{scheme.bucket}/.",
        ),
        like(scheme, bucket=""),
    )
    if scheme.version == "v1":
        query = (seen.target or b"").partition(b"?")[2]
        names = {part.partition(b"=")[0].decode("latin-1") for part in query.split(b"&")}
        text = (
            "Right but for the query: the edge signed {}. Name the parameters that it signs in "
            "sub_resources here, or correct its list."
        )
        yield (
            Finding("sub-resources", text.format("all parameters")),
            like(scheme, sub_resources=sorted(names)),
        )
        yield Finding("sub-resources", text.format("none")), like(scheme, sub_resources=[])


def _additional(scheme: AlibabaOssScheme, additional: bytes, found: _Found) -> None:
    missing = sorted({*scheme.require_additional} - {*additional.decode().split(";")})
    if missing:
        named = ", ".join(missing)
        found.findings.append(
            Finding(
                "not-covered",
                f"AdditionalHeaders does not name {named}, and the settings here require it: let "
                "the edge sign it, or set require_additional to what it signs (off: nothing). "
                "Without host a signature is good at any host of the same bucket.",
            )
        )


def _date(scheme: AlibabaOssScheme, seen: Otherwise, now: float, found: _Found) -> None:
    v4 = scheme.version == "v4"
    dates = seen.header(DATE) or ([] if v4 else seen.header("date"))
    if not dates:
        text = f"There is no {DATE}: let the edge send it."
        found.findings.append(Finding("no-date", text))
        return
    try:
        moment = (iso_date if v4 else http_date)(dates[0])
    except MalformedHeader:
        form = "20251009T085320Z" if v4 else "Thu, 09 Oct 2025 08:53:20 GMT"
        found.fields.append(Field("date", shortened(dates[0]), ok=False, note="no such date"))
        found.findings.append(Finding("date-form", f"The date must be of the form {form}."))
        return
    field, findings = explain_age(moment, scheme.max_skew, now)
    found.fields.append(field)
    found.findings.extend(findings)

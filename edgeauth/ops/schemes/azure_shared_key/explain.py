"""Why a request that is signed with an Azure storage key is refused.

Explains and never decides. No secret and no expected signature is in what this returns.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import TYPE_CHECKING

from edgeauth.errors import MalformedHeader
from edgeauth.ops.schemes.diagnosis import Diagnosis, Field, Finding
from edgeauth.ops.schemes.otherwise import Otherwise, explain_age, rewrites, told
from edgeauth.ops.schemes.part import shortened
from edgeauth.ops.text import escaped
from edgeauth.schemes.azure_shared_key import (
    CREDENTIAL,
    DATE,
    FIELD,
    LINES,
    LITE_LINES,
    PREFIX,
    AzureSharedKeyScheme,
)
from edgeauth.schemes.signed_parts import http_date

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.keys import Key
    from edgeauth.ops.schemes.request_lines import RequestLines

_LOOSE = re.compile(rb"(SharedKey(?:Lite)?) ([^:\s]*):(\S*)")


def explain(scheme: AzureSharedKeyScheme, lines: RequestLines, now: float) -> Diagnosis:
    """Look at the signature in *lines* as *scheme* would at *now* (Unix seconds)."""
    values = lines.header(FIELD)
    sent = next((key for key in scheme.keys if any(key.material in one for one in values)), None)
    if sent is not None:
        text = f"{FIELD} holds the key {sent.id} itself: make a new one in the portal."
        return Diagnosis((), (Finding("secret-sent", text),))
    match = _LOOSE.fullmatch(values[0]) if values else None
    if match is None:
        return Diagnosis((), (_no_credential(scheme, values[0] if values else None),))
    word, account, received = match.groups()
    fields, findings = _parts(scheme, word, account, received)
    if word != scheme.word or CREDENTIAL.fullmatch(values[0]) is None:
        return Diagnosis(tuple(fields), tuple(findings))
    names = [name.decode() for name in (LITE_LINES if scheme.lite else LINES)]
    seen = Otherwise.of(lines, (*names, DATE), PREFIX)
    try:
        signed = scheme.string_to_sign(seen)
    except MalformedHeader as error:
        findings.append(told(error))
        return Diagnosis(tuple(fields), tuple(findings))
    fields += [
        Field(f"line {place}", escaped(line), ok=True, note="")
        for place, line in enumerate(signed.split(b"\n"), 1)
        if line
    ]
    made = _maker(scheme, signed, received)
    shown = shortened(received)
    if made is not None:
        fields.append(Field("signature", shown, ok=True, note=f"made by key {made.id}"))
        if not made.valid_at(now):
            text = f"Key {made.id} is not valid at this moment: look at its not_before, not_after."
            findings.append(Finding("key-dates", text))
    else:
        fields.append(Field("signature", shown, ok=False, note="not made of these lines"))
        findings.append(_search(scheme, seen, lines, received))
    _date(scheme, seen, now, fields, findings)
    return Diagnosis(tuple(fields), tuple(findings))


def _no_credential(scheme: AzureSharedKeyScheme, value: bytes | None) -> Finding:
    word = scheme.word.decode()
    if value is None:
        return Finding("missing", f"There is no {FIELD}: let the edge send {word}.")
    return Finding(
        "other-credential",
        f"{FIELD} holds no {word}: does the edge pass on what the visitor sent? It must overwrite "
        f"the field with {word} {scheme.account}:SIGNATURE.",
    )


def _parts(
    scheme: AzureSharedKeyScheme, word: bytes, account: bytes, received: bytes
) -> tuple[list[Field], list[Finding]]:
    findings = []
    if word != scheme.word:
        findings.append(
            Finding(
                "other-word",
                f"{FIELD} says {word.decode()}, and {scheme.word.decode()} counts here: sign so "
                f"at the edge, or set lite to {'false' if scheme.lite else 'true'} here"
                + ("." if scheme.lite else "; Lite leaves the query unsigned."),
            )
        )
    right = account == scheme.account.encode()
    if not right:
        findings.append(
            Finding(
                "account",
                f"The account is {escaped(account)}, and the setting account is "
                f"{scheme.account}: write the same name on both sides.",
            )
        )
    if not re.fullmatch(rb"[A-Za-z0-9+/]{43}=", received):
        findings.append(
            Finding(
                "signature-form",
                f"The signature has {len(received)} characters; it must be 44 of base64, the last "
                "an equals sign: is it hex, cut off, or without its padding?",
            )
        )
    return [
        Field("scheme", word.decode(), ok=word == scheme.word, note=""),
        Field("account", escaped(account), ok=right, note=""),
    ], findings


def _maker(scheme: AzureSharedKeyScheme, signed: bytes, received: bytes) -> Key | None:
    for key in scheme.decoded.newest_first:
        if compare_digest(b2a_base64(key.mac(signed), newline=False), received):
            return key
    return None


def _search(
    scheme: AzureSharedKeyScheme, seen: Otherwise, lines: RequestLines, received: bytes
) -> Finding:
    for finding, signed in _mistakes(scheme, seen):
        if _maker(scheme, signed, received) is not None:
            return finding
    for finding, other in rewrites(seen, lines.hints):
        try:
            signed = scheme.string_to_sign(other)
        except MalformedHeader:
            continue
        if _maker(scheme, signed, received) is not None:
            return finding
    signed = scheme.string_to_sign(seen)
    for key in scheme.keys.newest_first:
        mac = hmac_digest(key.secret, signed, "sha256")
        if compare_digest(b2a_base64(mac, newline=False), received):
            return Finding(
                "secret-encoded",
                f"Right but for the key {key.id} at the edge: it was used as it is written. Decode "
                "it from base64 first.",
            )
    ids = ", ".join(key.id for key in scheme.keys)
    return Finding(
        "wrong-signature",
        f"No key here made this signature of this request (tried: {ids}), nor of what usually "
        "happens to one. Compare the lines above with those at the edge. If its log says what it "
        "asked for, give that with --expect-url. Or the edge has another key.",
    )


def _mistakes(scheme: AzureSharedKeyScheme, seen: Otherwise) -> Iterator[tuple[Finding, bytes]]:
    """What signers are known to sign in place of the right lines."""
    other = AzureSharedKeyScheme(scheme.keys, account=scheme.account, lite=not scheme.lite)
    yield (
        Finding(
            "other-lines",
            f"Right but for the lines: those of {other.word.decode()} were signed, under the name "
            f"{scheme.word.decode()}.",
        ),
        other.string_to_sign(seen),
    )
    parts = scheme.string_to_sign(seen).split(b"\n")
    names = LITE_LINES if scheme.lite else LINES
    for name, value, text in (
        (b"date", b"".join(seen.header("date")), "leave the line of Date empty where x-ms-date is"),
        (b"range", b"", "the edge left it empty, and a Range came. Sign it, or send x-ms-range"),
        (b"content-length", b"0", "write the Content-Length 0 as an empty line"),
    ):
        if name in names:
            place = 1 + names.index(name)
            shown = name.decode()
            yield (
                Finding(f"line-{shown}", f"Right but for the line of {shown}: {text}."),
                b"\n".join([*parts[:place], value, *parts[place + 1 :]]),
            )
    first, last = (
        1 + len(names),
        len(names) + len({name for name, _ in seen.fields_beginning(PREFIX)}),
    )
    order = "Right but for the order of the x-ms- fields: the service sorts _ before digits."
    own = sorted(parts[first : last + 1])
    yield Finding("order", order), b"\n".join([*parts[:first], *own, *parts[last + 1 :]])
    twice = "Right but for the resource: the account stands in it twice, as in the emulator's URLs."
    doubled = b"/%b%b" % (scheme.account.encode(), parts[last + 1])
    yield (
        Finding("account-twice", twice),
        b"\n".join([*parts[: last + 1], doubled, *parts[last + 2 :]]),
    )


def _date(
    scheme: AzureSharedKeyScheme,
    seen: Otherwise,
    now: float,
    fields: list[Field],
    findings: list[Finding],
) -> None:
    dates = seen.header(DATE) or seen.header("date")
    if not dates:
        text = "There is neither x-ms-date nor Date: let the edge send and sign x-ms-date."
        findings.append(Finding("no-date", text))
        return
    try:
        field, found = explain_age(http_date(dates[0]), scheme.max_skew, now)
    except MalformedHeader:
        fields.append(Field("date", shortened(dates[0]), ok=False, note="no date of HTTP"))
        found = [
            Finding(
                "date-form",
                "The date must be of the form Thu, 09 Oct 2025 08:53:20 GMT: no other zone, no "
                "ISO form.",
            )
        ]
    else:
        fields.append(field)
    findings.extend(found)

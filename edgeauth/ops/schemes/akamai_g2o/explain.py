"""Why a request with G2O's two fields is refused, field by field.

Explains and never decides: whether a request is accepted is for the scheme to say. No secret and
no expected signature is in what this returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.errors import MalformedHeader
from edgeauth.ops.schemes.akamai_g2o.data import fields_of, wrong_form
from edgeauth.ops.schemes.akamai_g2o.makers import Received, explain_signature
from edgeauth.ops.schemes.diagnosis import Diagnosis, Field, Finding
from edgeauth.ops.schemes.explain_timestamp import admitted_at, explain_timestamp
from edgeauth.ops.schemes.part import shortened
from edgeauth.ops.schemes.secret_mistakes import secret_sent
from edgeauth.ops.schemes.seen import Seen
from edgeauth.ops.text import escaped
from edgeauth.schemes.akamai_g2o.arguments import DATA, DATA_HEADER, SIGN_HEADER

if TYPE_CHECKING:
    from edgeauth.keys import Key
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme


def explain(scheme: AkamaiG2OScheme, lines: RequestLines, now: float) -> Diagnosis:
    """Look at the two fields in *lines* as *scheme* would at *now* (Unix seconds)."""
    sent = secret_sent(scheme.keys.newest_first, scheme.headers, lines)
    if sent is not None:
        return Diagnosis((), (sent,))
    missing = [name for name in scheme.headers if not lines.header(name)]
    if missing:
        return Diagnosis((), (_missing(missing, scheme.headers, lines),))
    data, sign = (b"".join(lines.header(name)) for name in scheme.headers)
    match = DATA.fullmatch(data)
    if match is None:
        field = Field("data", shortened(data), ok=False, note="not of the form")
        return Diagnosis((field,), tuple(wrong_form(scheme, data, now)))
    version, _, client, time, key_id = match.groups()
    fields, findings = fields_of(match.groups()), []
    key_field, key_findings = _key(scheme, key_id, now)
    if int(version) not in scheme.versions:
        accepted = ", ".join(map(str, scheme.versions))
        fields[0] = fields[0]._replace(ok=False, note=f"accepted here: {accepted}")
        findings.append(
            Finding(
                "version",
                f"{scheme.data_header} says version {int(version)}, and versions here has "
                f"{accepted}: set the encoding version of the property to {max(scheme.versions)}, "
                "or add the other to versions.",
            )
        )
    time_field, time_findings = explain_timestamp(time, scheme, now)
    seen = Seen.of(lines, "https")
    try:
        signed = scheme.string_of(lines, client)
    except MalformedHeader as error:
        signed_field = Field("sign string", "", ok=False, note=error.message)
        sign_fields, sign_findings = [signed_field], [_cannot(error, lines)]
    else:
        received = Received(seen, data, sign, int(version), client, signed)
        signed_field = Field("sign string", escaped(signed), ok=True, note=_parts(scheme))
        sign_field, sign_findings = explain_signature(scheme, received, _named(scheme, key_id))
        sign_fields = [signed_field, sign_field]
    replayed = _seen_before(scheme, lines, now)
    return Diagnosis(
        (*fields, time_field._replace(name="time"), key_field, *sign_fields),
        (*key_findings, *sign_findings, *findings, *time_findings, *replayed),
    )


def _named(scheme: AkamaiG2OScheme, key_id: bytes) -> Key | None:
    """The key of that id; None where there is none."""
    return next((key for key in scheme.keys.newest_first if key.id.encode() == key_id), None)


def _parts(scheme: AkamaiG2OScheme) -> str:
    if scheme.sign_string is None:
        return "the target as received"
    return "of your callable" if callable(scheme.sign_string) else " ".join(scheme.sign_string)


def _missing(missing: list[str], headers: tuple[str, ...], lines: RequestLines) -> Finding:
    named = {name.lower() for name in headers}
    usual = [name for name in (DATA_HEADER, SIGN_HEADER) if name.lower() not in named]
    there = [name for name in usual if lines.header(name)]
    names = " and ".join(missing)
    if there:
        return Finding(
            "other-name",
            f"There is no {names}, and there is {' and '.join(there)}: set data_header and "
            "sign_header to the names that the property has, or the other way round.",
        )
    return Finding(
        "missing",
        f"There is no {names}: the behaviour Signature Header Authentication is off for this "
        "request, or something on the way removes the field.",
    )


def _cannot(error: MalformedHeader, lines: RequestLines) -> Finding:
    if lines.target is None:
        return Finding(
            "no-target",
            "The target is signed, and there is none: give the request line as well (GET "
            "/path?query HTTP/1.1), or --url. If the server itself refuses it for that, it does "
            "not tell the target: docs/servers.md says which do.",
        )
    return Finding("cannot-be-signed", f"{error.message[0].upper()}{error.message[1:]}.")


def _key(scheme: AkamaiG2OScheme, key_id: bytes, now: float) -> tuple[Field, list[Finding]]:
    key, name = _named(scheme, key_id), escaped(key_id)
    if key is None:
        known = ", ".join(one.id for one in scheme.keys)
        finding = Finding(
            "unknown-key",
            f"The nonce of the property is {name}, and the keys here are: {known}. The nonce is "
            "the id of a key: write it into the property, or add the key here.",
        )
        return Field("nonce", name, ok=False, note="no key here has this id"), [finding]
    if not key.valid_at(now):
        text = f"Key {key.id} is not valid at this moment: look at its not_before and not_after."
        return Field("nonce", name, ok=False, note="not valid now"), [Finding("key-dates", text)]
    return Field("nonce", name, ok=True, note="the id of a key here"), []


def _seen_before(scheme: AkamaiG2OScheme, lines: RequestLines, now: float) -> list[Finding]:
    when = admitted_at(scheme, lines, now)
    if when is None:
        return []
    return [
        Finding(
            "replayed",
            f"This {scheme.data_header} was admitted at {when}: the request is a replay, or the "
            "edge tried again what was answered too slowly, with the same header. If that is "
            "usual, set replay_methods = 'unsafe', or take replay out.",
        )
    ]

"""Why a request with AWS SigV4 is refused: each part of it, and what to do.

Explains and never decides: whether a request is accepted is for the scheme to say. No secret and
no expected signature is in what this returns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import VerificationError
from edgeauth.keys import Key
from edgeauth.ops.schemes.aws_sigv4.form import read
from edgeauth.ops.schemes.aws_sigv4.search import search
from edgeauth.ops.schemes.diagnosis import Diagnosis, Field, Finding
from edgeauth.ops.schemes.explain_timestamp import admitted_at, explain_timestamp
from edgeauth.ops.schemes.part import shortened
from edgeauth.ops.schemes.secret_mistakes import secret_sent
from edgeauth.ops.schemes.seen import Seen
from edgeauth.ops.text import escaped
from edgeauth.schemes.aws_sigv4.canonical import UNSIGNED, day_secret
from edgeauth.schemes.aws_sigv4.given import Given, message_of
from edgeauth.schemes.aws_sigv4.grammar import CONTENT, second_of_day

if TYPE_CHECKING:
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme

_HASH = re.compile(rb"[0-9A-Fa-f]{64}")


@dataclass
class _Window:
    max_age: float
    max_future: float


class _Found(NamedTuple):
    fields: list[Field]
    findings: list[Finding]

    def add(self, name: str, seen: str, note: str = "", finding: Finding | None = None) -> None:
        self.fields.append(Field(name, seen, finding is None, note))
        if finding is not None:
            self.findings.append(finding)


def explain(scheme: AwsSigV4Scheme, lines: RequestLines, now: float) -> Diagnosis:
    """Look at the signature in *lines* as *scheme* would at *now* (Unix seconds)."""
    sent = secret_sent(scheme.keys, scheme.headers, lines)
    if sent is not None:
        return Diagnosis((), (sent,))
    given = read(scheme, lines)
    if isinstance(given, Finding):
        return Diagnosis((), (given,))
    found = _Found([], [])
    named = next((one for one in scheme.keys if one.id.encode() == given.credential.key), None)
    _key(found, scheme, given, named if isinstance(named, Key) else None, now)
    _scope(found, scheme, given)
    _names(found, lines, given)
    _payload(found, scheme, given)
    _time(found, scheme, given, now)
    _signature(found, scheme, lines, given, named if isinstance(named, Key) else None)
    _replayed(found, scheme, lines, now)
    return Diagnosis(tuple(found.fields), tuple(found.findings))


def _key(found: _Found, scheme: AwsSigV4Scheme, given: Given, key: Key | None, now: float) -> None:
    said = escaped(given.credential.key)
    if key is None:
        known = ", ".join(one.id for one in scheme.keys)
        finding = Finding(
            "unknown-key",
            f"Credential names the access key id {said}, and the ids of the keys here are: "
            f"{known}. Write the id that the edge has before the secret here.",
        )
        found.add("Credential", said, "no key here has this id", finding)
    elif not key.valid_at(now):
        text = f"Key {key.id} is not valid at this moment: look at its not_before and not_after."
        found.add("Credential", said, "not valid now", Finding("key-dates", text))
    else:
        found.add("Credential", said, "the access key id")


def _scope(found: _Found, scheme: AwsSigV4Scheme, given: Given) -> None:
    for name, said, ours in (
        ("region", given.credential.region, scheme.region),
        ("service", given.credential.service, scheme.service),
    ):
        finding = None
        if said != ours.encode():
            finding = Finding(
                name,
                f"The edge signs for the {name} {escaped(said)}, and the settings here say {ours}: "
                f"set {name} here to what the edge has, or the other way round.",
            )
        found.add(name, escaped(said), "" if finding is None else f"here it is {ours}", finding)


def _names(found: _Found, lines: RequestLines, given: Given) -> None:
    names = given.credential.form.names
    finding = None
    left = [b"host"] if b"host" not in names else []
    if given.credential.expires is None and b"x-amz-date" not in names:
        left.append(b"x-amz-date")
    for name, _ in lines.fields_beginning(b"x-amz-"):
        if name not in names and name != CONTENT.lower().encode():
            left.append(name)
    gone = [name for name in sorted(names) if not lines.header(name.decode())]
    if gone:
        shown = ", ".join(map(escaped, gone))
        finding = Finding(
            "gone",
            f"SignedHeaders has {shown}, and no such line is here: something between edge and "
            "origin removes the field, or it was not copied. Let the edge leave it out of what it "
            "signs, or pass it on.",
        )
    elif left:
        shown = ", ".join(map(escaped, left))
        finding = Finding(
            "not-covered",
            f"SignedHeaders leaves out {shown}, which must be signed: host, x-amz-date and every "
            "field that begins with x-amz-. Let the edge sign it, or remove what clients send.",
        )
    found.add("SignedHeaders", shortened(given.credential.names), "", finding)


def _payload(found: _Found, scheme: AwsSigV4Scheme, given: Given) -> None:
    payload, finding, note = given.payload, None, ""
    if payload == UNSIGNED:
        note = "nothing vouches for the body"
        if not scheme.unsigned_payload:
            finding = Finding(
                "unsigned-payload",
                "X-Amz-Content-SHA256 is UNSIGNED-PAYLOAD (of a presigned URL it always is), and "
                "unsigned_payload is off here: let the edge send the hash of the body, or set "
                "unsigned_payload = true.",
            )
    elif _HASH.fullmatch(payload):
        note = "the body is compared as the application reads it"
    else:
        finding = Finding(
            "streaming",
            f"X-Amz-Content-SHA256 is {shortened(payload)}: a body that is signed in pieces is not "
            "verified here. Let the edge send the hash of the whole body, or UNSIGNED-PAYLOAD.",
        )
    found.add(CONTENT, shortened(payload), note, finding)


def _time(found: _Found, scheme: AwsSigV4Scheme, given: Given, now: float) -> None:
    credential = given.credential
    signed_at = credential.begins + second_of_day(given.date, credential.day)
    expires = credential.expires
    window = _Window(scheme.max_skew if expires is None else expires, scheme.max_skew)
    field, findings = explain_timestamp(b"%d" % signed_at, window, now)
    name = "max_skew" if expires is None else "X-Amz-Expires"
    told = [
        one._replace(text=one.text.replace("max_age", name).replace("max_future", "max_skew"))
        for one in findings
    ]
    found.fields.append(field._replace(name="X-Amz-Date", seen=escaped(given.date)))
    found.findings.extend(told)
    if expires is not None:
        finding = None
        if expires > scheme.max_expires:
            finding = Finding(
                "expires",
                f"The URL is good for {expires} s, and max_expires is {scheme.max_expires} s: let "
                "what signs it give it a shorter life, or allow more here.",
            )
        found.add("X-Amz-Expires", str(expires), "", finding)


def _signature(
    found: _Found, scheme: AwsSigV4Scheme, lines: RequestLines, given: Given, key: Key | None
) -> None:
    shown = shortened(given.signature)
    if not lines.host:
        text = "Host is signed, and there is no such line: give the line of Host, or --url."
        found.add("Signature", shown, "not compared", Finding("no-host", text))
        return
    if any(one.code == "gone" for one in found.findings):
        found.fields.append(Field("Signature", shown, ok=False, note="not compared"))
        return
    if key is not None and _is_good(scheme, lines, given, key):
        found.add("Signature", shown, f"made by key {key.id}")
        return
    findings = search(scheme, given, Seen.of(lines, "https"))
    if findings is None:
        ids = ", ".join(one.id for one in scheme.keys)
        findings = [
            Finding(
                "wrong-signature",
                f"No key here made this signature of this request (tried: {ids}), nor of what "
                "usually happens to one: another Host, path, query or method, another payload, a "
                "mistake with the secret. Compare the canonical request at the edge with this. "
                "If its log says what it asked for, give that with --expect-url or --expect-host. "
                "Or the edge has another secret.",
            )
        ]
    found.fields.append(Field("Signature", shown, ok=False, note="not of this request by this key"))
    found.findings.extend(findings)


def _is_good(scheme: AwsSigV4Scheme, lines: RequestLines, given: Given, key: Key) -> bool:
    credential = given.credential
    secret = day_secret(key.secret, credential.day, credential.region, credential.service)
    try:
        message = message_of(lines, given, scheme.path_mode)
    except VerificationError:
        return False
    return Key("day", secret).mac(message).hex().encode() == given.signature


def _replayed(found: _Found, scheme: AwsSigV4Scheme, lines: RequestLines, now: float) -> None:
    when = admitted_at(scheme, lines, now)
    if when is not None:
        found.findings.append(
            Finding(
                "replayed",
                f"This signature was admitted at {when}, "
                "and the gate has a replay store: it is the same request again. Two equal requests "
                "of one second have one signature: for reads, set replay_methods = 'unsafe'.",
            )
        )

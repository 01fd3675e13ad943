"""Why a message signature is refused, line by line of what should have been signed.

Explains and never decides: whether a request is accepted is for the scheme to say. Where a
signature is wrong, what usually happens between edge and origin is undone, one thing at a time
and then two, and the signature says which of it happened. No secret and no expected signature is
in what this returns.
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import MalformedHeader, VerificationError
from edgeauth.keys import Key
from edgeauth.ops.schemes.diagnosis import Diagnosis, Field, Finding
from edgeauth.ops.schemes.explain_timestamp import admitted_at, date, explain_timestamp
from edgeauth.ops.schemes.message_signatures.lines import is_private, lines_of, name_of
from edgeauth.ops.schemes.message_signatures.makers import (
    Message,
    algorithm_of,
    made_by,
    mistake,
    wrong_algorithm,
)
from edgeauth.ops.schemes.message_signatures.pick import pick
from edgeauth.ops.schemes.part import shortened
from edgeauth.ops.schemes.search import MOST, MOST_WITH_PUBLIC_KEYS, Explained, search
from edgeauth.ops.schemes.secret_mistakes import secret_sent
from edgeauth.ops.schemes.seen import Seen
from edgeauth.ops.text import escaped
from edgeauth.schemes.message_signatures.arguments import required
from edgeauth.schemes.message_signatures.form import Form, Selected, changing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.public_keys import PublicKey
    from edgeauth.schemes.message_signatures import MessageSignatureScheme
    from edgeauth.schemes.message_signatures.base import Base
    from edgeauth.schemes.message_signatures.components import Component

_PARAMS = '"@signature-params"'


def explain(scheme: MessageSignatureScheme, lines: RequestLines, now: float) -> Diagnosis:
    """Look at the signature in *lines* as *scheme* would at *now* (Unix seconds)."""
    sent = secret_sent(scheme.keys, scheme.headers, lines)
    if sent is not None:
        return Diagnosis((), (sent,))
    picked = pick(scheme, lines)
    if isinstance(picked, Finding):
        return Diagnosis((), (picked,))
    try:
        form = Form(
            picked,
            {part.identity: part.id for part in required(scheme.components)},
            require_nonce=scheme.require_nonce,
        )
        created, expires, nonce, key_id = changing(picked.signed)
    except MalformedHeader as error:
        return Diagnosis((), (_hinted(error),))
    found = _Found([], [])
    named = next((one for one in scheme.keys if one.id.encode() == key_id), None)
    _signature(found, scheme, _Signed(Seen.of(lines, scheme.scheme), form, picked, named))
    if named is None:
        known = ", ".join(one.id for one in scheme.keys)
        found.add(
            Field("keyid", escaped(key_id or b""), ok=False, note="no key here has this id"),
            Finding(
                "unknown-key",
                f"The signature names the key {escaped(key_id or b'')}, and the keys here are: "
                f"{known}. Write the id of the key here at the edge, or add the key here.",
            ),
        )
    else:
        _key(found, named, form, now)
    if form.missing is not None:
        found.findings.append(
            Finding(
                "not-covered",
                f"{form.missing[0].upper()}{form.missing[1:]}, and the settings here require it: "
                "let the edge sign it, or require less here.",
            )
        )
    if created is not None:
        field, findings = explain_timestamp(created, scheme, now)
        found.add(field._replace(name="created"), *findings)
    if expires is not None:
        _expires(found, int(expires), scheme.max_future, now)
    if nonce is not None:
        _nonce(found, scheme, lines, now, nonce)
    return Diagnosis(tuple(found.fields), tuple(found.findings))


class _Found(NamedTuple):
    fields: list[Field]
    findings: list[Finding]

    def add(self, field: Field, *findings: Finding) -> None:
        self.fields.append(field)
        self.findings.extend(findings)


class _Signed(NamedTuple):
    """A request, its signature, and the key that this names, if it is here."""

    seen: Seen
    form: Form
    picked: Selected
    key: Key | PublicKey | None


def _signature(found: _Found, scheme: MessageSignatureScheme, given: _Signed) -> None:
    """The lines of what is signed, and whether the signature is one of them."""
    seen, form, picked, key = given
    parts, signed = form.base.components, picked.signed.text()
    values = lines_of(parts, seen)
    params = Field(_PARAMS, escaped(signed), ok=True, note="")
    cannot = [_cannot(part, value) for part, value in zip(parts, values, strict=True)]
    raw, shown = a2b_base64(picked.signature), shortened(picked.signature)
    keys = tuple(scheme.keys) if key is None else (key,)
    if any(cannot):
        # There may have been one before something decoded the path.
        decoded = all(
            finding is None or "target" in part.needs
            for part, finding in zip(parts, cannot, strict=True)
        )
        other = None
        if decoded and seen.target is not None:
            other = _search(raw, seen, form.base, signed, keys)
        were = values if other is None else lines_of(parts, other.signed)
        found.fields.extend(_lines(parts, values, were))
        told = [finding for finding in cannot if finding is not None]
        found.add(params, *(told if other is None else other.findings))
        return
    base = form.base.of(seen, signed, scheme.scheme)
    message = Message(base, b'"@signature-params": ' + signed, picked.label)
    if key is not None and made_by(key, raw, base):
        found.fields.extend(_lines(parts, values, values))
        found.add(params)
        found.add(Field("signature", shown, ok=True, note=f"made by key {key.id}"))
        return
    of_the_request, findings = values, []
    if (wrong := mistake(raw, message, key, scheme)) is not None:
        findings.append(wrong)
    elif (other := _search(raw, seen, form.base, signed, keys)) is not None:
        of_the_request = lines_of(parts, other.signed)
        findings.extend(other.findings)
    else:
        findings.append(_no_idea(raw, key, scheme))
    found.fields.extend(_lines(parts, values, of_the_request))
    found.add(params)
    found.add(
        Field("signature", shown, ok=False, note="not made of these lines by this key"),
        *findings,
    )


def _search(
    raw: bytes, seen: Seen, base: Base, signed: bytes, keys: Sequence[Key | PublicKey]
) -> Explained | None:
    names = [name for part in base.components if (name := name_of(part))[:1] != "@"]
    by_secret = all(isinstance(key, Key) for key in keys)
    return search(
        seen,
        lambda request: base.of(request, signed, request.scheme),
        lambda message: any(made_by(key, raw, message) for key in keys),
        fields=dict.fromkeys(names),
        ports=by_secret and any("host" in part.needs for part in base.components),
        most=MOST if by_secret else MOST_WITH_PUBLIC_KEYS,
    )


def _lines(
    parts: Sequence[Component],
    here: Sequence[bytes | MalformedHeader],
    there: Sequence[bytes | MalformedHeader],
) -> list[Field]:
    """A field for each line: as it is *here*, and where that differs, as it was at the edge."""
    found = []
    for part, mine, its in zip(parts, here, there, strict=True):
        name, private = escaped(part.id), is_private(part)
        note = ""
        if not isinstance(its, MalformedHeader) and mine != its:
            note = "the edge signed " + ("another value" if private else escaped(its) or "nothing")
        if isinstance(mine, MalformedHeader):
            found.append(Field(name, "", ok=False, note=note or mine.message))
            continue
        seen = "(not shown)" if private else escaped(mine)
        found.append(Field(name, seen, ok=mine == its, note=note))
    return found


def _cannot(part: Component, value: bytes | MalformedHeader) -> Finding | None:
    """Why there is no line for *part*; None where there is."""
    if not isinstance(value, MalformedHeader):
        return None
    name = escaped(part.id)
    if "target" in part.needs and "does not tell the target" in value.message:
        return Finding(
            "no-target",
            f"{name} is signed, and there is no target: give the request line as well (GET "
            "/path?query HTTP/1.1), or --url. If the server itself refuses it for that, it does "
            "not tell the target: docs/servers.md says which do.",
        )
    if "host" in part.needs and "Host" in value.message:
        return Finding("no-host", f"{name} is signed: give the line of Host, or --url.")
    hint = f" {value.hint[0].upper()}{value.hint[1:]}" if value.hint else ""
    return Finding("no-line", f"There is no line for {name}: {value.message}.{hint}")


def _hinted(error: VerificationError) -> Finding:
    hint = error.hint or error.message
    return Finding(error.reason, f"{hint[0].upper()}{hint[1:]}.")


def _no_idea(raw: bytes, key: Key | PublicKey | None, scheme: MessageSignatureScheme) -> Finding:
    wrong = None if key is None else wrong_algorithm(raw, key)
    if wrong is not None:
        return wrong
    ids = ", ".join(one.id for one in scheme.keys)
    return Finding(
        "wrong-signature",
        f"No key here made this signature of this request (tried: {ids}), nor of what usually "
        "happens to one: another Host, path, query, method or scheme, a mistake with the secret. "
        "Compare the lines above with those at the edge. If its log says what it asked for, give "
        "that with --expect-url or --expect-host. Or the edge has another key.",
    )


def _key(found: _Found, key: Key | PublicKey, form: Form, now: float) -> None:
    has = algorithm_of(key)
    if form.algorithm is not None and form.algorithm != has.encode():
        found.findings.append(
            Finding(
                "algorithm",
                f"The message says alg={escaped(form.algorithm)}, and key {key.id} is for {has}: "
                "the algorithm belongs to the key. Correct alg at the edge, or leave it out.",
            )
        )
    valid = key.valid_at(now)
    note = has if valid else f"{has}, not valid now"
    found.add(Field("keyid", key.id, ok=valid, note=note))
    if not valid:
        text = f"Key {key.id} is not valid at this moment: look at its not_before and not_after."
        found.findings.append(Finding("key-dates", text))


def _expires(found: _Found, expires: int, max_future: float, now: float) -> None:
    late = now - expires
    ok = late <= max_future
    findings = (
        []
        if ok
        else [
            Finding(
                "past-expires",
                f"The edge set the end of it, {late:.0f} s ago. If it was fresh, the clock here "
                "is ahead of the edge's.",
            )
        ]
    )
    found.add(Field("expires", str(expires), ok=ok, note=date(expires)), *findings)


def _nonce(
    found: _Found, scheme: MessageSignatureScheme, lines: RequestLines, now: float, nonce: bytes
) -> None:
    when = admitted_at(scheme, lines, now)
    if when is None:
        found.add(Field("nonce", shortened(nonce), ok=True, note=""))
        return
    found.add(
        Field("nonce", shortened(nonce), ok=False, note="seen before"),
        Finding(
            "replayed",
            f"This nonce was admitted at {when}: the request is a replay, and the gate refuses "
            "it. Does the edge, or a proxy, ask again without signing anew? Each attempt needs a "
            "nonce of its own.",
        ),
    )

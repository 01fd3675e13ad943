"""Why a token is refused, claim by claim, in words for the person who runs the origin.

Explains and never decides: whether a token is accepted is for the scheme to say. What a token
says is shown whether it is authentic or not, and the first field says which. No secret and no
expected signature is in what this returns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from edgeauth.errors import MalformedHeader, seconds
from edgeauth.ops.schemes.diagnosis import Diagnosis, Field, Finding
from edgeauth.ops.schemes.explain_timestamp import date
from edgeauth.ops.schemes.part import shortened
from edgeauth.ops.schemes.secret_mistakes import secrets_of
from edgeauth.ops.text import escaped
from edgeauth.schemes.signed_token.algorithms import HS256
from edgeauth.schemes.signed_token.token import MAX_BYTES, claims_of, header_of, parts_of

if TYPE_CHECKING:
    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.signed_token import SignedTokenScheme
    from edgeauth.schemes.signed_token.token import Parts

_SHORT = 60
_LINE = re.compile(rb"[!-9;-~]+:[ \t]|[A-Z]+ [^ ]+ HTTP/")
_PARTS = 3
_TIMES = ("iat", "nbf", "exp")
# Beyond it, a time is in milliseconds.
_LAST = 999_999_999_999


def explain(scheme: SignedTokenScheme, lines: RequestLines, now: float) -> Diagnosis:
    """Look at the token in *lines* as *scheme* would at *now* (Unix seconds)."""
    values = lines.header(scheme.header)
    # Where the field is in no line, all that was given is taken for its value.
    if not values or _LINE.match(values[0]):
        return Diagnosis((), (_nothing(scheme, lines),))
    value = values[0]
    for key in scheme.keys.newest_first:
        if key.secret in value:
            text = f"The field holds the secret of key {key.id} itself: make a new one."
            return Diagnosis((), (Finding("secret-sent", text),))
    try:
        parts = parts_of(value)
        header, claims = header_of(parts.head), claims_of(parts.payload)
    except MalformedHeader as error:
        seen = Field("token", shortened(value), ok=False, note="no token")
        return Diagnosis((seen,), (_form(value, error, scheme),))
    found = _Found([], [])
    _header(found, scheme, header)
    _signature(found, scheme, parts, header, now)
    _issuer(found, scheme, claims)
    _audience(found, scheme, claims)
    for name in scheme.claims:
        _claim(found, scheme, name, claims)
    _times(found, scheme, claims, now)
    return Diagnosis(tuple(found.fields), tuple(found.findings))


class _Found(NamedTuple):
    fields: list[Field]
    findings: list[Finding]

    def add(self, name: str, seen: object, wrong: Finding | None, note: str = "") -> None:
        text = escaped(str(seen).encode("utf-8", "replace"))
        text = text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."
        self.fields.append(Field(name, text, ok=wrong is None, note=note))
        if wrong is not None:
            self.findings.append(wrong)


def _nothing(scheme: SignedTokenScheme, lines: RequestLines) -> Finding:
    for name in ("Authorization", "Cookie"):
        if any(b"eyJ" in value for value in lines.header(name)):
            return Finding(
                "elsewhere",
                f"There is no {scheme.header}, and a token in {name}: only {scheme.header} counts. "
                "What stands elsewhere is the client's. Let the edge write the field, or set "
                "header to the one that it writes.",
            )
    return Finding(
        "no-token",
        f"There is no {scheme.header}: does the edge sign this route, and does the request come "
        "through it? Health checks and requests past the edge carry none.",
    )


def _form(value: bytes, error: MalformedHeader, scheme: SignedTokenScheme) -> Finding:
    field, count = scheme.header, value.count(b".") + 1
    faults = (
        (
            not value,
            "empty",
            f"{field} is empty: is the secret or the policy set where the edge signs?",
        ),
        (
            value[:1] in {b'"', b"'"},
            "quoted",
            f"{field} begins with a quote: the edge must send it without.",
        ),
        (
            value[:7].lower() == b"bearer ",
            "bearer",
            f"{field} begins with the word Bearer: write the bare token into the field.",
        ),
        (
            b"," in value,
            "joined",
            (
                f"{field} was there twice, and a server joined the values: the edge must remove "
                "what the client sent, and set the field at one place only."
            ),
        ),
        (
            len(value) > MAX_BYTES,
            "too-long",
            (
                f"{field} has {len(value)} bytes, more than {MAX_BYTES}: let the issuer put fewer "
                "claims into the token."
            ),
        ),
        (
            count != _PARTS,
            "parts",
            (
                f"{field} has {count} parts between dots, and a signed token has three: is it cut "
                "off, or another kind of token?"
            ),
        ),
        (True, "form", f"{field} is no token: {error.message}. Was it changed on its way?"),
    )
    return next(Finding(code, text) for holds, code, text in faults if holds)


def _header(found: _Found, scheme: SignedTokenScheme, header: dict[str, Any]) -> None:
    named, wrong = header.get("alg"), None
    if named not in scheme.algorithm_names:
        wrong = Finding(
            "algorithm",
            f"The token says alg {named!r}, and algorithm here is {scheme.algorithm}: set it to "
            "what the issuer signs with. A token never chooses."
            if named != "none"
            else "The token is not signed (alg none): anybody can write one. Whoever sent it is "
            "not the issuer.",
        )
    found.add("alg", named, wrong)
    if "crit" in header or "b64" in header:
        text = "The token needs an extension (crit or b64), and there are none here: sign without."
        found.add("crit", header.get("crit"), Finding("extension", text))


def _signature(
    found: _Found, scheme: SignedTokenScheme, parts: Parts, header: dict[str, Any], now: float
) -> None:
    kid, known = header.get("kid"), ", ".join(scheme.kids)
    if "kid" in header:
        wrong = None
        if kid not in scheme.kids:
            wrong = Finding(
                "unknown-key",
                f"The token names the key {escaped(str(kid).encode('utf-8', 'replace'))}, and the "
                f"keys here are: {known}. If the issuer has a new one, fetch its key set: edgeauth "
                "jwks update. If not, the token is of another issuer, or forged.",
            )
        found.add("kid", kid, wrong)
    elif scheme.must_name_key:
        text = f"The token names no key (kid), and jwks has several: {known}."
        found.add("kid", "", Finding("no-kid", text))
    signer = scheme.signer_of(parts)
    shown = shortened(parts.signature.hex().encode())
    if signer is None:
        found.add("signature", shown, _wrong_signature(scheme, parts), "made by no key here")
    elif not signer.valid_at(now):
        text = f"Key {signer.id} is not valid at this moment: look at its not_before and not_after."
        found.add("signature", shown, Finding("key-dates", text), f"made by key {signer.id}")
    else:
        found.add("signature", shown, None, f"made by key {signer.id}")


def _wrong_signature(scheme: SignedTokenScheme, parts: Parts) -> Finding:
    for key in scheme.keys.newest_first if scheme.algorithm == HS256 else ():
        for secret, mistake in secrets_of(key):
            # A secret of its own: Key refuses those of mistakes.
            if mistake is not None and _hmac(secret, parts.signed) == parts.signature:
                return mistake
    ids = ", ".join(key.id for key in scheme.keys)
    return Finding(
        "wrong-signature",
        f"No key here made this signature (tried: {ids}), nor by a usual mistake with the secret: "
        "the issuer has another key, or the token was changed. "
        + (
            "Compare the secret on both sides."
            if scheme.algorithm == HS256
            else "Fetch the key set of the issuer again: edgeauth jwks update."
        ),
    )


def _hmac(secret: bytes, message: bytes) -> bytes:
    import hmac  # noqa: PLC0415 - a name that is in the way

    return hmac.digest(secret, message, "sha256")


def _issuer(found: _Found, scheme: SignedTokenScheme, claims: dict[str, Any]) -> None:
    named, wrong = claims.get("iss"), None
    if named != scheme.rules.issuer:
        near = isinstance(named, str) and named.rstrip("/") == scheme.rules.issuer.rstrip("/")
        text = f"iss of the token is {named!r}, and issuer here is {scheme.rules.issuer!r}: "
        text += (
            "they differ by a slash, and must be equal letter by letter."
            if near
            else "set issuer to that of your account. If it is, the token is of somebody else's."
        )
        wrong = Finding("issuer", text)
    found.add("iss", named, wrong)


def _audience(found: _Found, scheme: SignedTokenScheme, claims: dict[str, Any]) -> None:
    named, ours, wrong = claims.get("aud"), scheme.rules.audience, None
    if not scheme.rules.is_audience(named):
        if ours is None:
            text = f"The token is for {named!r}, and audience is not set here: set it to that."
        else:
            text = (
                f"aud of the token is {named!r}, and audience here is {', '.join(sorted(ours))}: "
                "add the one of this application, and leave those of others out."
            )
        wrong = Finding("audience", text)
    if named is not None or ours is not None:
        found.add("aud", named, wrong)


def _claim(found: _Found, scheme: SignedTokenScheme, name: str, claims: dict[str, Any]) -> None:
    value, wrong = claims.get(name), None
    if not scheme.rules.allows(name, value):
        allowed = ", ".join(sorted(str(one) for _, one in scheme.rules.allowed[name]))
        wrong = Finding(
            "claim",
            f"{name} of the token is {value!r}, and claims here allow {allowed}: add it if it is "
            "yours. If not, the token was made for something else with the same key.",
        )
    found.add(name, value, wrong)


def _times(found: _Found, scheme: SignedTokenScheme, claims: dict[str, Any], now: float) -> None:
    skew = scheme.rules.max_skew
    numbers: dict[str, Any] = {name: claims[name] for name in _TIMES if name in claims}
    for name, value in numbers.items():
        wrong = _no_time(name, value)
        if wrong is None and name != "exp" and now < value - skew:
            wrong = Finding(
                "future",
                f"{name} is {seconds(value - now)} s ahead, and max_skew is {seconds(skew)} s. If "
                "the token was fresh, the clock here is behind that of the issuer: compare it with "
                "a time server.",
            )
        if wrong is None and name == "exp" and now >= value + skew:
            wrong = Finding(
                "expired",
                f"The token expired {seconds(now - value)} s ago (exp), and max_skew is "
                f"{seconds(skew)} s. If it was fresh, the clock here is ahead of that of the "
                "issuer. If it is from a log, give the time of its request with --at.",
            )
        found.add(name, value, wrong, "" if _no_time(name, value) else date(int(value)))
    if "exp" not in numbers:
        text = "The token has no exp, so it would be good for ever: let the issuer set one."
        found.add("exp", "", Finding("no-exp", text))
    elif not any(_no_time(name, value) for name, value in numbers.items()):
        _lifetime(found, scheme, numbers, now)


def _lifetime(
    found: _Found, scheme: SignedTokenScheme, numbers: dict[str, Any], now: float
) -> None:
    most = scheme.rules.max_lifetime
    if most is not None and not scheme.rules.lives_as_allowed(
        numbers.get("iat"), numbers["exp"], now
    ):
        length = numbers["exp"] - numbers.get("iat", now)
        found.findings.append(
            Finding(
                "lifetime",
                f"The token is good for {seconds(length)} s, and max_lifetime is {seconds(most)} "
                "s: let the issuer sign for a shorter time, or raise max_lifetime here.",
            )
        )


def _no_time(name: str, value: object) -> Finding | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return Finding(
            "time-form", f"{name} is {value!r}: it must be a number of seconds, without quotes."
        )
    if value > _LAST:
        return Finding("time-form", f"{name} is {value!r}: write seconds, not milliseconds.")
    if value < 0:
        return Finding("time-form", f"{name} is {value!r}, before 1970: write Unix seconds.")
    return None

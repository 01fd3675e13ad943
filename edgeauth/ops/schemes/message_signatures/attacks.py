"""What a probe sends to a gate for message signatures, with and without a key."""

from __future__ import annotations

import hmac
import re
import secrets as random
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.ops.schemes.message_signatures.outgoing import Signed, why_not
from edgeauth.ops.schemes.probe_rows import BAD_REQUEST, Plan, Row, request
from edgeauth.ops.schemes.tries import BEYOND, LONG, Try, for_another_request, genuine_rows, rows_of
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.message_signatures.arguments import required
from edgeauth.schemes.message_signatures.form import INPUT, SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.ops.schemes.probe_rows import Fields
    from edgeauth.schemes.message_signatures import MessageSignatureScheme

_BODY = b"edgeauth-probe"
_OTHER_BODY = b"edgeauth-prob3"
_NONCE = re.compile(rb';nonce="[^"]*"')
# What a page answers that takes no POST, whoever signed it.
_NO_POST: frozenset[int | str] = frozenset({404, 405})


def attacks(scheme: MessageSignatureScheme, plan: Plan) -> list[Row]:
    """Requests that a gate of these settings must refuse."""
    return [*_without_a_key(scheme, plan), *_with_a_key(scheme, plan)]


def genuine(scheme: MessageSignatureScheme, plan: Plan) -> list[Row]:
    """What the edge sends, the very same a second time, and what it sends next."""
    plan = plan._replace(no_key=why_not(scheme, plan))
    signed = Signed.of(scheme, plan)
    idle = plan.no_key or plan.again
    if idle is None and not scheme.require_nonce:
        idle = "it may be sent again: require_nonce is off"
    return genuine_rows(plan, signed, idle=idle, new="nonce", what="request")


# With what an attacker can make without a key


class _Forger(NamedTuple):
    """Has the id of a key, and signs with something else."""

    id: str
    sign: Callable[[bytes], bytes]


def _without_a_key(scheme: MessageSignatureScheme, plan: Plan) -> list[Row]:
    forged = "a signature that nobody made is accepted: it is not checked"
    cut = "a signature is compared only as far as it goes, so an empty one fits"
    known = "whoever guesses the secret can sign: put one of your own on both sides"
    confused = "the algorithm is taken from the message, so a public key serves as a secret"
    odd = "bytes that are no signature get past the gate, or break it"
    [*_, newest] = scheme.keys
    signed = Signed.of(scheme, plan)

    def by(sign: Callable[[bytes], bytes], key_id: str = newest.id) -> Signed:
        return signed.but(key=_Forger(key_id, sign))

    def with_secret(secret: bytes, key_id: str = newest.id) -> Signed:
        return by(lambda base: hmac.digest(secret, base, "sha256"), key_id)

    guess = by(lambda _base: random.token_bytes(32))
    tried = [
        Try("forged", "a random signature", forged, guess),
        Try("forged-64", "a random one, longer", forged, by(lambda _: random.token_bytes(64))),
        Try("forged-nothing", "one of nothing", forged, guess.but(options={"components": ()})),
        Try("unknown-key", "a key that is not there", forged, with_secret(b"x" * 32, "nobody")),
        Try("empty-signature", "an empty signature", cut, by(lambda _: b"")),
        Try("input-alone", "Signature-Input alone", forged, _only(INPUT, guess)),
        Try("signature-alone", "Signature alone", forged, _only(SIGNATURE, guess)),
        Try("long", "a signature of 4 kB", odd, by(lambda _: random.token_bytes(LONG))),
        Try("empty-secret", "signed with an empty secret", known, with_secret(b"")),
        Try("null-secret", "signed with the secret (null)", known, with_secret(b"(null)")),
    ]
    for key in scheme.keys:
        if isinstance(key, PublicKey):
            title = f"the public key {key.id} as a secret"
            fields = with_secret(key.pem, key.id)
            tried.append(Try(f"key-confusion {key.id}", title, confused, fields))
    return rows_of(plan, tried)


def _only(name: str, fields: Fields) -> Fields:
    return lambda now: [pair for pair in fields(now) if pair[0] == name]


# Truly signed, and not for this request, or not as the edge does


def _with_a_key(scheme: MessageSignatureScheme, plan: Plan) -> list[Row]:
    no_key = why_not(scheme, plan)
    signed = Signed.of(scheme, plan)
    tried = [
        *for_another_request(
            signed,
            ("method", "path", "host", "query"),
            _covered(scheme),
            "the settings do not require it: ",
        ),
        *_left_out(scheme, signed),
        *_at_another_time(scheme, signed),
        *_altered(scheme, signed),
    ]
    return [*rows_of(plan, tried, no_key), _other_body(scheme, plan, no_key)]


def _covered(scheme: MessageSignatureScheme) -> frozenset[str]:
    parts = required(scheme.components)
    return frozenset[str]().union(*(part.covers for part in parts))


def _left_out(scheme: MessageSignatureScheme, signed: Signed) -> list[Try]:
    means = "what must be signed may be left out, and is then anybody's to choose"
    found = []
    for name in scheme.components:
        rest = [other for other in scheme.components if other != name]
        fields = signed.but(options={"components": rest})
        plain = name.replace('"', "")
        found.append(Try(f"unsigned {plain}", f"{plain} left unsigned", means, fields))
    idle = None if scheme.require_nonce else "it is accepted: require_nonce is off"
    without = signed.but(parameters={"nonce": None})
    again = "require_nonce is off at the origin: such a request can be sent again"
    return [*found, Try("no-nonce", "signed without a nonce", again, without, idle)]


def _at_another_time(scheme: MessageSignatureScheme, signed: Signed) -> list[Try]:
    window = "an old or early signature is accepted: look at max_age, max_future and the clocks"
    old, early = int(scheme.max_age) + BEYOND, int(scheme.max_future) + BEYOND
    stale = signed.but(moved=-old)

    def past_its_end(now: int) -> list[tuple[str, bytes]]:
        return signed.but(parameters={"expires": now - early})(now)

    def redated(now: int) -> list[tuple[str, bytes]]:
        was, is_now = (b";created=%d" % moment for moment in (now - old, now))
        return [(name, value.replace(was, is_now)) for name, value in stale(now)]

    changed = "the time of signing can be changed: the signature does not cover it"
    return [
        Try("stale", f"signed {old} s ago", window, stale),
        Try("future", f"signed {early} s ahead", window, signed.but(moved=early)),
        Try("past-expires", "past its own expires", window, past_its_end),
        Try("redated", "an old signature with a new time", changed, redated),
    ]


def _altered(scheme: MessageSignatureScheme, signed: Signed) -> list[Try]:
    changed = "what is signed can be changed: the signature does not cover it"
    twice = "one of two signatures counts, so a client may add its own beside the edge's"
    other = signed.but(options={"label": "probe"})
    forger = _Forger([*scheme.keys][-1].id, lambda _base: random.token_bytes(32))

    def renonced(now: int) -> list[tuple[str, bytes]]:
        new = b';nonce="%b"' % random.token_urlsafe(16).encode()
        return [(name, _NONCE.sub(new, value)) for name, value in signed(now)]

    def halved(now: int) -> list[tuple[str, bytes]]:
        *rest, (name, value) = signed(now)
        label, _, text = value.partition(b"=")
        return [*rest, (name, b"%b=%b:" % (label, text[: len(text) // 8 * 4 + 1]))]

    return [
        Try("new-nonce", "another nonce after signing", changed, renonced),
        Try("truncated", "half a signature", changed, halved),
        Try("good-twice", "both fields twice", twice, lambda now: signed(now) * 2),
        Try("two-of-the-tag", "two signatures, both signed", twice, _both(signed, other)),
        Try("one-forged", "two, the second forged", twice, _both(signed, other.but(key=forger))),
        Try(
            "another-tag",
            "signed with another tag",
            "the tag is not looked at: a signature for something else is good here",
            signed.but(options={"tag": "edgeauth-probe"}),
            None if scheme.tag is not None else "any tag is accepted: tag is not set",
        ),
    ]


def _both(first: Fields, second: Fields) -> Fields:
    """The fields of both, as members of the same dictionaries."""

    def fields(now: int) -> list[tuple[str, bytes]]:
        more = dict(second(now))
        return [
            (name, value + b", " + more[name] if name in {INPUT, SIGNATURE} else value)
            for name, value in first(now)
        ]

    return fields


def _other_body(scheme: MessageSignatureScheme, plan: Plan, no_key: str | None) -> Row:
    id_, title = "other-body", "signed for another body"
    idle = no_key
    if idle is None and "body" not in _covered(scheme):
        idle = "no body is signed: components has no content-digest"
    if idle is not None:
        return Row(id_, title, "refused", None, idle)
    means = "the digest of a body is signed, and not compared with the body that comes"
    fields = Signed.of(scheme, plan).but(method="POST", body=_BODY)
    sent = request(plan, fields, method="POST", body=_OTHER_BODY)
    return Row(id_, title, "refused", sent, means, BAD_REQUEST | _NO_POST)

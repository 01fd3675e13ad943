"""What a probe sends to a gate for message signatures, with and without a key."""

from __future__ import annotations

import hmac
import re
import secrets as random
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.ops.schemes.message_signatures.outgoing import Signed, why_not
from edgeauth.ops.schemes.probe_rows import BAD_REQUEST, Plan, Row, bad, good, request, sent_again
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.message_signatures.arguments import required
from edgeauth.schemes.message_signatures.form import INPUT, SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.ops.schemes.probe_rows import Fields
    from edgeauth.schemes.message_signatures import MessageSignatureScheme

# Beyond the window by so much that clocks which differ a little do not matter.
_BEYOND = 30
# A name that is nobody's (RFC 6761).
_OTHER_HOST = "edgeauth-probe.invalid"
_LONG = 4_000
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
    found = [
        *sent_again(
            good(plan, "signed", "the edge", signed),
            "the very same request again",
            idle,
            "the same request is answered twice: set replay, one store for all processes",
        ),
        good(plan, "signed-next", "the edge, with a new nonce", signed),
    ]
    if plan.websocket is not None:
        at_websocket = signed.but(target=plan.websocket)
        sender = "the edge, WebSocket"
        found.append(good(plan, "signed-websocket", sender, at_websocket, websocket=True))
    return found


# With what an attacker can make without a key


class _Forger(NamedTuple):
    """Has the id of a key, and signs with something else."""

    id: str
    sign: Callable[[bytes], bytes]


class _Try(NamedTuple):
    """A request, and what it means if it is answered; *idle* is why it would show nothing."""

    id: str
    title: str
    means: str
    fields: Fields
    idle: str | None = None


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
        _Try("forged", "a random signature", forged, guess),
        _Try("forged-64", "a random one, longer", forged, by(lambda _: random.token_bytes(64))),
        _Try("forged-nothing", "one of nothing", forged, guess.but(options={"components": ()})),
        _Try("unknown-key", "a key that is not there", forged, with_secret(b"x" * 32, "nobody")),
        _Try("empty-signature", "an empty signature", cut, by(lambda _: b"")),
        _Try("input-alone", "Signature-Input alone", forged, _only(INPUT, guess)),
        _Try("signature-alone", "Signature alone", forged, _only(SIGNATURE, guess)),
        _Try("long", "a signature of 4 kB", odd, by(lambda _: random.token_bytes(_LONG))),
        _Try("empty-secret", "signed with an empty secret", known, with_secret(b"")),
        _Try("null-secret", "signed with the secret (null)", known, with_secret(b"(null)")),
    ]
    for key in scheme.keys:
        if isinstance(key, PublicKey):
            title = f"the public key {key.id} as a secret"
            fields = with_secret(key.pem, key.id)
            tried.append(_Try(f"key-confusion {key.id}", title, confused, fields))
    return [bad(plan, one.id, one.title, one.means, one.fields) for one in tried]


def _only(name: str, fields: Fields) -> Fields:
    return lambda now: [pair for pair in fields(now) if pair[0] == name]


# Truly signed, and not for this request, or not as the edge does


def _with_a_key(scheme: MessageSignatureScheme, plan: Plan) -> list[Row]:
    no_key = why_not(scheme, plan)
    signed = Signed.of(scheme, plan)
    tried = [
        *_for_another_request(scheme, signed),
        *_left_out(scheme, signed),
        *_at_another_time(scheme, signed),
        *_altered(scheme, signed),
    ]
    found = []
    for one in tried:
        idle = no_key or one.idle
        if idle is not None:
            found.append(Row(one.id, one.title, "refused", None, idle))
        else:
            found.append(bad(plan, one.id, one.title, one.means, one.fields))
    return [*found, _other_body(scheme, plan, no_key)]


def _for_another_request(scheme: MessageSignatureScheme, signed: Signed) -> list[_Try]:
    path, _, query = signed.target.partition("?")
    more = f"{query}&edgeauth-probe=1" if query else "edgeauth-probe=1"
    covered = _covered(scheme)
    found = [
        _Try(
            "other-method",
            "signed for HEAD, sent as GET",
            "the method is not signed: what was signed to read may change something",
            signed.but(method="HEAD"),
            "method",
        ),
        _Try(
            "other-path",
            "signed for another path",
            "the path is not signed: one signature opens every page",
            signed.but(target=f"{path}x" + (f"?{query}" if query else "")),
            "path",
        ),
        _Try(
            "other-host",
            "signed for another host",
            "the host is not signed: what was signed for another site is good here",
            signed.but(authority=_OTHER_HOST),
            "host",
        ),
        _Try(
            "other-query",
            "signed with another query",
            "the query is not signed: parameters can be changed",
            signed.but(target=f"{path}?{more}"),
            "query",
        ),
    ]
    return [
        one._replace(
            idle=None if one.idle in covered else f"the settings do not require it: {one.idle}"
        )
        for one in found
    ]


def _covered(scheme: MessageSignatureScheme) -> frozenset[str]:
    parts = required(scheme.components)
    return frozenset[str]().union(*(part.covers for part in parts))


def _left_out(scheme: MessageSignatureScheme, signed: Signed) -> list[_Try]:
    means = "what must be signed may be left out, and is then anybody's to choose"
    found = []
    for name in scheme.components:
        rest = [other for other in scheme.components if other != name]
        fields = signed.but(options={"components": rest})
        plain = name.replace('"', "")
        found.append(_Try(f"unsigned {plain}", f"{plain} left unsigned", means, fields))
    idle = None if scheme.require_nonce else "it is accepted: require_nonce is off"
    without = signed.but(parameters={"nonce": None})
    again = "require_nonce is off at the origin: such a request can be sent again"
    return [*found, _Try("no-nonce", "signed without a nonce", again, without, idle)]


def _at_another_time(scheme: MessageSignatureScheme, signed: Signed) -> list[_Try]:
    window = "an old or early signature is accepted: look at max_age, max_future and the clocks"
    old, early = int(scheme.max_age) + _BEYOND, int(scheme.max_future) + _BEYOND
    stale = signed.but(moved=-old)

    def past_its_end(now: int) -> list[tuple[str, bytes]]:
        return signed.but(parameters={"expires": now - early})(now)

    def redated(now: int) -> list[tuple[str, bytes]]:
        was, is_now = (b";created=%d" % moment for moment in (now - old, now))
        return [(name, value.replace(was, is_now)) for name, value in stale(now)]

    changed = "the time of signing can be changed: the signature does not cover it"
    return [
        _Try("stale", f"signed {old} s ago", window, stale),
        _Try("future", f"signed {early} s ahead", window, signed.but(moved=early)),
        _Try("past-expires", "past its own expires", window, past_its_end),
        _Try("redated", "an old signature with a new time", changed, redated),
    ]


def _altered(scheme: MessageSignatureScheme, signed: Signed) -> list[_Try]:
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
        _Try("new-nonce", "another nonce after signing", changed, renonced),
        _Try("truncated", "half a signature", changed, halved),
        _Try("good-twice", "both fields twice", twice, lambda now: signed(now) * 2),
        _Try("two-of-the-tag", "two signatures, both signed", twice, _both(signed, other)),
        _Try("one-forged", "two, the second forged", twice, _both(signed, other.but(key=forger))),
        _Try(
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

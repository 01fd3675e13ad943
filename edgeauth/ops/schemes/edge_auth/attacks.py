"""What a probe sends to a gate for ``Edge-Auth``, with and without the secret."""

from __future__ import annotations

import hmac
import secrets as random
from typing import TYPE_CHECKING

from edgeauth.ops.schemes.credential import credential
from edgeauth.ops.schemes.probe_rows import Plan, Row, bad, good, one_field

if TYPE_CHECKING:
    from edgeauth.ops.schemes.probe_rows import Fields, Value
    from edgeauth.schemes.edge_auth import EdgeAuthScheme

# Beyond the window by so much that clocks which differ a little do not matter.
_BEYOND = 30
_POP = "LHR"
# Published in the vendor's documentation, and what an empty or missing secret turns into.
_KNOWN_SECRETS = (
    ("empty-secret", "an empty secret", b""),
    ("null-secret", "the secret (null)", b"(null)"),
    ("example-secret", "the secret of the vendor's examples", b"some-pre-shared-secret"),
)


def attacks(scheme: EdgeAuthScheme, plan: Plan) -> list[Row]:
    """Values that a gate of these settings must refuse."""
    return [*_without_the_secret(scheme, plan), *_with_the_secret(scheme, plan)]


def genuine(scheme: EdgeAuthScheme, plan: Plan) -> list[Row]:
    """What each sender of the edge sends."""
    header = scheme.header
    vcl = one_field(header, _sign(scheme))
    rust = one_field(header, _sign(scheme, encoding="base64"))
    found = [
        good(plan, "signed", "VCL", vcl),
        good(plan, "signed-base64", "Compute Rust", rust),
    ]
    if plan.websocket is not None:
        found.append(good(plan, "signed-websocket", "VCL, WebSocket", vcl, websocket=True))
    return found


# With what an attacker can make without the secret


def _without_the_secret(scheme: EdgeAuthScheme, plan: Plan) -> list[Row]:
    forged = "a value that nobody signed is accepted: the signature is not checked"
    cut = "a signature is compared only as far as it goes, so an empty one fits"
    odd = "bytes that are no header value get past the gate, or break it"
    known = "whoever reads the documentation can sign: put a secret of your own on both sides"
    tried: list[tuple[str, str, str, tuple[Value, ...]]] = [
        ("empty-signature", "an empty signature", cut, (lambda now: b"%d,LHR," % now,)),
        ("prefix-signature", "0x and nothing", cut, (lambda now: b"%d,LHR,0x" % now,)),
        ("forged", "a random signature", forged, (_forged,)),
        ("forged-twice", "two random signatures", forged, (_forged, _forged)),
        ("long", "a value of 16 kB", odd, (lambda now: b"%d,LHR,0x" % now + b"a" * 16_000,)),
        *(
            (id_, f"signed with {what}", known, (_signed_with(secret),))
            for id_, what, secret in _KNOWN_SECRETS
        ),
    ]
    header = scheme.header
    return [
        bad(plan, id_, title, means, one_field(header, *values))
        for id_, title, means, values in tried
    ]


def _forged(now: int) -> bytes:
    return f"{now},{_POP},0x{random.token_hex(32)}".encode()


def _signed_with(secret: bytes) -> Value:
    """Signed as the edge does, with a secret that :func:`edgeauth.sign` may refuse."""

    def value(now: int) -> bytes:
        signed = f"{now},{_POP}".encode()
        return signed + b",0x" + hmac.new(secret, signed, "sha256").hexdigest().encode()

    return value


# Truly signed, and not as the edge does


def _with_the_secret(scheme: EdgeAuthScheme, plan: Plan) -> list[Row]:
    window = "an old or early value is accepted: look at max_age, max_future and the clocks"
    changed = "what is signed can be changed: the signature does not cover it"
    twice = "one of two values counts, so a client may add its own beside the edge's"
    good = _sign(scheme)

    def stale(now: int) -> bytes:
        return good(now - int(scheme.max_age) - _BEYOND)

    def future(now: int) -> bytes:
        return good(now + int(scheme.max_future) + _BEYOND)

    def redated(now: int) -> bytes:
        return str(now).encode() + b"," + stale(now).partition(b",")[2]

    def renamed(now: int) -> bytes:
        signed_at, _, rest = good(now).partition(b",")
        return signed_at + b",ZZZ," + rest.rpartition(b",")[2]

    def altered(now: int) -> bytes:
        value = good(now)
        return value[:-1] + (b"0" if value[-1:] != b"0" else b"1")

    def joined(now: int) -> bytes:
        return good(now) + b", " + _forged(now)

    tried: list[tuple[str, str, str, tuple[Value, ...]]] = [
        ("stale", f"signed {scheme.max_age + _BEYOND:g} s ago", window, (stale,)),
        ("future", f"signed {scheme.max_future + _BEYOND:g} s ahead", window, (future,)),
        ("redated", "an old signature with a new time", changed, (redated,)),
        ("renamed", "the POP changed after signing", changed, (renamed,)),
        ("altered", "the last digit changed", changed, (altered,)),
        ("truncated", "half a signature", changed, (lambda now: good(now)[:-32],)),
        ("longer", "a digit too many", changed, (lambda now: good(now) + b"0",)),
        ("good-then-forged", "two fields, the first signed", twice, (good, _forged)),
        ("forged-then-good", "two fields, the second signed", twice, (_forged, good)),
        ("good-twice", "the signed field twice", twice, (good, good)),
        ("joined", "two values in one field", twice, (joined,)),
    ]
    found = [
        _signed(plan, id_, title, means, one_field(scheme.header, *values))
        for id_, title, means, values in tried
    ]
    return [*found, _another_pop(scheme, plan), _two_fields(scheme, plan)]


def _another_pop(scheme: EdgeAuthScheme, plan: Plan) -> Row:
    other = "Z-" + random.token_hex(7)  # on no list
    return _signed(
        plan,
        "another-pop",
        "signed by a POP that is not listed",
        "the list of POPs is not looked at",
        one_field(scheme.header, _sign(scheme, pop=other)),
        idle="every POP is accepted: pops is not set" if scheme.pops is None else None,
    )


def _two_fields(scheme: EdgeAuthScheme, plan: Plan) -> Row:
    return _signed(
        plan,
        "no-pop",
        "signed without a POP",
        "require_pop is off at the origin",
        one_field(scheme.header, _sign(scheme, pop=None)),
        idle=None if scheme.require_pop else "it is accepted: require_pop is off",
    )


def _signed(
    plan: Plan, id_: str, title: str, means: str, fields: Fields, *, idle: str | None = None
) -> Row:
    """A row that needs the secret; *idle* is why it would show nothing."""
    why_not = plan.no_key or idle
    if why_not is not None:
        return Row(id_, title, "refused", None, why_not)
    return bad(plan, id_, title, means, fields)


def _sign(scheme: EdgeAuthScheme, **how: str | None) -> Value:
    """The value of the edge; where nothing else is said, by a POP that the origin accepts."""
    if scheme.pops is None:
        how = {"pop": _POP, **how}
    make = credential(scheme, **how)

    def value(now: int) -> bytes:
        ((_, text),) = make(None, now)
        return text.encode()

    return value

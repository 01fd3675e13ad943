"""What a probe sends to a gate for Akamai's G2O, with and without a key."""

from __future__ import annotations

import secrets as random
import time
from base64 import b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from edgeauth.errors import ConfigurationError, MalformedHeader
from edgeauth.ops.schemes.akamai_g2o.makers import Secret
from edgeauth.ops.schemes.tries import BEYOND, LONG, Try, for_another_request, genuine_rows, rows_of
from edgeauth.schemes.akamai_g2o.digests import DIGESTS
from edgeauth.schemes.base import Outgoing
from edgeauth.schemes.sent import SentRequest

if TYPE_CHECKING:
    from edgeauth.ops.schemes.probe_rows import Fields, Plan, Row
    from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme

_ADDRESS = "127.0.0.1"
_OTHER_ADDRESS = b"192.0.2.1"


@dataclass(frozen=True)
class _Signed:
    """The two fields for a request of the plan, unless parts of it are replaced.

    Called with a time (Unix seconds), it makes the fields.

    Attributes:
        scheme, plan: what the gate asks for, and where.
        method, target: what is signed.
        version: of the signature; of the data header, too.
        key_id, secret: what signs; None is the newest key that is valid.
        moved: seconds by which it is signed later than it is sent.
    """

    scheme: AkamaiG2OScheme
    plan: Plan
    target: str
    version: int
    method: str = "GET"
    key_id: str | None = None
    secret: bytes | None = None
    moved: int = 0

    @classmethod
    def of(cls, scheme: AkamaiG2OScheme, plan: Plan) -> Self:
        """What the edge signs for the page of *plan*."""
        return cls(scheme, plan, plan.path, max(scheme.versions))

    def but(self, **changes: Any) -> Self:  # noqa: ANN401 - any of the fields
        """The same with other parts."""
        return replace(self, **changes)

    def __call__(self, now: int) -> list[tuple[str, bytes]]:
        """The fields of a request that is sent at *now* (Unix seconds)."""
        if self.secret is None:
            key = self.scheme.keys.signing_key(now)
            key_id, signer = self.key_id or key.id, Secret(key.secret)
        else:
            key_id = self.key_id or self.scheme.keys.newest_first[0].id
            signer = Secret(self.secret)
        unique = f"{random.randbelow(10**9)}.{random.randbelow(10**9)}"
        parts = (self.version, _ADDRESS, _ADDRESS, now + self.moved, unique, key_id)
        data = ", ".join(map(str, parts)).encode()
        request = SentRequest(Outgoing(self.method, self.plan.authority, self.target))
        signed = self.scheme.string_of(request, _ADDRESS.encode())
        sign = b64encode(DIGESTS[self.version](signer, data + signed))
        return [(self.scheme.data_header, data), (self.scheme.sign_header, sign)]


def attacks(scheme: AkamaiG2OScheme, plan: Plan) -> list[Row]:
    """Requests that a gate of these settings must refuse."""
    no_key, signed = _why_not(scheme, plan), _Signed.of(scheme, plan)
    tried = [
        *for_another_request(
            signed, ("method", "path", "query"), scheme.covers, "the sign string has not the "
        ),
        *_in_another_version(scheme, signed),
        *_at_another_time(scheme, signed),
        *_altered(scheme, signed),
    ]
    return [*rows_of(plan, _without_a_key(scheme, signed)), *rows_of(plan, tried, no_key)]


def genuine(scheme: AkamaiG2OScheme, plan: Plan) -> list[Row]:
    """What the edge sends, the very same a second time, and what it sends next."""
    plan = plan._replace(no_key=_why_not(scheme, plan))
    signed = _Signed.of(scheme, plan)
    idle = plan.no_key or plan.again
    if idle is None and not plan.remembers:
        idle = "it may be sent again for a minute: replay is not set"
    return genuine_rows(plan, signed, idle=idle, new="data header", what="data header")


def _why_not(scheme: AkamaiG2OScheme, plan: Plan) -> str | None:
    """Why nothing can be signed; None where it can."""
    if plan.no_key is not None:
        return plan.no_key
    try:
        _Signed.of(scheme, plan)(int(time.time()))
    except (ConfigurationError, MalformedHeader) as error:
        return str(error)
    return None


# With what an attacker can make without a key


def _without_a_key(scheme: AkamaiG2OScheme, signed: _Signed) -> list[Try]:
    forged = "a signature that nobody made is accepted: it is not checked"
    cut = "a signature is compared only as far as it goes, so an empty one fits"
    known = "whoever guesses the secret can sign: put one of your own on both sides"
    odd = "bytes that are no signature get past the gate, or break it"
    data_header, sign_header = scheme.headers
    guess = signed.but(secret=random.token_bytes(32))

    def with_sign(*values: bytes) -> Fields:
        return lambda now: [guess(now)[0], *((sign_header, value) for value in values)]

    def with_data(make: Any) -> Fields:  # noqa: ANN401 - of bytes and a time, bytes
        def fields(now: int) -> list[tuple[str, bytes]]:
            (_, data), sign = guess(now)
            return [(data_header, make(data, now)), sign]

        return fields

    return [
        Try("forged", "a random signature", forged, guess),
        Try("unknown-key", "a key that is not there", forged, guess.but(key_id="nobody")),
        Try("empty-signature", "an empty signature", cut, with_sign(b"")),
        Try("first-character", "a signature of one character", cut, with_sign(b"A")),
        Try("data-alone", f"{data_header} alone", forged, lambda now: guess(now)[:1]),
        Try("sign-alone", f"{sign_header} alone", forged, lambda now: guess(now)[1:]),
        Try("long", "a signature of 4 kB", odd, with_sign(b"A" * LONG)),
        Try(
            "time-of-200-digits",
            "a time of 200 digits",
            "a time that is no number is in every window",
            with_data(lambda data, now: data.replace(b"%d" % now, b"9" * 200)),
        ),
        Try(
            "version-9",
            "a version that there is not",
            odd,
            with_data(lambda data, _now: b"9" + data[1:]),
        ),
        Try("empty-secret", "signed with an empty secret", known, signed.but(secret=b"")),
        Try("null-secret", "signed with the secret (null)", known, signed.but(secret=b"(null)")),
    ]


# Truly signed, and not for this request, or not as the edge does


def _in_another_version(scheme: AkamaiG2OScheme, signed: _Signed) -> list[Try]:
    weaker = "the sender chooses how it is signed: set versions to what the property has"
    newest = scheme.keys.newest_first[0].secret
    return [
        Try(f"version-{version}", f"signed in version {version}", weaker, made)
        for version in DIGESTS
        if version not in scheme.versions
        # Some hashes are not everywhere.
        and _can_make(made := signed.but(version=version), newest)
    ]


def _can_make(signed: _Signed, secret: bytes) -> bool:
    try:
        DIGESTS[signed.version](Secret(secret), b"")
    except ValueError:
        return False
    return True


def _at_another_time(scheme: AkamaiG2OScheme, signed: _Signed) -> list[Try]:
    window = "an old or early signature is accepted: look at max_age, max_future and the clocks"
    changed = "the time of signing can be changed: the signature does not cover it"
    old, early = int(scheme.max_age) + BEYOND, int(scheme.max_future) + BEYOND
    stale = signed.but(moved=-old)

    def redated(now: int) -> list[tuple[str, bytes]]:
        (name, data), sign = stale(now)
        return [(name, data.replace(b"%d" % (now - old), b"%d" % now)), sign]

    return [
        Try("stale", f"signed {old} s ago", window, stale),
        Try("future", f"signed {early} s ahead", window, signed.but(moved=early)),
        Try("redated", "an old signature with a new time", changed, redated),
    ]


def _altered(scheme: AkamaiG2OScheme, signed: _Signed) -> list[Try]:
    changed = "what is signed can be changed: the signature does not cover it"
    cut = "a signature is compared only as far as it goes"
    twice = "one of two values counts, so a client may add its own beside the edge's"
    sign_header = scheme.sign_header

    def with_sign(make: Any) -> Fields:  # noqa: ANN401 - of bytes, bytes
        def fields(now: int) -> list[tuple[str, bytes]]:
            data, (_, sign) = signed(now)
            return [data, (sign_header, make(sign))]

        return fields

    def other_client(now: int) -> list[tuple[str, bytes]]:
        (name, data), sign = signed(now)
        return [(name, data.replace(_ADDRESS.encode(), _OTHER_ADDRESS)), sign]

    def data_twice(now: int) -> list[tuple[str, bytes]]:
        data, sign = signed(now)
        return [data, signed(now)[0], sign]

    return [
        Try("other-client", "another address of the client", changed, other_client),
        Try("truncated", "half a signature", cut, with_sign(lambda sign: sign[: len(sign) // 2])),
        Try("longer", "a signature and more", cut, with_sign(lambda sign: sign + b"A")),
        Try("data-twice", "two data headers", twice, data_twice),
        Try("good-twice", "both fields twice", twice, lambda now: signed(now) * 2),
    ]

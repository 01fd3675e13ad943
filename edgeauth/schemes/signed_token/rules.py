"""What an authentic token must say to count here: our own rules, by the clock that we are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping  # noqa: TC003 - so that annotations can be read
from typing import Any

from edgeauth.errors import (
    ClaimRefused,
    MalformedHeader,
    NotYetValid,
    PastExpires,
    VerificationError,
    seconds,
)
from edgeauth.schemes.options import window
from edgeauth.schemes.signed_token.arguments import Allowed, required_claims, texts, texts_in_order
from edgeauth.verdict import EdgeIdentity

_NUMBERS = (int, float)
_COMPARED = (str, int, bool)
# Beyond it is no time in seconds: milliseconds have 13 digits.
_LAST = 999_999_999_999

_COVERS = frozenset({"time"})

# Of a claim that an application is told: no address of a person is longer.
_LONGEST_TEXT = 512
_LARGEST = 2**53


class Rules:
    """What is required of the claims of a token.

    Args:
        kind: of the scheme, for identities.
        issuer, audience, claims, max_skew, max_lifetime, identity_claims: as the scheme has them.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    def __init__(
        self,
        kind: str,
        *,
        issuer: str,
        audience: str | Iterable[str] | None,
        claims: Mapping[str, Any],
        max_skew: float,
        max_lifetime: float | None,
        identity_claims: Iterable[str] | None,
    ) -> None:
        self._kind = kind
        (self.issuer,) = texts("issuer", issuer if isinstance(issuer, str) else None)
        self.audience = None if audience is None else texts("audience", audience)
        self.allowed = required_claims(claims)
        self.max_skew = window("max_skew", max_skew)
        self.max_lifetime = None if max_lifetime is None else window("max_lifetime", max_lifetime)
        told = ("sub", *claims) if identity_claims is None else texts_in_order(identity_claims)
        self.identity_claims = tuple(dict.fromkeys(told))

    def judge(self, claims: dict[str, Any], key_id: str, *, now: float) -> EdgeIdentity:
        """Who a token is of that has *claims* and was signed with the key *key_id*.

        Raises:
            MalformedHeader: a time in it is no number.
            ClaimRefused: it is not for us, never expires, or lives too long.
            Expired: it is past its ``exp``.
            NotYetValid: its ``iat`` or ``nbf`` is ahead.
        """
        issued_at, opens, closes = _times(claims)
        signed_at = None if issued_at is None else int(issued_at)
        identity = EdgeIdentity(signed_at, None, key_id, self._kind)
        self._demand_claims(claims, identity)
        if closes is None:
            raise ClaimRefused(
                "the token has no exp: it would be good for ever",
                hint="let the issuer set one",
                identity=identity,
            )
        self._demand_lifetime(issued_at, closes, identity, now)
        # A clock that is not a number is in no window either.
        if not opens - self.max_skew <= now < closes + self.max_skew:
            raise self._outside_window(opens, closes, identity, now)
        return EdgeIdentity(
            signed_at, None, key_id, self._kind, _COVERS, None, None, self._told(claims)
        )

    def _demand_claims(self, claims: dict[str, Any], identity: EdgeIdentity) -> None:
        if claims.get("iss") != self.issuer:
            raise ClaimRefused(
                "the token is of another issuer",
                hint="issuer here must be its iss, letter by letter",
                identity=identity,
            )
        if not self.is_audience(claims.get("aud")):
            raise ClaimRefused(
                "the token is for another audience",
                hint="audience here must be one of its aud",
                identity=identity,
            )
        for name, allowed in self.allowed.items():
            if not _is_one_of(claims.get(name), allowed):
                raise ClaimRefused(
                    f"the claim {name} of the token is not one that is allowed here",
                    hint=f"is it a token for this origin? Else add its {name} to claims",
                    identity=identity,
                )

    def allows(self, name: str, value: object) -> bool:
        """Whether *value* is one that is allowed for the claim *name*."""
        return _is_one_of(value, self.allowed[name])

    def is_audience(self, named: object) -> bool:
        """Whether one of those that *named*, the claim ``aud``, names is here."""
        if self.audience is None:
            return named is None
        if isinstance(named, str):
            return named in self.audience
        return isinstance(named, list) and any(
            isinstance(one, str) and one in self.audience for one in named
        )

    def _demand_lifetime(
        self, issued_at: float | None, ends: float, identity: EdgeIdentity, now: float
    ) -> None:
        if not self.lives_as_allowed(issued_at, ends, now):
            raise ClaimRefused(
                f"the token lives longer than max_lifetime, {seconds(self.max_lifetime or 0)} s",
                hint="let the issuer sign for a shorter time, or raise max_lifetime here",
                identity=identity,
            )

    def lives_as_allowed(self, issued_at: float | None, ends: float, now: float) -> bool:
        """Whether a token that ends then does not live longer than ``max_lifetime``."""
        if self.max_lifetime is None:
            return True
        # Where its beginning is not told, it is now, and the clocks may differ.
        begins = now + self.max_skew if issued_at is None else issued_at
        return ends - begins <= self.max_lifetime

    def _outside_window(
        self, opens: float, closes: float, identity: EdgeIdentity, now: float
    ) -> VerificationError:
        limit, setting = self.max_skew, "max_skew"
        if now >= closes:
            late = now - closes
            return PastExpires(identity=identity, late=late, limit=limit, setting=setting)
        return NotYetValid(identity=identity, age=now - opens, limit=limit, setting=setting)

    def _told(self, claims: dict[str, Any]) -> dict[str, object]:
        """The claims for the application: only what can do no harm in a log."""
        told: dict[str, object] = {}
        for name in self.identity_claims:
            value = claims.get(name)
            if isinstance(value, str):
                if len(value) <= _LONGEST_TEXT and value.isprintable():
                    told[name] = value
            elif isinstance(value, int) and -_LARGEST <= value <= _LARGEST:
                told[name] = value
        return told


def _is_one_of(value: object, allowed: frozenset[tuple[type, Allowed]]) -> bool:
    # What has another type may have no hash either.
    return type(value) in _COMPARED and (type(value), value) in allowed


def _times(claims: dict[str, Any]) -> tuple[float | None, float, float | None]:
    """When a token was issued, from when it is good, and until when."""
    issued_at, begins, closes = (_time(claims, name) for name in ("iat", "nbf", "exp"))
    return issued_at, max(issued_at or 0, begins or 0), closes


def _time(claims: dict[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    # bool is an int in Python. NaN is not between two numbers either.
    if type(value) in _NUMBERS and 0 <= value <= _LAST:
        return value  # type: ignore[no-any-return]
    raise MalformedHeader(f"{name} of the token is no time in Unix seconds")

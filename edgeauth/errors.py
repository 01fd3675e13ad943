"""Every error that edgeauth raises.

::

    EdgeAuthError
      ConfigurationError          also ValueError; at start, never on a request
      VerificationError           unverified      also itsdangerous.BadData
        MissingHeader             missing
        MalformedHeader           malformed
        BadSignature              bad-signature   also itsdangerous.BadSignature
        Expired                   expired         also itsdangerous.SignatureExpired
          PastExpires             expired
        NotYetValid               future
        PopNotAllowed             pop
        AddressNotAllowed         address
        NotCovered                coverage
        ClaimRefused              claims
        Replayed                  replayed
        BodyMismatch              body
        StoreUnavailable          replay-store
      PassNotAccepted             never ends a request: it is judged as one without a pass
      UnreadableBody              also OSError; what an application sees that reads a refused body

The word beside a verification error is its ``reason``: the code in logs, metrics and
:class:`edgeauth.Verdict`. It is never told to the client. :mod:`edgeauth.reasons` says what each
means.

A verification error carries evidence for the operator (age, limit, POP, key id) and
never a key, the received credential or the expected signature.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

import itsdangerous

from edgeauth.reasons import (
    ADDRESS,
    BAD_SIGNATURE,
    BODY,
    CLAIMS,
    COVERAGE,
    EXPIRED,
    FUTURE,
    MALFORMED,
    MISSING,
    POP,
    REPLAY_STORE,
    REPLAYED,
    UNVERIFIED,
)

if TYPE_CHECKING:
    from edgeauth.verdict import EdgeIdentity, Pass


class EdgeAuthError(Exception):
    """The root of everything that edgeauth raises."""


class ConfigurationError(EdgeAuthError, ValueError):
    """Something that the operator or developer wrote cannot be used.

    The message names the setting, what was read and what to write instead.
    """


class VerificationError(EdgeAuthError, itsdangerous.BadData):
    """A request did not prove that it came through the edge.

    Attributes:
        message: what was wrong, for the log. Holds no secret and no received value.
        hint: what an operator should look at, or None.
        identity: who signed, when the credential was authentic but refused all the
            same (too old, wrong POP). None for anything unauthenticated.
        age: seconds since signing, when authentic and measured against a window.
        limit: the bound, in seconds, that ``age`` went past.
    """

    # Of an error of a user's own scheme that has no word of its own.
    reason: ClassVar[str] = UNVERIFIED.code

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        identity: EdgeIdentity | None = None,
        age: float | None = None,
        limit: float | None = None,
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.identity = identity
        self.age = age
        self.limit = limit


class MissingHeader(VerificationError):
    """The request has no credential header."""

    reason = MISSING.code


class MalformedHeader(VerificationError):
    """The credential is not of the wire form, or is there more than once."""

    reason = MALFORMED.code


class BadSignature(VerificationError, itsdangerous.BadSignature):
    """No key of the ring made this signature."""

    reason = BAD_SIGNATURE.code


class Expired(VerificationError, itsdangerous.SignatureExpired):
    """Authentic, but signed too long ago."""

    reason = EXPIRED.code

    def __init__(
        self, *, identity: EdgeIdentity, age: float, limit: float, setting: str = "max_age"
    ) -> None:
        super().__init__(
            f"age {seconds(age)} s is past {setting} {seconds(limit)} s",
            identity=identity,
            age=age,
            limit=limit,
        )
        self.date_signed = _utc(identity.timestamp)


class PastExpires(Expired):
    """Authentic, and past the time that the edge itself set as the end."""

    def __init__(
        self,
        *,
        identity: EdgeIdentity,
        late: float,
        limit: float = 0,
        setting: str | None = "max_future",
    ) -> None:
        super().__init__(identity=identity, age=late, limit=limit)
        self.message = f"{seconds(late)} s past its own expires"
        if setting is not None:
            self.message += f", and {setting} admits {seconds(limit)} s"
        self.args = (self.message,)


class NotYetValid(VerificationError):
    """Authentic, but signed too far in the future: the clocks disagree."""

    reason = FUTURE.code

    def __init__(
        self, *, identity: EdgeIdentity, age: float, limit: float, setting: str = "max_future"
    ) -> None:
        super().__init__(
            f"signed {seconds(-age)} s in the future, past {setting} {seconds(limit)} s",
            identity=identity,
            age=age,
            limit=limit,
        )


class PopNotAllowed(VerificationError):
    """Authentic and in time, but signed by a POP that is not on the list."""

    reason = POP.code


class AddressNotAllowed(VerificationError):
    """The request came from an address outside the address list."""

    reason = ADDRESS.code


class NotCovered(VerificationError):
    """Authentic, but the signature leaves out a part of the request that it must cover."""

    reason = COVERAGE.code


class ClaimRefused(VerificationError):
    """Authentic, but not for this origin: another issuer, audience, region or version."""

    reason = CLAIMS.code


class Replayed(VerificationError):
    """Authentic, but it admits one request and was used before."""

    reason = REPLAYED.code


class BodyMismatch(VerificationError):
    """The body is not the one that the credential vouches for; seen while it is received."""

    reason = BODY.code


class StoreUnavailable(VerificationError):
    """The store of used credentials did not answer, so it is not known whether this is one."""

    reason = REPLAY_STORE.code


class PassNotAccepted(EdgeAuthError):
    """The pass of a request is not good for it.

    Attributes:
        message: what was wrong, for the log. Holds nothing of a forged pass.
        found: the pass, when it was authentic; None for anything unauthenticated.
        hint: what an operator should look at, or None.
    """

    def __init__(self, message: str, found: Pass | None = None, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.found = found
        self.hint = hint


class UnreadableBody(EdgeAuthError, OSError):
    """The body of this request is not the one that was signed, so its rest is not handed on.

    An application need not handle it: the client is refused, or the connection ends.
    """

    def __init__(self) -> None:
        super().__init__("the body is not the one that was signed")


def seconds(value: float) -> str:
    """A number of seconds for people: at most one decimal, none if it is whole."""
    return f"{value:.1f}".removesuffix(".0")


def explain(error: Exception) -> str:
    """Why the system, or Python before it, refused a path, a socket or a file.

    An ``OSError`` that Python itself raises has no ``strerror``; its text is the reason. That
    of a ``ValueError`` may repeat what it refused.
    """
    if not isinstance(error, OSError):
        return "not a usable path"
    return error.strerror or str(error) or type(error).__name__


def _utc(timestamp: int | None) -> datetime | None:
    # itsdangerous puts the date on its error, so callers may read it here too. Twelve
    # digits of seconds reach past datetime's year 9999.
    try:
        return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None

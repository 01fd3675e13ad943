"""What was decided about a request, who sent it, and what a denial is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class _NoClaims(Mapping[str, object]):
    """A mapping with nothing in it that nobody can change. It can be hashed and pickled."""

    __slots__ = ()

    def __getitem__(self, name: str) -> object:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"

    def __reduce__(self) -> str:
        return "NO_CLAIMS"


#: The claims of an identity that has none.
NO_CLAIMS: Mapping[str, object] = _NoClaims()


#: All that a credential can vouch for.
PARTS = ("method", "path", "query", "host", "body", "time", "once")


class Once(NamedTuple):
    """A credential that admits one request.

    Attributes:
        key: names the credential, for a store of used ones.
        until: Unix seconds until which it could be used again, and has to be remembered.
        since: Unix seconds before which it cannot have been used: when it was signed, less what
            clocks may differ by. None where that is not known.
    """

    key: bytes
    until: float
    since: float | None = None


class BodyDigest(NamedTuple):
    """The body that a credential vouches for.

    Attributes:
        algorithm: as ``hashlib`` names it.
        value: the digest that the body must have.
    """

    algorithm: str
    value: bytes


class EdgeIdentity(NamedTuple):
    """What an authentic credential says about the edge that sent the request.

    Read the fields by name: later versions may add some.

    Attributes:
        timestamp: Unix seconds at which the edge signed, by the edge's clock.
            None where the scheme carries no time (a shared secret).
        pop: the code of the signing point of presence, such as ``LHR``. None
            where the credential names none.
        key_id: the id of the key that verified it. An id, never key material.
        scheme: the kind of scheme that accepted it, such as ``edge-auth``.
        covers: what the credential vouches for, of ``method``, ``path``, ``query``, ``host``,
            ``body``, ``time`` and ``once``; ``once`` only if a replay store admitted it, and
            ``body`` behind an adapter of this package, which compares it while it comes.
        once: set where the credential admits one request only.
        body: the digest that the body must have, or None.
        claims: what else is authentic (a client's address, a subject), by name.
    """

    timestamp: int | None
    pop: str | None
    key_id: str
    scheme: str = "edge-auth"
    covers: frozenset[str] = frozenset()
    once: Once | None = None
    body: BodyDigest | None = None
    claims: Mapping[str, object] = NO_CLAIMS

    def __hash__(self) -> int:
        # Claims may be a mapping that has no hash.
        return hash((self.timestamp, self.pop, self.key_id, self.scheme))

    def age(self, now: float) -> float | None:
        """Seconds between signing and *now* (Unix seconds), negative if signed later.

        None where the credential carries no time. Edge and origin clocks are not
        compared in any other way, so clock skew is part of the figure.
        """
        return None if self.timestamp is None else now - self.timestamp


#: Stands where an identity is wanted and there is none, in report-only mode alone.
UNVERIFIED = EdgeIdentity(timestamp=None, pop=None, key_id="unverified")


class Pass(NamedTuple):
    """What an authentic pass says.

    Attributes:
        id: names this pass, for the log and for revocation.
        holder: whom it was issued for.
        issued_at: Unix seconds.
        expires_at: Unix seconds; the last one at which it is accepted.
        methods: the methods it is good for; empty for any. ``WEBSOCKET`` opens a WebSocket, and
            ``GET`` does not.
        paths: the exact paths it is good for; empty for any.
    """

    id: str
    holder: str
    issued_at: int
    expires_at: int
    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


class Verdict(NamedTuple):
    """What was decided about one request. True in a condition when the request may pass.

    Read the fields by name: later versions may add some.

    Attributes:
        allowed: whether the request may pass.
        reason: ``ok``, ``exempt``, ``pass``, the ``reason`` of a
            :class:`VerificationError`, or ``error`` for a decision that failed. For logs
            and metrics, never for clients. :mod:`edgeauth.reasons` has them all.
        identity: who sent it; None unless the reason is ``ok``.
        enforced: False when it would have been refused and report-only let it pass.
        holder: whom the pass was issued for that let it in; None unless the reason is
            ``pass``.
    """

    allowed: bool
    reason: str
    identity: EdgeIdentity | None = None
    enforced: bool = True
    holder: str | None = None

    @property
    def scheme(self) -> str | None:
        """The kind of scheme that accepted the request; None where none did."""
        return None if self.identity is None else self.identity.scheme

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True)
class Denial:
    """The response to a refused request, for an adapter to encode."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


_BODY = b"Forbidden\n"
_DENIAL = Denial(
    403,
    (
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", str(len(_BODY))),
        # Without this a bad header sent through the CDN could have the refusal cached
        # for everybody.
        ("cache-control", "no-store"),
    ),
    _BODY,
)
_HEAD_DENIAL = Denial(_DENIAL.status, _DENIAL.headers, b"")


def denial(method: str) -> Denial:
    """The denial of a request with *method*: the same for every reason, no body for HEAD."""
    return _HEAD_DENIAL if method == "HEAD" else _DENIAL

"""Who sent an accepted request."""

from typing import NamedTuple


class EdgeIdentity(NamedTuple):
    """What an authentic credential says about the edge that sent the request.

    Attributes:
        timestamp: Unix seconds at which the edge signed, by the edge's clock.
            None where the scheme carries no time (a shared secret).
        pop: the code of the signing point of presence, such as ``LHR``. None
            where the credential names none.
        key_id: the id of the key that verified it. An id, never key material.
    """

    timestamp: int | None
    pop: str | None
    key_id: str

    def age(self, now: float) -> float | None:
        """Seconds between signing and *now* (Unix seconds), negative if signed later.

        None where the credential carries no time. Edge and origin clocks are not
        compared in any other way, so clock skew is part of the figure.
        """
        return None if self.timestamp is None else now - self.timestamp


#: Stands where an identity is wanted and there is none, in report-only mode alone.
UNVERIFIED = EdgeIdentity(timestamp=None, pop=None, key_id="unverified")

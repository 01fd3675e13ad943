"""The refusal that only a signature with an end of its own brings with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.errors import Expired, seconds

if TYPE_CHECKING:
    from edgeauth.verdict import EdgeIdentity


class PastExpires(Expired):
    """Authentic, and past the time that the edge itself set as the end."""

    def __init__(self, *, identity: EdgeIdentity, late: float, limit: float) -> None:
        super().__init__(identity=identity, age=late, limit=limit)
        self.message = (
            f"{seconds(late)} s past its own expires, and max_future admits {seconds(limit)} s"
        )
        self.args = (self.message,)

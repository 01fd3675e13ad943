"""What a gate inside another one may take from it, instead of judging a second time.

The outer gate has removed the credential, so an inner one that judged anew would refuse every
request. But an application may well have a stricter gate on one part of it, with another key.
So a verdict is taken only from a guard of this process that goes by the same terms.
"""

from __future__ import annotations

from typing import NamedTuple

from edgeauth.reasons import OK


class Terms(NamedTuple):
    """What a guard decides by, to be held against that of another.

    Attributes:
        proof: how a request proves where it came from.
        other_ways_in: what else lets it in.
    """

    proof: tuple[object, ...]
    other_ways_in: tuple[object, ...]

    def accept(self, reason: str, outer: Terms) -> bool:
        """Whether what *outer* let in for *reason* would have been let in by these as well."""
        return self.proof == outer.proof and (
            reason == OK.code or self.other_ways_in == outer.other_ways_in
        )

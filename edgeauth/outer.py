"""What a gate inside another one may take from it, instead of judging a second time.

The outer gate has removed the credential, so an inner one that judged anew would refuse every
request. But an application may well have a stricter gate on one part of it, with another key.
So a verdict is taken only from a guard of this process that goes by the same terms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edgeauth.reasons import OK

if TYPE_CHECKING:
    from edgeauth.verdict import Verdict


class Terms(NamedTuple):
    """What a guard decides by, to be held against that of another.

    Attributes:
        proof: how a request proves where it came from.
        other_ways_in: what else lets it in.
        once: the replay store, of which requests it is asked, and what becomes of them if it does
            not answer; None where nothing is remembered.
    """

    proof: tuple[object, ...]
    other_ways_in: tuple[object, ...]
    once: tuple[object, object, object] | None = None

    def accept(self, verdict: Verdict, outer: Terms) -> bool:
        """Whether what *outer* let in would have been let in by these as well.

        A store that is asked twice about one request refuses it, so what an outer gate asked it
        must count here, and nothing less must.
        """
        if self.proof != outer.proof:
            return False
        if verdict.reason != OK.code:
            return self.other_ways_in == outer.other_ways_in
        if self.once is None or self.once == outer.once:
            return True
        identity = verdict.identity
        if identity is None or identity.once is None:
            return identity is not None
        return (
            outer.once is not None and self.once[0] == outer.once[0] and "once" in identity.covers
        )

"""What a guard decides by, as one immutable value, and where the present one comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from edgeauth.schemes.base import recall_of

if TYPE_CHECKING:
    from edgeauth.addresses import AddressList
    from edgeauth.keys import KeyRing
    from edgeauth.passes import Passes
    from edgeauth.schemes.base import Recall, Scheme


@dataclass(frozen=True, slots=True)  # slots are read in a tenth of a named tuple's time
class Policy:
    """What a guard decides by: replaced as a whole, so that no request sees half of it.

    Attributes:
        scheme: how a request proves where it came from.
        addresses: the networks a request must come from, or None.
        passes: what verifies passes, or None where none is accepted.
        keys: the keys of the scheme, where settings named them.
        since, until: Unix seconds between which it is the present one; before and after, the
            source has to be asked again.
        recall: looks up what the scheme accepted before; None where it does not say.
    """

    scheme: Scheme
    addresses: AddressList | None = None
    passes: Passes | None = None
    keys: KeyRing | None = field(default=None, repr=False)
    since: float = -math.inf
    until: float = math.inf
    recall: Recall | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "recall", recall_of(self.scheme))


class PolicySource(Protocol):
    """Gives the present :class:`Policy`."""

    @property
    def policy(self) -> Policy:
        """The one that :meth:`current` gave last; to begin with, the first."""

    def current(self, now: float) -> Policy:
        """The one to decide by at *now* (Unix seconds). Never raises."""


class FixedPolicy:
    """A source whose policy never changes.

    Attributes:
        policy: the only one.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def current(self, now: float) -> Policy:  # noqa: ARG002 - as in PolicySource
        """The only one."""
        return self.policy

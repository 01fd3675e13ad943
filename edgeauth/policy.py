"""What a guard decides by, as one immutable value, and where the present one comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from edgeauth.schemes.base import recalls_of

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        keys: the keys of each scheme, by its place, where settings named them; None of one that
            needs none.
        files: what was in the files that options of each scheme name, by its place and the name
            of the option.
        since, until: Unix seconds between which it is the present one; before and after, the
            source has to be asked again.
        recall: looks up what the scheme accepted before, where it has one field; None where it
            has several, or does not say.
        recalls: the same for each field, by its name in lower case.
    """

    scheme: Scheme
    addresses: AddressList | None = None
    passes: Passes | None = None
    keys: tuple[KeyRing | None, ...] = field(default=(), repr=False)
    files: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    since: float = -math.inf
    until: float = math.inf
    recall: Recall | None = field(init=False, repr=False, compare=False)
    recalls: Mapping[bytes, Recall] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        recalls = recalls_of(self.scheme)
        only = next(iter(recalls.values()), None) if len(self.scheme.headers) == 1 else None
        object.__setattr__(self, "recalls", recalls)
        object.__setattr__(self, "recall", only)


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

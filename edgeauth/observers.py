"""Who is told of decisions, behind one boundary: a failure there changes no decision."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgeauth.errors import PassNotAccepted, StoreUnavailable
    from edgeauth.policy import Policy
    from edgeauth.request import Request
    from edgeauth.verdict import Pass, Verdict


class Observer:
    """Is told what a guard decides. Each method does nothing unless it is overridden.

    Attributes:
        every_decision: whether :meth:`decided` is to be told of requests that were let in as
            signed or exempt, too. That needs a view of each request, and guards save work where
            nobody asks; :meth:`accepted` costs a tenth of it.
        lost: how many decisions it could not pass on.
    """

    every_decision = False
    lost = 0

    def start(self) -> None:
        """Get ready, before the first decision.

        Raises:
            ConfigurationError: it cannot do what it was made for.
        """

    def decided(
        self, request: Request, verdict: Verdict, evidence: Exception | Pass | None, now: float
    ) -> None:
        """Take note of a decision at *now* (Unix seconds).

        *evidence* is the error of a refusal, or the pass that let the request in. It is None for
        a request that was let in as signed or exempt.
        """

    def accepted(self, verdict: Verdict, now: float) -> None:
        """Take note of a request that was let in as signed or exempt at *now* (Unix seconds).

        Whoever overrides it is told of each of them, whatever *every_decision* says. It is on
        the way of every request. All that were signed alike may have the same *verdict*.
        """

    def pass_not_accepted(self, request: Request, error: PassNotAccepted, now: float) -> None:
        """Take note of a pass that was not accepted; the request is judged without it."""

    def not_remembered(self, request: Request, error: StoreUnavailable, now: float) -> None:
        """Take note of a request that is let in although the replay store did not answer."""

    def policy_is_current(self, policy: Policy, now: float) -> None:
        """Take note of what is decided by from *now* on; at the start and after each look."""


class Observers:
    """Tells each of *observers*, whatever the others do.

    Attributes:
        every_decision: whether one of them is to be told of every decision.
        accepted: what to call with a verdict and the time where a request was let in as signed or
            exempt; None where nobody wants to know. It may raise: :meth:`admitted` does not.
    """

    every_decision: bool
    accepted: Callable[[Verdict, float], None] | None

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._all: tuple[Observer, ...] = ()
        self._to_start: list[Observer] = []
        self.add(*observers)

    def add(self, *observers: Observer) -> None:
        """Tell *observers* too, from now on."""
        self._all += observers
        self._to_start += observers
        self.every_decision = any(observer.every_decision for observer in self._all)
        accepted = self._overriding("accepted")
        # The usual one is called without a loop around it.
        self.accepted = accepted[0] if len(accepted) == 1 else _each(accepted)
        self._decided = self._overriding("decided")
        self._pass_not_accepted = self._overriding("pass_not_accepted")
        self._not_remembered = self._overriding("not_remembered")
        self._policy_is_current = self._overriding("policy_is_current")

    def _overriding(self, name: str) -> tuple[Callable[..., None], ...]:
        """The method *name* of each observer that does something in it."""
        nothing = getattr(Observer, name)
        return tuple(
            getattr(observer, name)
            for observer in self._all
            if getattr(type(observer), name) is not nothing
        )

    @property
    def lost(self) -> int:
        """How many decisions they could not pass on."""
        return sum(observer.lost for observer in self._all)

    def start(self) -> None:
        """Start those that have not started yet.

        Raises:
            ConfigurationError: one of them cannot start.
        """
        while self._to_start:
            self._to_start[0].start()
            del self._to_start[:1]

    def decided(
        self, request: Request, verdict: Verdict, evidence: Exception | Pass | None, now: float
    ) -> None:
        """Tell of a decision; never raises."""
        for tell in self._decided:
            try:  # noqa: SIM105 - suppress() would cost every refusal more than the rest of this
                tell(request, verdict, evidence, now)
            except Exception:  # noqa: BLE001, S110
                pass

    def admitted(self, request: Request, verdict: Verdict, now: float) -> None:
        """Tell of a request that was let in as signed or exempt; never raises."""
        if self.accepted is not None:
            with contextlib.suppress(Exception):
                self.accepted(verdict, now)
        if self.every_decision:
            self.decided(request, verdict, None, now)

    def pass_not_accepted(self, request: Request, error: PassNotAccepted, now: float) -> None:
        """Tell of a pass that was not accepted; never raises."""
        for tell in self._pass_not_accepted:
            with contextlib.suppress(Exception):
                tell(request, error, now)

    def not_remembered(self, request: Request, error: StoreUnavailable, now: float) -> None:
        """Tell of a request that is let in although the replay store did not answer."""
        for tell in self._not_remembered:
            with contextlib.suppress(Exception):
                tell(request, error, now)

    def policy_is_current(self, policy: Policy, now: float) -> None:
        """Tell what is decided by, and start whoever has not started yet; never raises."""
        with contextlib.suppress(Exception):
            self.start()
        for tell in self._policy_is_current:
            with contextlib.suppress(Exception):
                tell(policy, now)


def _each(tells: tuple[Callable[..., None], ...]) -> Callable[[Verdict, float], None] | None:
    """One function that calls each of *tells*, whatever the others do; None for none."""
    if not tells:
        return None

    def accepted(verdict: Verdict, now: float) -> None:
        for tell in tells:
            with contextlib.suppress(Exception):
                tell(verdict, now)

    return accepted

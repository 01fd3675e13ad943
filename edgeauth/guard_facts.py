"""What a guard goes by: to be read by everybody, and followed as it changes."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import TYPE_CHECKING, Literal, Protocol

from edgeauth.passes import HEADER as PASS_HEADER
from edgeauth.schemes.base import may_admit_once
from edgeauth.steps import configured_steps, exemption

if TYPE_CHECKING:
    from edgeauth.addresses import AddressList
    from edgeauth.admission import Admission
    from edgeauth.exemptions import ExemptRoutes, MountPoints
    from edgeauth.forwarded import TrustedProxies
    from edgeauth.observers import Observers
    from edgeauth.outer import Terms
    from edgeauth.passes import Passes
    from edgeauth.policy import Policy, PolicySource
    from edgeauth.schemes.base import Scheme


class GuardSettings(Protocol):
    """What :class:`edgeauth.Settings` is to a guard, which knows none of what stands above it."""

    @property
    def mode(self) -> Literal["enforce", "report-only"]:
        """As of :class:`Guard`."""

    @property
    def exempt(self) -> tuple[str, ...]:
        """As of :class:`Guard`."""


class GuardFacts:
    """The part of a :class:`Guard` that knows what it goes by; the other part decides."""

    _policy: Policy
    _mode: Literal["enforce", "report-only"]
    _strip_header: bool
    _mounts: MountPoints
    _exempt: ExemptRoutes
    _admission: Admission
    _observers: Observers
    _proxies: TrustedProxies
    # A subclass may, so only Guard itself takes short cuts.
    _may_check_more: bool

    @property
    def scheme(self) -> Scheme:
        """The scheme in force."""
        return self._policy.scheme

    @property
    def addresses(self) -> AddressList | None:
        """The address list in force, or None where addresses are not checked."""
        return self._policy.addresses

    @property
    def passes(self) -> Passes | None:
        """What verifies passes, or None where none is accepted."""
        return self._policy.passes

    @property
    def mode(self) -> Literal["enforce", "report-only"]:
        """Whether refusals are carried out; another mode is another guard."""
        return self._mode

    @property
    def strip_header(self) -> bool:
        """Whether adapters remove the credential before the application runs."""
        return self._strip_header

    @property
    def mount_points(self) -> tuple[str, ...]:
        """Where exempt paths, and paths of passes, count; sorted, ``/`` for the root."""
        return tuple(sorted(path or "/" for path in self._mounts.paths))

    @property
    def exempt(self) -> tuple[str, ...]:
        """The ``METHOD /exact/path`` entries that need no credential, sorted."""
        return tuple(sorted(f"{method} {path}" for method, path in self._exempt.entries))

    @property
    def lost_lines(self) -> int:
        """How many decisions could not be written to the file that takes them."""
        return self._observers.lost

    @property
    def stripped_headers(self) -> tuple[str, ...]:
        """The fields that an adapter must remove before the application runs."""
        if not self._strip_header:
            return ()
        return (*self.scheme.headers, *(() if self.passes is None else (PASS_HEADER,)))

    @property
    def is_of_a_request(self) -> bool:
        """Whether a credential may be of one request, so that the scheme reads what is asked."""
        return may_admit_once(self.scheme)

    def follow(self, source: PolicySource, terms: Terms) -> None:
        """Decide by what *source* gives, from the next request on; for whoever builds a guard.

        Args:
            source: all of its policies have what the first one has: addresses or none, passes
                or none.
            terms: what an inner gate is held against.
        """
        self._source, self._terms = source, terms
        policy = source.policy
        self._steps = configured_steps(policy, self._mounts, self._proxies, self._observers)
        # Apart, so that a request to any other path pays for one look at its path alone.
        self._steps_at_exempt_paths = (exemption(self._exempt), *self._steps)
        self._value_decides = not (
            self._may_check_more or self._steps or self._observers.every_decision
        )
        # Never the present one, so the first decision asks the source and starts the observers.
        self._policy = dataclasses.replace(policy, since=math.inf)
        self._expires = True

    def start(self) -> None:
        """Open the file of decisions, and warn of what an operator should know; once.

        Adapters do it when they are made, so that what cannot work is an error at the start of
        the application. The first decision does it at the latest.

        Raises:
            ConfigurationError: the file of decisions, or that of the replay store, cannot be
                opened, or could not be made.
        """
        self._observers.start()
        self._admission.start()
        if self._policy.since == math.inf:
            self._next_policy(time.time())

    def _next_policy(self, now: float) -> Policy:
        policy = self._source.current(now)
        self._policy = policy
        # Another thread may have found more meanwhile, and stored it before this one.
        while policy is not self._source.policy:
            self._policy = policy = self._source.policy
        self._expires = policy.until < math.inf
        self._observers.policy_is_current(policy, now)
        return policy

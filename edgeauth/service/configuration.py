"""The configuration in force in the supervisor, and what may replace it."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from typing import TYPE_CHECKING

from edgeauth._record.decision_log import DecisionLog
from edgeauth._record.list_age import AgeWarning
from edgeauth.service.notify import notify_reloading
from edgeauth.service.state import refuse_own_memories

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.policy import PolicySource
    from edgeauth.service.settings import ServiceSettings
    from edgeauth.service.state import State

logger = logging.getLogger("edgeauth.service")

# Options that are fixed once the sockets are open and the children run.
_FIXED = ("listen", "socket_mode", "workers", "admin", "log_format")


class Configuration:
    """The state in force; it is replaced as a whole, and stays when a new one cannot be used.

    Args:
        load: reads the configuration, given the number of its generation.

    Attributes:
        state: the state in force.

    Raises:
        ConfigurationError: the configuration cannot be used.
    """

    def __init__(self, load: Callable[[int], tuple[State, PolicySource]]) -> None:
        self._load = load
        self.state, source = load(1)
        self._follow(source)

    def _follow(self, source: PolicySource) -> None:
        self._source = source
        self._in_force = self._seen = source.policy
        self._list_age = AgeWarning(self.state.settings.addresses_stale_days)

    @property
    def check_in(self) -> float | None:
        """Seconds until the files are to be checked again; None if none is watched."""
        due = self._source.policy.until
        if due == math.inf:
            return None
        # No longer than the interval: the clock may be set back meanwhile.
        return min(max(due - time.time(), 0), self.state.settings.watch_interval)

    def start(self) -> None:
        """Log what there is to say about the state, once for all workers."""
        DecisionLog(enforced=self.state.settings.mode == "enforce").start()
        self._list_age.policy_is_current(self._seen, time.time())

    def read_again(self) -> bool:
        """Read the whole configuration again, and adopt it.

        Raises:
            Exception: it cannot be used, and the state in force stays.
        """
        notify_reloading()
        state, source = self._load(self.state.generation + 1)
        state = dataclasses.replace(state, service=self._with_fixed_options(state))
        refuse_own_memories(state.settings, state.service)
        self.state = state
        self._follow(source)
        self.start()
        return True

    def check_files(self) -> bool:
        """Adopt what changed in the files of keys, addresses and passes; whether anything did.

        Only these files are read: a mistake elsewhere in the configuration, which SIGHUP would
        report, does not keep a removed key in force.

        Raises:
            Exception: it cannot be used; the state in force stays, and the next check tries again.
        """
        now = time.time()
        policy, before = self._source.current(now), self._in_force
        if policy is not self._seen:
            self._seen = policy
            self._list_age.policy_is_current(policy, now)
        if (
            policy.keys is before.keys
            and policy.files is before.files
            and policy.addresses is before.addresses
            and policy.passes is before.passes
        ):
            return False
        notify_reloading()
        self.state = self.state.following(policy)
        self._in_force = policy
        return True

    def _with_fixed_options(self, state: State) -> ServiceSettings:
        """The new service options, but for those that only a restart can change."""
        old, new = self.state.service, state.service
        kept = {name: getattr(old, name) for name in _FIXED}
        changed = [name for name in _FIXED if getattr(new, name) != kept[name]]
        if changed:
            logger.warning("%s changed: restart the service for that", ", ".join(changed))
        return dataclasses.replace(new, **kept)

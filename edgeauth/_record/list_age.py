"""Says in the log when the address list is old, and says it rarely."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edgeauth._record.logger import logger
from edgeauth.observers import Observer
from edgeauth.settings import STALE_DAYS, check_stale_days

if TYPE_CHECKING:
    from edgeauth.addresses import AddressList
    from edgeauth.policy import Policy

_DAY_SECONDS = 86_400.0


class AgeWarning(Observer):
    """Warns of an old address list at most once a day.

    For the start of a process and for whoever looks at the file afterwards; never for a
    request.

    Args:
        stale_days: the age in days that a list may have, 1 to 3650.

    Raises:
        ConfigurationError: it is anything else.
    """

    def __init__(self, stale_days: float = STALE_DAYS) -> None:
        check_stale_days(stale_days)
        self._stale_days = stale_days
        self._warned_at: float | None = None

    def age_if_old(self, addresses: AddressList, now: float | None = None) -> int | None:
        """The age in days if *addresses* is old at *now* (Unix seconds; None: the present)."""
        age = addresses.age_days(now)
        return None if age is None or age <= self._stale_days else age

    def policy_is_current(self, policy: Policy, now: float) -> None:
        """Warn of the address list that is in force."""
        if policy.addresses is not None:
            self.warn_if_old(policy.addresses, now)

    def warn_if_old(self, addresses: AddressList, now: float | None = None) -> None:
        """Log one line if *addresses* is old at *now* (Unix seconds; None: the present)."""
        moment = time.time() if now is None else now
        age = self.age_if_old(addresses, moment)
        if age is None:
            return
        # The absolute distance, so that a clock that was set back does not silence it.
        if self._warned_at is not None and abs(moment - self._warned_at) < _DAY_SECONDS:
            return
        self._warned_at = moment
        logger.warning(
            "the address list is as of %s, %d days ago: requests from newer addresses of the "
            "edge are refused; 'edgeauth addresses update' fetches the present one",
            addresses.as_of,
            age,
        )

"""Says in the log when the address list is old, and says it rarely."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edgeauth.decision_log import logger

if TYPE_CHECKING:
    from edgeauth.addresses import AddressList

# The public list changes a few times a year, so one of this age has probably missed a
# change. ``edgeauth addresses update`` dates the list anew even when nothing changed.
STALE_AFTER_DAYS = 90

_DAY_SECONDS = 86_400.0


class StaleWarning:
    """Warns of an old address list at most once a day.

    For the start of a process and for whoever looks at the file afterwards; never for a
    request.
    """

    def __init__(self) -> None:
        self._warned_at: float | None = None

    def look(self, addresses: AddressList, now: float | None = None) -> None:
        """Log one line if *addresses* is old at *now* (Unix seconds; None: the present)."""
        moment = time.time() if now is None else now
        age = addresses.age_days(moment)
        if age is None or age <= STALE_AFTER_DAYS:
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

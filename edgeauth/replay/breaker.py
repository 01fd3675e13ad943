"""After a few failures in a row nobody waits for a broken store; one asks now and then."""

from __future__ import annotations

import time

from edgeauth.admission import ReplayStoreError


class Breaker:
    """Counts failures in a row; after too many, refuses for a moment without asking.

    A race between threads can only let one more of them ask.

    Args:
        failures: how many in a row are too many.
        rest: seconds without a question; then a single caller asks.
    """

    # Of the last failure, and when somebody may ask after it: there before it counts.
    _why: str
    _asleep_until: float

    def __init__(self, failures: int = 3, rest: float = 1.0) -> None:
        self._limit = failures
        self._rest = rest
        self._failed = 0

    def enter(self) -> None:
        """Let the caller ask.

        Raises:
            ReplayStoreError: the store failed a moment ago.
        """
        if self._failed < self._limit:
            return
        now = time.monotonic()
        if now < self._asleep_until:
            raise ReplayStoreError(f"{self._why}; asked again within {self._rest:g} s")
        # This one asks; the others do not wait for what comes of it.
        self._asleep_until = now + self._rest

    def succeeded(self) -> None:
        """The store answered."""
        self._failed = 0

    def failed(self, why: str) -> None:
        """The store did not answer."""
        self._why = why
        self._asleep_until = time.monotonic() + self._rest
        self._failed += 1

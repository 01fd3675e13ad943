"""What one process has seen. No file, no network.

Other processes do not see it, forked ones neither, and it is gone when the process ends. So it is
for a server with one process, and there a restart forgets what was admitted within the last
window.

It is bounded. What is in its time is never forgotten to make room: a full store refuses what is
new, with an error, until the time of something old is over. Only what a key has signed gets in
here, so nobody without a key can fill it.
"""

from __future__ import annotations

import heapq
import os
import threading
import weakref

from edgeauth.admission import ReplayStoreError
from edgeauth.replay.base import ALIKE_SECONDS, bounded, digest_of, is_alike

# Some 250 bytes each at most. Enough for 7,600 requests a second with a window of 65 s.
MAX_ENTRIES = 500_000

# How many of those whose time is over each new one takes away: more than one, so that they get
# fewer, and not all at once, since somebody waits.
_FORGOTTEN_AT_ONCE = 4

_LONGEST_KEY_AS_IT_IS = 64


class MemoryReplayStore:
    """Remembers in the memory of this process; see :class:`edgeauth.replay.ReplayStore`.

    Args:
        max_entries: how many are remembered at the same time at most.
    """

    waits = False

    def __init__(self, *, max_entries: int = MAX_ENTRIES) -> None:
        self._max = max_entries
        self._seen: set[bytes] = set()
        # The keys by the second at whose begin their time is over, and those seconds in order.
        self._ends: dict[int, list[bytes]] = {}
        self._order: list[int] = []
        # Of a second that has come: they go a few at a time.
        self._due: list[bytes] = []
        # What ended before this second may have been forgotten. A clock that is set back makes
        # it good again for the scheme, and not for us.
        self._forgotten = 0
        # Who was admitted with the keys of this moment, and of the one before it.
        self._marks: dict[bytes, tuple[bytes, float]] = {}
        self._older_marks: dict[bytes, tuple[bytes, float]] = {}
        self._marked_at = 0.0
        self._lock = threading.Lock()
        _stores.add(self)

    def remember(
        self,
        key: bytes,
        until: float,
        *,
        now: float,
        since: float | None = None,  # noqa: ARG002 - what was lost with a process is not known
        by: bytes = b"",
    ) -> bool:
        if len(key) > _LONGEST_KEY_AS_IT_IS:
            key = bounded(key)
        end = int(until) + 1
        with self._lock:
            if self._due or (self._order and self._order[0] <= now):
                self._forget(now)
            if key in self._seen or until < self._forgotten:
                return bool(by) and self._was_admitted(key, by, now)
            if len(self._seen) >= self._max:
                raise ReplayStoreError(
                    f"the memory store is full: {self._max} credentials are in their time. Use "
                    "sqlite:/path or redis://, which have no such bound, or a shorter max_age"
                )
            self._seen.add(key)
            if by:
                self._mark(key, by, now)
            keys = self._ends.get(end)
            if keys is None:
                self._ends[end] = [key]
                heapq.heappush(self._order, end)
            else:
                keys.append(key)
            return True

    async def aremember(
        self,
        key: bytes,
        until: float,
        *,
        now: float,
        since: float | None = None,  # noqa: ARG002 - as above
        by: bytes = b"",
    ) -> bool:
        return self.remember(key, until, now=now, by=by)

    def close(self) -> None:
        """Nothing is open, and nothing is forgotten."""

    def _forget(self, now: float) -> None:
        for _ in range(_FORGOTTEN_AT_ONCE):
            if not self._due:
                if not self._order or self._order[0] > now:
                    return
                end = heapq.heappop(self._order)
                self._forgotten = max(self._forgotten, end)
                self._due = self._ends.pop(end)
            self._seen.discard(self._due.pop())

    def _mark(self, key: bytes, by: bytes, now: float) -> None:
        if abs(now - self._marked_at) > ALIKE_SECONDS:
            self._older_marks, self._marks, self._marked_at = self._marks, {}, now
        self._marks[key] = digest_of(by), now

    def _was_admitted(self, key: bytes, by: bytes, now: float) -> bool:
        mark = self._marks.get(key) or self._older_marks.get(key)
        return mark is not None and is_alike(*mark, by, now)

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()


_stores: weakref.WeakSet[MemoryReplayStore] = weakref.WeakSet()


def _in_a_forked_process() -> None:
    # Another thread may have held it, and there is no such thread here.
    for store in _stores:
        store._renew_lock()  # noqa: SLF001 - of this file


if hasattr(os, "register_at_fork"):  # Windows has no forks
    os.register_at_fork(after_in_child=_in_a_forked_process)

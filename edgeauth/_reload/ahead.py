"""A reading that is begun before its result is due, so that no request has to wait for it.

The thread ends by itself a moment later. Where there is none to be had (a process that forked
while one read, an interpreter that starts none), the caller reads by itself; where threads run
only while somebody waits for them (gevent, uWSGI without threads), waiting for the result lets
the thread read.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


class Ahead(Generic[_T]):
    """What *read* returns, which must not raise, read by a thread of its own.

    Args:
        read: reads.
        delay: after how many seconds; earlier where somebody waits for the result.

    Raises:
        RuntimeError: no thread can be started.
    """

    def __init__(self, read: Callable[[], _T], delay: float) -> None:
        self._read = read
        self._delay = delay
        self._outcome: tuple[_T] | None = None
        self._hurry = threading.Event()
        self._dropped = False
        self._process = os.getpid()
        # A daemon, since nothing may keep a process from ending.
        self._thread = threading.Thread(target=self._run, name="edgeauth-reading", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._hurry.wait(self._delay)
        if not self._dropped:
            self._outcome = (self._read(),)

    @property
    def done(self) -> bool:
        """Whether the result is there."""
        return self._outcome is not None

    @property
    def lost(self) -> bool:
        """Whether there will be no result: the thread belongs to the process before a fork."""
        gone = self._process != os.getpid() or not self._thread.is_alive()
        return gone and self._outcome is None

    def drop(self) -> None:
        """Say that nobody needs the result any more."""
        self._dropped = True
        # What a fork left behind may be locked for ever.
        if self._process == os.getpid():
            self._hurry.set()

    def result(self) -> _T | None:
        """The result, waited for; None where there will be none."""
        if self._outcome is None and not self.lost:
            with contextlib.suppress(Exception):
                self._hurry.set()
                self._thread.join()
        return None if self._outcome is None else self._outcome[0]

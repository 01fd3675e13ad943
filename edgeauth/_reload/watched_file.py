"""A file that may change while the application runs: whether it did, and when that counts.

A change counts once the file has stood still for a moment (one second, or
``watch_interval`` if that is shorter), since a file that is written in place is incomplete for
a while. Until then a request is decided by what was the content of the file a short
while ago. How short is a promise: whoever asks later than

    watch_interval + min(watch_interval, 1) seconds

after a change is answered by it, in every process, however long that process was idle.

A small file (16 KiB) is read by the request that looks when that is due. A larger one is read by
a thread (:mod:`edgeauth._reload.ahead`), begun when half of the time is over that the file is to
stand still. So under traffic no request waits for it, unless it takes longer than the other half.
The promise is kept before that: in a process that was idle, the first request waits for the whole
reading, and so it does where there is no thread. ``make bench-reading`` measures both.

Whether a file changed is told by its inode, size and times, in nanoseconds. A file system
that counts time in steps of more than a second (FAT), or of more than half a second for a large
file, can hide a second change of the same size within one step.
"""

from __future__ import annotations

import contextlib
import logging
import stat
import time
from operator import is_
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from edgeauth._record.logger import logger
from edgeauth._reload.ahead import Ahead
from edgeauth.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# How long a file must have stood still. Longer than the ticks in which file systems count
# time, so that no change falls into the tick of one that was read for good.
_SETTLE_SECONDS = 1.0

# How long after a failure an unchanged file is read again: not every failure lies in the
# file, and the log is due a reminder.
_RETRY_SECONDS = 60.0

# How often files are read anew at once because they changed while they were read.
_ATTEMPTS = 5

# Files that are larger together are read by a thread, ahead of time. A smaller one is read in
# about the time that starting a thread takes, or a few times that.
_LARGE_BYTES = 16_384

# When to look again for what a thread still reads.
_SOON_SECONDS = 0.05

# An error may quote what stands in an address file.
_MAX_TEXT = 500

_T = TypeVar("_T")
_Basis = TypeVar("_Basis")


class Fingerprint(NamedTuple):
    """What can be told of files without reading them.

    Attributes:
        files: for each its path and what ``stat`` said, or why it said nothing.
        regular: whether each is a regular file; the reading of a pipe would not end.
        size: of all, in bytes.
    """

    files: tuple[tuple[object, ...], ...]
    regular: bool = True
    size: int = 0


def grace(interval: float) -> float:
    """How many seconds after a change it is in force everywhere, by ``watch_interval``."""
    return interval + min(interval, _SETTLE_SECONDS)


class Reading(NamedTuple, Generic[_T]):
    value: _T
    seen: Fingerprint | None


class _Begun(NamedTuple, Generic[_T]):
    """A reading that was begun.

    Attributes:
        found: of which files.
        held_against: what of the basis the reading depends on.
        ahead: the reading.
    """

    found: Fingerprint
    held_against: tuple[object, ...]
    ahead: Ahead[tuple[_T | None, str]]


class WatchedFiles(Generic[_T, _Basis]):
    """One setting that names files.

    All times are of ``time.monotonic``, which no setting of the clock touches.

    Each look is given the basis, all that is in force: what is read may depend on the rest of it.

    Args:
        name: the setting, for the log.
        interval: seconds from one look to the next.
        paths: the files to look at.
        read: reads them; it is given what is in force, and raises ConfigurationError.
        depends: what of that the reading depends on.
        describe: a value in a few words, for the log.
        content: all that tells one value from another.
        ends: until when a value is what the files say, in Unix seconds, though they do not
            change; None for always.
        otherwise: what comes into force when the files cannot be used; None for what was.

    Attributes:
        wait: after how many seconds the next look is due.
        told_as: what the log calls that which was read.
    """

    def __init__(
        self,
        name: str,
        *,
        interval: float,
        paths: Callable[[], Iterable[Path]],
        read: Callable[[_Basis], _T],
        depends: Callable[[_Basis], tuple[object, ...]] = lambda _basis: (),
        describe: Callable[[_T], str],
        content: Callable[[_T], object],
        ends: Callable[[_T], float] | None = None,
        otherwise: _T | None = None,
    ) -> None:
        self.wait = interval
        self.told_as = "in force"
        self._name = name
        self._interval = interval
        self._settle = min(interval, _SETTLE_SECONDS)
        self._paths = paths
        self._read: Callable[[_Basis], _T] = read
        self._depends: Callable[[_Basis], tuple[object, ...]] = depends
        self._describe: Callable[[_T], str] = describe
        self._content: Callable[[_T], object] = content
        self._ends: Callable[[_T], float] | None = ends
        self._otherwise: _T | None = otherwise
        # When what is in force was last known to be what the files hold.
        self._current_at = time.monotonic()
        self._pending: Fingerprint | None = None
        self._pending_since = 0.0
        self._refused: Fingerprint | None = None
        self._refused_at = 0.0
        self._begun: _Begun[_T] | None = None

    def look(self, basis: _Basis, current: _T, seen: Fingerprint | None) -> Reading[_T] | None:
        """What is to come into force after *current*, which was read from *seen*; or None.

        *basis* is all that is in force.
        """
        for _ in range(_ATTEMPTS):
            now = time.monotonic()
            self.wait = self._interval
            found = fingerprint_of(self._paths)
            if not self._is_to_be_read(current, seen, found, now):
                if found == self._pending and found != self._refused:
                    self._begin(basis, found)
                return None
            outcome = self._outcome(basis, found)
            if outcome is None:
                self.wait = min(self._interval, _SOON_SECONDS)
                return None
            # What changed while it was read may be half old and half new.
            if fingerprint_of(self._paths) == found:
                reading = self._conclude(current, *outcome, found, now)
                if reading is not None and reading.seen is None and found != self._refused:
                    self._begin(basis, found)
                return reading
        self.wait = self._settle
        return None

    def _is_to_be_read(
        self, current: _T, seen: Fingerprint | None, found: Fingerprint, now: float
    ) -> bool:
        if found == seen and not self._is_over(current):
            self._current_at, self._pending = now, None
            if self._refused is not None:
                self._refused = None
                self._say(
                    logging.WARNING, f"is as it was; {self.told_as}: {self._describe(current)}"
                )
            return False
        if found == self._refused and now < self._refused_at + _RETRY_SECONDS:
            return False
        if found != self._pending:
            self._pending, self._pending_since = found, now
        overdue = self._current_at + grace(self._interval) - now
        if self._stood_still(now) or overdue <= 0:
            return True
        self.wait = min(self._settle, overdue)
        return False

    def _is_over(self, current: _T) -> bool:
        return self._ends is not None and time.time() >= self._ends(current)

    def _stood_still(self, now: float) -> bool:
        return now >= self._pending_since + self._settle

    def _conclude(
        self, current: _T, value: _T | None, problem: str, found: Fingerprint, now: float
    ) -> Reading[_T] | None:
        settled = self._stood_still(now)
        if not settled:
            self.wait = self._settle  # to be read once more
        if value is not None:
            same = self._content(value) == self._content(current)
            if self._refused is not None or not same:
                level = logging.INFO if self._refused is None else logging.WARNING
                self._say(level, f"was read; {self.told_as}: {self._describe(value)}")
            self._current_at, self._refused = now, None
            return Reading(current if same else value, found if settled else None)
        otherwise = self._otherwise
        if settled:
            self._refused, self._refused_at = found, now
            in_force = (
                f"{self._describe(current)} stay in force"
                if otherwise is None
                else self._describe(otherwise)
            )
            self._say(logging.ERROR, f"CANNOT BE USED, {in_force}: {problem[:_MAX_TEXT]}")
        return None if otherwise is None else Reading(otherwise, None)

    def _begin(self, basis: _Basis, found: Fingerprint) -> Ahead[tuple[_T | None, str]] | None:
        """Begin to read, unless that was done or is not worth a thread."""
        held_against = self._depends(basis)
        begun = self._begun
        if begun is not None:
            same = begun.found == found and all(map(is_, begun.held_against, held_against))
            if same and not begun.ahead.lost:
                return begun.ahead
            begun.ahead.drop()
            self._begun = None
        if found.size <= _LARGE_BYTES:
            return None
        # Half of the time that a file is to stand still is for it to do so, and half to read.
        try:
            ahead = Ahead(lambda: self._try_to_read(basis, found), self._settle / 2)
        except RuntimeError:
            return None
        self._begun = _Begun(found, held_against, ahead)
        return ahead

    def _outcome(self, basis: _Basis, found: Fingerprint) -> tuple[_T | None, str] | None:
        """What the files hold, or why it cannot be used; None if that can wait."""
        ahead = self._begin(basis, found)
        if ahead is None:
            return self._try_to_read(basis, found)
        # What was refused changes nothing until it is read again.
        if found == self._refused and not ahead.done:
            return None
        outcome = ahead.result()
        self._begun = None
        return outcome or self._try_to_read(basis, found)

    def _try_to_read(self, basis: _Basis, found: Fingerprint) -> tuple[_T | None, str]:
        if not found.regular:
            return None, "it is not a regular file"
        try:
            return self._read(basis), ""
        except ConfigurationError as error:
            return None, str(error)
        except Exception as error:  # noqa: BLE001 - what is in force stays, whatever happens
            # Only our own messages are known to hold no secret.
            return None, f"reading it failed with {type(error).__name__}"

    def _say(self, level: int, text: str) -> None:
        # A log that fails must not become a failure of the request that happened to look.
        with contextlib.suppress(Exception):
            logger.log(level, "%s %s", self._name, text)


def can_be_watched(path: str) -> bool:
    """Whether *path* is not a pipe or a device, which can be read but once."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return True  # reading it will say what is wrong
    return stat.S_ISREG(mode)


def fingerprint_of(paths: Callable[[], Iterable[Path]]) -> Fingerprint:
    try:
        stats = [(str(path), path.stat()) for path in paths()]
    except (OSError, ValueError) as error:  # ValueError: no path at all
        return Fingerprint(files=((str(error),),))
    return Fingerprint(
        # The times in nanoseconds, and that of the inode too, which no program can set back.
        files=tuple(
            (path, at.st_dev, at.st_ino, at.st_mode, at.st_size, at.st_mtime_ns, at.st_ctime_ns)
            for path, at in stats
        ),
        regular=all(stat.S_ISREG(at.st_mode) for _, at in stats),
        size=sum(at.st_size for _, at in stats),
    )

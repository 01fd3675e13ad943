"""Keys, addresses and passes that change while the application runs.

The files that the settings name are looked at from the request path, at most once in
``watch_interval`` seconds: nothing runs between requests, to be lost in a fork or to be stopped.
A look is a ``stat`` of each file; only one that changed is read.

A change counts once the file has stood still for a moment (one second, or
``watch_interval`` if that is shorter), since a file that is written in place is half of
itself for a while. Until then a request is decided by what was the content of the file a short
while ago. How short is a promise: whoever asks later than

    watch_interval + min(watch_interval, 1) seconds

after a change is answered by it, in every process, however long that process was idle.
A clock that is set back or forward is a reason to look at once; set back by less than
``watch_interval``, it can put one look off by as much.

A small file (16 KiB) is read by the request that looks when that is due. A larger one is read by
a thread (:mod:`edgeauth._reload.ahead`), begun when half of the time is over that the file is to
stand still. So under traffic no request waits for it, unless it takes longer than the other half.
The promise is kept before that: in a process that was idle, the first request waits for the whole
reading, and so it does where there is no thread. ``make bench-reading`` measures both.

What cannot be used is refused with one line in the log that says why, and what was read
before stays in force: nobody is shut out by a file that was spoilt. Passes are the exception.
Without them the edge still gets in, and a file that was emptied may have been meant to revoke
them, so none is accepted then. What is refused is tried again when the file changes, and once
a minute.

Whether a file changed is told by its inode, size and times, in nanoseconds. A file system
that counts time in steps of more than a second (FAT), or of more than half a second for a large
file, can hide a second change of the same size within one step.
"""

from __future__ import annotations

import contextlib
import logging
import stat
import time
from dataclasses import dataclass, replace
from operator import is_
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from edgeauth._record.logger import logger
from edgeauth._reload.ahead import Ahead
from edgeauth.addresses import AddressList
from edgeauth.errors import ConfigurationError
from edgeauth.keys import KeyRing, key_names
from edgeauth.passes import NoPasses, Passes
from edgeauth.settings import refuse_one_secret_for_both

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgeauth.keys import Key
    from edgeauth.schemes import Scheme
    from edgeauth.settings import Settings

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

_T = TypeVar("_T", KeyRing, AddressList, Passes)


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


@dataclass(frozen=True, slots=True)  # slots are read in a tenth of a named tuple's time
class Basis:
    """What a guard decides by: replaced as a whole, so that no request sees half of it.

    Attributes:
        scheme: how a request proves where it came from.
        addresses: the networks a request must come from, or None.
        passes: what verifies passes, or None where none is accepted.
        keys: the keys of the scheme, where they were read by a :class:`Watch`.
        keys_seen: the fingerprint of the files that the keys were read from; None for files
            that had not stood still, and are to be read once more.
        list_seen: that of the address list.
        passes_seen: that of the files that passes are judged by.
    """

    scheme: Scheme
    addresses: AddressList | None
    passes: Passes | None = None
    keys: KeyRing | None = None
    keys_seen: Fingerprint | None = None
    list_seen: Fingerprint | None = None
    passes_seen: Fingerprint | None = None


class Watch:
    """Keeps the :class:`Basis` of a guard up to date with the files that settings name.

    It needs no lock: a basis carries the fingerprints of what it was read from, so of two
    threads that look at once either leaves something whole behind, and whatever is out of
    date is seen at the next look.

    Args:
        settings: of the guard; their files are read now.
        told_as: what the log calls that which was read; what :meth:`look` finds need not be in
            force at once where others decide by it.

    Attributes:
        basis: what to begin with.
        active: whether there is a file to look at. A pipe is read once and never again.
        looked: when it looked last, in Unix seconds.
        due: when to look next. The clock that a request is judged by was read anyway, and
            it is to be before this and not before ``looked``: a clock that was set back is
            a reason to look, and so is one that was set forward.

    Raises:
        ConfigurationError: the settings cannot be used.
    """

    def __init__(self, settings: Settings, *, told_as: str = "in force") -> None:
        interval = settings.watch_interval
        self._settings = settings
        self._interval = interval
        self._keys = _watched_keys(settings, self._read_keys)
        self._list = _watched_list(settings)
        self._passes = _watched_passes(settings, self._read_passes)
        self._sources = [
            source for source in (self._keys, self._list, self._passes) if source is not None
        ]
        for source in self._sources:
            source.told_as = told_as
        self.active = bool(self._sources)
        keys = settings.build_keys()
        self.basis = Basis(
            settings.build_scheme(keys),
            settings.build_addresses(),
            settings.build_passes(keys),
            keys,
        )
        self.looked = time.time()
        self.due = self.looked + interval

    def look(self, basis: Basis) -> Basis:
        """Look at the files; *basis* itself if nothing is new, else what comes after it.

        Never raises: what goes wrong is logged, and what was in force stays.
        """
        if self._keys is not None and basis.keys is not None:
            keys = self._keys.look(basis, basis.keys, basis.keys_seen)
            if keys is not None:
                # The scheme remembers what it accepted: a new one for new keys alone.
                same = keys.value is basis.keys
                scheme = basis.scheme if same else self._settings.build_scheme(keys.value)
                basis = replace(basis, scheme=scheme, keys=keys.value, keys_seen=keys.seen)
        if self._list is not None and basis.addresses is not None:
            listed = self._list.look(basis, basis.addresses, basis.list_seen)
            if listed is not None:
                basis = replace(basis, addresses=listed.value, list_seen=listed.seen)
        if self._passes is not None and basis.passes is not None:
            passes = self._passes.look(basis, basis.passes, basis.passes_seen)
            if passes is not None:
                basis = replace(basis, passes=passes.value, passes_seen=passes.seen)
        return basis

    def rest(self, now: float) -> None:
        """Look no more until it is due again, at *now* (Unix seconds).

        To be called when what :meth:`look` found is in force, and not before: until then
        another thread looks too, and does not decide by what is out of date.
        """
        self.due = now + min((source.wait for source in self._sources), default=self._interval)
        self.looked = now

    def _read_keys(self, basis: Basis) -> KeyRing:
        keys = self._settings.build_keys()
        _refuse_cut_off(basis.keys or (), keys)
        if basis.passes is not None:
            refuse_one_secret_for_both(keys, basis.passes)
        return keys

    def _read_passes(self, basis: Basis) -> Passes:
        # The keys in force, so that a spoilt file of keys does not stop passes.
        return self._settings.build_passes(basis.keys) or NoPasses()


def grace(interval: float) -> float:
    """How many seconds after a change it is in force everywhere, by ``watch_interval``."""
    return interval + min(interval, _SETTLE_SECONDS)


class _Reading(NamedTuple, Generic[_T]):
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


class _Watched(Generic[_T]):
    """One setting that names files.

    All times are of ``time.monotonic``, which no setting of the clock touches.

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
        read: Callable[[Basis], _T],
        depends: Callable[[Basis], tuple[object, ...]] = lambda _basis: (),
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
        self._read: Callable[[Basis], _T] = read
        self._depends: Callable[[Basis], tuple[object, ...]] = depends
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

    def look(self, basis: Basis, current: _T, seen: Fingerprint | None) -> _Reading[_T] | None:
        """What is to come into force after *current*, which was read from *seen*; or None.

        *basis* is all that is in force.
        """
        for _ in range(_ATTEMPTS):
            now = time.monotonic()
            self.wait = self._interval
            found = _fingerprint(self._paths)
            if not self._is_to_be_read(current, seen, found, now):
                if found == self._pending and found != self._refused:
                    self._begin(basis, found)
                return None
            outcome = self._outcome(basis, found)
            if outcome is None:
                self.wait = min(self._interval, _SOON_SECONDS)
                return None
            # What changed while it was read may be half old and half new.
            if _fingerprint(self._paths) == found:
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
    ) -> _Reading[_T] | None:
        settled = self._stood_still(now)
        if not settled:
            self.wait = self._settle  # to be read once more
        if value is not None:
            same = self._content(value) == self._content(current)
            if self._refused is not None or not same:
                level = logging.INFO if self._refused is None else logging.WARNING
                self._say(level, f"was read; {self.told_as}: {self._describe(value)}")
            self._current_at, self._refused = now, None
            return _Reading(current if same else value, found if settled else None)
        otherwise = self._otherwise
        if settled:
            self._refused, self._refused_at = found, now
            in_force = (
                f"{self._describe(current)} stay in force"
                if otherwise is None
                else self._describe(otherwise)
            )
            self._say(logging.ERROR, f"CANNOT BE USED, {in_force}: {problem[:_MAX_TEXT]}")
        return None if otherwise is None else _Reading(otherwise, None)

    def _begin(self, basis: Basis, found: Fingerprint) -> Ahead[tuple[_T | None, str]] | None:
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

    def _outcome(self, basis: Basis, found: Fingerprint) -> tuple[_T | None, str] | None:
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

    def _try_to_read(self, basis: Basis, found: Fingerprint) -> tuple[_T | None, str]:
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


def _watched_keys(settings: Settings, read: Callable[[Basis], KeyRing]) -> _Watched[KeyRing] | None:
    def describe(keys: KeyRing) -> str:
        return f"the keys {', '.join(key.id for key in keys)}"

    if settings.secrets_file is not None and _can_be_watched(settings.secrets_file):
        path = Path(settings.secrets_file)
        name, paths = "secrets_file", lambda: [path]
    elif settings.secrets_dir is not None:
        path = Path(settings.secrets_dir)
        name, paths = "secrets_dir", lambda: [path / key for key in key_names(path)]
    else:
        return None
    return _Watched(
        f"{name} {str(path)!r}",
        interval=settings.watch_interval,
        paths=paths,
        read=read,
        depends=lambda basis: (basis.keys, basis.passes),
        describe=describe,
        content=lambda keys: [(key.id, key.secret, key.not_before, key.not_after) for key in keys],
    )


def _watched_list(settings: Settings) -> _Watched[AddressList] | None:
    if settings.addresses in (None, "fastly") or not _can_be_watched(settings.addresses):
        return None
    path = Path(settings.addresses)
    return _Watched(
        f"addresses {str(path)!r}",
        interval=settings.watch_interval,
        paths=lambda: [path],
        read=lambda _basis: AddressList.from_file(path, now=time.time()),
        describe=lambda value: f"the {len(value)} networks as of {value.as_of}",
        content=lambda value: (value.spans, value.as_of, value.retiring),
        ends=lambda value: value.next_retirement,
    )


def _watched_passes(settings: Settings, read: Callable[[Basis], Passes]) -> _Watched[Passes] | None:
    named = [
        (name, path)
        for name in ("pass_secret_file", "revoked_passes_file")
        if (path := getattr(settings, name)) is not None
    ]

    def describe(passes: Passes) -> str:
        if isinstance(passes, NoPasses):
            return "no pass is accepted"
        return f"the pass secret, {len(passes.revoked)} ids revoked"

    # They are read together, so one that can be read but once is not read again for the other.
    if not named or not all(_can_be_watched(path) for _, path in named):
        return None
    return _Watched(
        ", ".join(f"{name} {str(path)!r}" for name, path in named),
        interval=settings.watch_interval,
        paths=lambda: [Path(path) for _, path in named],
        read=read,
        depends=lambda basis: (basis.keys,),
        describe=describe,
        content=lambda passes: (passes.secret, passes.revoked),
        otherwise=NoPasses(),
    )


def _can_be_watched(path: str) -> bool:
    """Whether *path* is not a pipe or a device, which can be read but once."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return True  # reading it will say what is wrong
    return stat.S_ISREG(mode)


def _fingerprint(paths: Callable[[], Iterable[Path]]) -> Fingerprint:
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


def _refuse_cut_off(current: Iterable[Key], keys: KeyRing) -> None:
    """Refuse keys that look like the ones in force, but written down in part.

    Raises:
        ConfigurationError: a secret is the beginning of what it was.
    """
    before = {key.id: key.secret for key in current}
    for key in keys:
        was = before.get(key.id, key.secret)
        if was != key.secret and was.startswith(key.secret):
            raise ConfigurationError(
                f"the secret of key {key.id} is cut off: is the file still being written? "
                "A new secret needs a new id"
            )

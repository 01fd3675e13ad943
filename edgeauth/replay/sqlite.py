"""What all processes of a machine have seen, in a SQLite file. No daemon.

The file is there for a minute's memory, so nothing is forced to the disk: a process that is killed
loses nothing, a machine that loses its power loses what it remembered. That is one of the ways to
lose the memory; others are a file that is removed, replaced or spoilt. Each is noticed, and then
what may have been admitted before the loss is refused (:func:`edgeauth.replay.base.refuse_older`):

- After each insertion a ``stat`` tells whether the path still names the files that were written
  to. If not, it does not count. So nobody admits anything with a file that is gone once there is
  another one, which remembers since when it has been there.
- The file names the boot of the machine that made it. One of an earlier boot is not used.
- What SQLite finds to be spoilt is put aside as ``<path>.old``, if a store made it.

Opening, making and putting aside happen under a lock of the folder, one process at a time. For the
insertion SQLite's own locks are enough.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import stat
import threading
import time
import weakref

from edgeauth.admission import ReplayStoreError
from edgeauth.errors import ConfigurationError, explain
from edgeauth.posix import demand
from edgeauth.replay import sqlite_file
from edgeauth.replay.base import bounded, digest_of, is_alike, refuse_older
from edgeauth.replay.breaker import Breaker
from edgeauth.replay.sqlite_file import Identity, NotOurs, where

__all__ = ["SQLiteReplayStore"]

TIMEOUT = 0.5

# One statement, so that whoever sweeps meanwhile is either before it or after it.
_INSERT = (
    "INSERT OR IGNORE INTO seen SELECT ?, ?, ?, ? WHERE ? > (SELECT forgotten FROM about LIMIT 1)"
)
_WHO = "SELECT asked, at FROM seen WHERE key = ?"

# The sweep walks through the keys in their order, a stretch at a time, and begins again at the end.
# It meets four keys for each that is added, so what is over is at most a third of what is not.
_SWEEP_EVERY = 128
_SWEEP_KEYS = 512
_STRETCH = "SELECT key FROM seen WHERE key > ? ORDER BY key LIMIT 1 OFFSET ?"
_FORGOTTEN = (
    "UPDATE about SET forgotten = max(forgotten, coalesce("
    "(SELECT max(until) FROM seen WHERE key > ? AND key <= ? AND until < ?), forgotten))"
)
_SWEEP = "DELETE FROM seen WHERE key > ? AND key <= ? AND until < ?"
# No key is longer, so none is beyond.
_LAST_KEY = b"\xff" * 66

# Longer than any file system's steps of time.
_SETTLE_NANOSECONDS = 5_000_000_000

# Others hold the file for microseconds, so it is asked for again at once, and then now and then.
_AT_ONCE = 10
_NO_PAUSE, _LONGEST_PAUSE = 0.00025, 0.002

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_SPOILT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_MEANINGS = {
    sqlite3.SQLITE_FULL: "there is no room left for it",
    sqlite3.SQLITE_READONLY: "it cannot be written to: give this user the right to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: may this user write to the file and its folder?",
    sqlite3.SQLITE_IOERR: "reading or writing failed: is the disk full or broken?",
    sqlite3.SQLITE_CORRUPT: "it is spoilt",
    sqlite3.SQLITE_NOTADB: "it is spoilt",
}

# The key, its end, the present, and the name of the question.
_Asked = tuple[bytes, float, float, bytes]


def demand_locks() -> None:
    """Raise ConfigurationError where the system has no locks of files."""
    demand("the replay store in a SQLite file", "fcntl")


class SQLiteReplayStore:
    """Remembers in a file; see :class:`edgeauth.replay.ReplayStore`.

    One connection a process, opened when it is first needed and closed before a fork. A call waits
    for other processes ``timeout`` seconds at most; ``aremember`` lets other tasks run meanwhile,
    and holds the event loop for a write to the page cache.

    Args:
        path: the file. Its folder must be there, on a disk of this machine, and belong to those
            who may decide alone.
        timeout: seconds that a call waits at most.

    Raises:
        ConfigurationError: the path is unusable, or the system has no locks of files (Windows).
    """

    waits = True

    def __init__(self, path: str | os.PathLike[str], *, timeout: float = TIMEOUT) -> None:
        demand_locks()
        try:
            self._path = os.path.abspath(os.fspath(path))  # noqa: PTH100 - resolves no link
            # What is there now was there before this process asked: its loss will be noticed.
            self._known = where(self._path)
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"{path!r} is no path of a file") from error
        self._timeout = timeout
        self._breaker = Breaker(rest=timeout)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._files: list[Identity | None] = []
        self._folder = os.path.dirname(self._path)  # noqa: PTH120 - as the path
        self._settled: tuple[int, int, int] | None = None
        self._ours: Identity | None = None
        self._spoilt: Identity | None = None
        self._began = 0.0
        self._longest = 0.0
        self._added = 0
        self._swept = b""
        _stores.add(self)

    def __repr__(self) -> str:
        return f"SQLiteReplayStore({self._path!r})"

    def __del__(self) -> None:
        # Since 3.13 Python warns of a connection that nobody closed. One that was refused has none.
        if hasattr(self, "_connection"):
            self._close()

    def start(self) -> None:
        """Look whether this user can make the file, or write to it. Nothing is made.

        Raises:
            ConfigurationError: not so. On a request it is a refusal.
        """
        try:
            folder = os.stat(self._folder)  # noqa: PTH116 - as the path
        except OSError as error:
            raise ConfigurationError(
                f"replay: the folder {self._folder!r} cannot be used: {explain(error)}"
            ) from None
        if os.path.isdir(self._path) or not stat.S_ISDIR(folder.st_mode):  # noqa: PTH112
            raise ConfigurationError(f"replay: {self._path!r} is no file in a folder")
        for there in (self._folder, self._path):
            if os.path.exists(there) and not os.access(there, os.W_OK):  # noqa: PTH110
                raise ConfigurationError(f"replay: this user may not write to {there!r}")

    def remember(
        self, key: bytes, until: float, *, now: float, since: float | None = None, by: bytes = b""
    ) -> bool:
        self._breaker.enter()
        asked, start = (bounded(key), until, now, by), time.monotonic()
        pause, patience = _NO_PAUSE, self._timeout
        while (new := self._try(asked, start, patience)) is None:
            pause, patience = self._may_wait(start, pause)
            time.sleep(pause)
        return new and self._admit(until, since)

    async def aremember(
        self, key: bytes, until: float, *, now: float, since: float | None = None, by: bytes = b""
    ) -> bool:
        self._breaker.enter()
        asked, start = (bounded(key), until, now, by), time.monotonic()
        pause = _NO_PAUSE
        while (new := self._try(asked, start, 0)) is None:
            # Asked before the pause: what comes after may be late, and is tried all the same.
            pause, _ = self._may_wait(start, pause)
            await asyncio.sleep(pause)
        return new and self._admit(until, since)

    def seen_at(self, key: bytes) -> float | None:
        """When *key* was admitted, in Unix seconds; None if it was not. For whoever explains.

        It only reads, and makes no file.

        Raises:
            ReplayStoreError: the store cannot tell.
        """
        try:
            return sqlite_file.seen_at(self._path, bounded(key))
        except sqlite3.Error as error:
            raise self._refused(error) from None

    def close(self) -> None:
        with self._lock:
            self._close()

    def _admit(self, until: float, since: float | None) -> bool:
        self._breaker.succeeded()
        if self._began:
            refuse_older(self._began, until, since, self._longest)
        return True

    def _may_wait(self, start: float, pause: float) -> tuple[float, float]:
        """How long to wait next, and how long in all."""
        left = self._timeout - (time.monotonic() - start)
        if left <= 0:
            raise self._failure(
                f"another process has held it for {self._timeout:g} s; does one hang?"
            )
        return min(2 * pause, _LONGEST_PAUSE, left), left

    def _try(self, asked: _Asked, start: float, patience: float) -> bool | None:
        """Whether the key is new, or None while others hold the file."""
        if not self._lock.acquire(timeout=patience):
            return None
        try:
            return self._ask_at_once(asked, start)
        except OSError as error:
            self._close()
            raise self._failure(explain(error)) from None
        finally:
            self._lock.release()

    def _ask_at_once(self, asked: _Asked, start: float) -> bool | None:
        for _ in range(_AT_ONCE):
            try:
                return self._ask(asked, start)
            except sqlite3.Error as error:
                if _code(error) not in _BUSY:
                    raise self._refused(error) from None
        return None

    def _ask(self, asked: _Asked, start: float) -> bool | None:
        key, until, now, by = asked
        connection = self._connection
        if connection is None or self._process != os.getpid():
            # Of a process that forked in a way that Python does not see: not ours.
            self._close()
            connection = self._open(now, start)
            if connection is None:
                return None
        int(until)  # raises for what is no time
        self._longest = max(self._longest, until - now)
        if connection.execute(_INSERT, (key, until, now, digest_of(by), until)).rowcount != 1:
            found = connection.execute(_WHO, (key,)).fetchone() if by else None
            if found is None or not is_alike(found[0], found[1], by, now):
                return False
        if not self._is_there():
            self._gone()
            raise self._failure("it was removed or replaced; a new one is made")
        self._added += 1
        if not self._added % _SWEEP_EVERY:
            self._sweep(connection, now)
        return True

    def _is_there(self) -> bool:
        """Whether the path still names the files that are open."""
        # Whatever comes to a folder or goes from it changes its time, by more than the steps in
        # which file systems count. So while that stands still, one look does for both files.
        folder = os.stat(self._folder)  # noqa: PTH116 - asked for each admission
        mark = folder.st_mtime_ns, folder.st_ino, folder.st_dev
        if mark == self._settled:
            return True
        there = self._files == self._named()
        still = mark[0] < time.time_ns() - _SETTLE_NANOSECONDS
        self._settled = mark if there and still else None
        return there

    def _gone(self) -> None:
        # Of a file that lost what belongs to it, nobody can use the rest.
        self._spoilt = self._ours
        self._close()

    def _named(self) -> list[Identity | None]:
        return [where(self._path + beside) for beside in ("", "-wal", "-shm")]

    def _open(self, now: float, start: float) -> sqlite3.Connection | None:
        """A connection, or None while another process opens one."""
        with sqlite_file.locked_folder(self._path) as held:
            if not held:
                return None
            connection = began = None
            there = where(self._path)
            lost = self._known is not None and self._known != there
            if there is not None and there != self._spoilt:
                connection = self._connect(there)
                began = sqlite_file.began(connection)
            # A second more, for what went by between reading the clock and asking.
            present = now + time.monotonic() - start + 1
            if connection is None or began is None:
                if connection is not None:
                    connection.close()
                if there is not None:
                    sqlite_file.put_aside(self._path)
                    lost = True
                began = present if lost else 0.0
                sqlite_file.make(self._path, since=began)
                there = where(self._path)
                connection = sqlite_file.connect(self._path)
                sqlite_file.began(connection)
            self._began = max(self._began, began, present if lost else 0.0)
            self._known = self._ours = there
            self._settled = None
            self._files = self._named()
            self._connection, self._process = connection, os.getpid()
            return connection

    def _connect(self, there: Identity) -> sqlite3.Connection:
        try:
            connection = sqlite_file.connect(self._path)
        except NotOurs:
            # What was ours may be spoilt from its first byte on; an empty file is nobody's.
            if there == self._ours or not os.stat(self._path).st_size:  # noqa: PTH116
                self._spoilt = there
                raise self._failure("it is spoilt; a new one is made") from None
            raise self._failure(
                "it is no file of a replay store: name another, or remove it"
            ) from None
        self._ours = there
        return connection

    def _sweep(self, connection: sqlite3.Connection, now: float) -> None:
        """Forget what is over, of some keys. Another time, if others hold the file."""
        end = connection.execute(_STRETCH, (self._swept, _SWEEP_KEYS - 1)).fetchone()
        stretch = (self._swept, end[0] if end else _LAST_KEY, now)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_FORGOTTEN, stretch)
            connection.execute(_SWEEP, stretch)
            connection.execute("COMMIT")
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            return
        self._swept = end[0] if end else b""

    def _refused(self, error: sqlite3.Error) -> ReplayStoreError:
        code = _code(error)
        if code in _SPOILT:
            self._spoilt = self._ours
        elif self._files and not self._is_there():
            self._gone()
        self._close()
        return self._failure(_MEANINGS.get(code, f"SQLite says {code}"))

    def _failure(self, why: str) -> ReplayStoreError:
        text = f"the replay store {self._path} does not answer: {why}"
        self._breaker.failed(text)
        return ReplayStoreError(text)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        self._files = []
        self._settled = None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _before_a_fork(self) -> None:
        self._lock.acquire()
        # SQLite does not survive a fork: two processes would take the locks of one for theirs.
        self._close()

    def _after_a_fork(self) -> None:
        self._lock.release()


def _code(error: sqlite3.Error) -> int:
    # Without the details that SQLite adds in the upper bits. Python's own errors have none.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


_stores: weakref.WeakSet[SQLiteReplayStore] = weakref.WeakSet()
_one_fork = threading.Lock()
_forking: list[SQLiteReplayStore] = []


def _before_a_fork() -> None:
    _one_fork.acquire()
    _forking.extend(_stores)
    for store in _forking:
        store._before_a_fork()  # noqa: SLF001 - of this file


def _after_a_fork() -> None:
    while _forking:
        _forking.pop()._after_a_fork()  # noqa: SLF001 - of this file
    _one_fork.release()


if hasattr(os, "register_at_fork"):  # Windows has no forks, and no such store
    os.register_at_fork(
        before=_before_a_fork, after_in_parent=_after_a_fork, after_in_child=_after_a_fork
    )

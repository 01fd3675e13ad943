"""The file of a SQLite replay store: made, recognised, put aside."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What file a path names: the device and the inode.
Identity = tuple[int, int]

# In the header of the file, where SQLite has a place for it: "edge".
_OURS = 0x65646765

_TABLES = f"""
PRAGMA journal_mode = WAL;
PRAGMA application_id = {_OURS};
CREATE TABLE seen (key BLOB PRIMARY KEY, until REAL NOT NULL, at REAL NOT NULL, asked BLOB NOT NULL)
    WITHOUT ROWID;
CREATE TABLE about (began REAL NOT NULL, boot TEXT NOT NULL, forgotten REAL NOT NULL);
"""


class NotOurs(Exception):
    """The file is none that a replay store made."""


def where(path: str) -> Identity | None:
    """What *path* names; None where there is nothing or it cannot be told."""
    try:
        found = os.stat(path)  # noqa: PTH116 - asked for each admission
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def locked_folder(path: str) -> Iterator[bool]:
    """Hold the lock of the folder of *path*, if nobody else does: whether it is held."""
    import fcntl  # noqa: PLC0415 - not on Windows, where no store gets here

    folder = os.open(Path(path).parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = True
        except BlockingIOError:
            held = False
        yield held
    finally:
        os.close(folder)


def make(path: str, *, since: float) -> None:
    """Make the file, which remembers what was admitted from *since* on.

    It is complete before it gets its name, and what lay beside an earlier one is away: SQLite
    would take that for a part of the new one.
    """
    draft = f"{path}.new"
    for each in (draft, f"{draft}-wal", f"{draft}-shm", f"{path}-wal", f"{path}-shm"):
        Path(each).unlink(missing_ok=True)
    Path(draft).touch(0o600, exist_ok=False)
    with contextlib.closing(_connect(draft)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_TABLES)
        connection.execute("INSERT INTO about VALUES (?, ?, ?)", (since, boot(), -math.inf))
    Path(draft).rename(path)


def connect(path: str) -> sqlite3.Connection:
    """A connection to the file.

    Raises:
        NotOurs: no replay store made it, or it is spoilt from its first byte on.
        sqlite3.Error: it cannot be used.
    """
    # Not by reading it: to close a file takes away the locks that SQLite has on it here.
    connection = _connect(path)
    try:
        ours = connection.execute("PRAGMA application_id").fetchone() == (_OURS,)
        if ours:
            # With the boot in the file there is nothing a disk must have before the power goes.
            # 0 is OFF and 1 NORMAL.
            connection.execute(f"PRAGMA synchronous = {0 if boot() else 1}")
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise NotOurs from None
        raise
    if not ours:
        connection.close()
        raise NotOurs
    return connection


def began(connection: sqlite3.Connection) -> float | None:
    """Since when the file remembers; None for one of an earlier boot of the machine.

    Raises:
        sqlite3.Error: it cannot be read, and *connection* is closed.
    """
    try:
        since, made_in = connection.execute("SELECT began, boot FROM about").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return since if made_in == boot() else None


def put_aside(path: str) -> None:
    """Take a file out of the way, and keep it for whoever wants to see it."""
    Path(path).replace(f"{path}.old")


def seen_at(path: str, key: bytes) -> float | None:
    """When *key* was admitted, in Unix seconds; None if it was not, or nothing ever was.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    if where(path) is None:
        return None
    with contextlib.closing(_connect(path, "ro")) as connection:
        found = connection.execute("SELECT at FROM seen WHERE key = ?", (key,)).fetchone()
    return None if found is None else float(found[0])


def _connect(path: str, mode: str = "rw") -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(path)}?mode={mode}",
        uri=True,
        timeout=0,
        isolation_level=None,
        check_same_thread=False,
    )


@cache
def boot() -> str:
    """A name of this boot of the machine; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().decode().strip()
    except OSError:
        return ""

"""What can happen to a store while four processes use it."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from replay_storm.storm import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.redis import RedisServer

    from replay_storm.storm import Outcome


def stores(folder: Path, redis: RedisServer) -> dict[str, str]:
    """The settings of the stores that several processes share."""
    return {"sqlite": f"sqlite:{folder}/seen.db", "redis": redis.url, "unix": redis.unix_url}


def _remove(*which: str) -> Callable[[Path], object]:
    def remove(path: Path) -> None:
        for beside in which:
            Path(f"{path}{beside}").unlink(missing_ok=True)

    return remove


def _spoil(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(path.stat().st_size))


def _truncate(path: Path) -> None:
    os.truncate(path, 0)


_OF_A_FILE = {
    "sqlite: the file is removed": _remove(""),
    "sqlite: all of its files are removed": _remove("", "-wal", "-shm"),
    "sqlite: its log is removed": _remove("-wal"),
    "sqlite: its index is removed": _remove("-shm"),
    "sqlite: the file is overwritten": _spoil,
    "sqlite: the file is truncated": _truncate,
}

#: Each by its name; of Redis both ways of asking.
FAULTS = (
    *_OF_A_FILE,
    "sqlite: the file is locked",
    *(
        f"{kind}: the server is {what}{way}"
        for kind in ("redis", "unix")
        for what in ("killed and started anew", "killed, and started later", "paused")
        for way in ("", ", asked by tasks")
        # Over its socket it is the same server.
        if kind == "redis" or not (way or "later" in what)
    ),
)


def storm_with(fault: str, seconds: float, folder: Path, redis: RedisServer) -> Outcome:
    """A storm with one of :data:`FAULTS`.

    Args:
        fault: its name.
        seconds: how long the storm lasts.
        folder: an empty one, for the file.
        redis: a server, up before and after.
    """
    path = folder / "seen.db"
    setting = stores(folder, redis)[fault.partition(":")[0]]
    tasks = 10 if fault.endswith("tasks") else 0
    if fault in _OF_A_FILE:
        return run(setting, seconds=seconds, fault=lambda: _OF_A_FILE[fault](path))
    if "locked" in fault:
        with contextlib.closing(
            sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        ) as holder:
            return run(
                setting,
                seconds=seconds,
                fault=lambda: holder.execute("BEGIN IMMEDIATE"),
                mended=lambda: holder.execute("ROLLBACK"),
            )
    redis.tell("FLUSHALL")
    if "anew" in fault:
        return run(setting, seconds=seconds, tasks=tasks, fault=redis.restart)
    if "later" in fault:
        return run(setting, seconds=seconds, tasks=tasks, fault=redis.kill, mended=redis.start)
    return run(setting, seconds=seconds, tasks=tasks, fault=redis.pause, mended=redis.resume)

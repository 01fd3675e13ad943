"""What a replay store adds to a request, beside a bare call of the same kind.

``PYTHONPATH=tests python benchmarks/replay.py`` prints the table alone; ``make bench`` has it among
the others. Redis is a real one, on a Unix socket and on loopback.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import measure
import redis
import report
from report import Group, Row
from support.processes import wait_until
from support.redis import redis_server

from edgeauth.replay import MemoryReplayStore
from edgeauth.replay import sqlite_file as file
from edgeauth.replay.redis import RedisReplayStore
from edgeauth.replay.sqlite import SQLiteReplayStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from measure import Timing

    from edgeauth.replay import ReplayStore

KEY = b"an-example-secret-of-32-bytes-ok"
NOW = 1_700_000_000.0
WINDOW = 65.0
CALLS = 400
SETTLED_SECONDS = 5.5


class _Admissions:
    """Admits *calls* new keys each time, at 2,000 a second: what is over is forgotten as well."""

    def __init__(self, store: ReplayStore) -> None:
        self._remember = store.remember
        self._now = NOW

    def __call__(self) -> None:
        remember, now = self._remember, self._now
        for key in _keys():
            assert remember(key, now + WINDOW, now=now)
            now += 1 / 2_000
        self._now = now


def _keys() -> Iterator[bytes]:
    made = os.urandom(22 * CALLS)
    return (made[n : n + 22] for n in range(0, len(made), 22))


def group() -> Group:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        memory = MemoryReplayStore()
        sqlite = SQLiteReplayStore(folder / "seen.db")
        stack.callback(sqlite.close)
        file.make(str(folder / "bare.db"), since=0.0)
        bare = file.connect(str(folder / "bare.db"))
        stack.callback(bare.close)
        server = stack.enter_context(redis_server(folder))
        client = redis.Redis(unix_socket_path=server.socket, protocol=2)
        stack.callback(client.close)
        store = RedisReplayStore(server.unix_url)
        stack.callback(store.close)
        # As in a service that runs: what was just opened is looked at more closely.
        sqlite.remember(b"first", NOW + WINDOW, now=NOW)
        opened = time.monotonic()
        wait_until(lambda: time.monotonic() - opened > SETTLED_SECONDS)
        timings = {
            **measure.side_by_side(
                {
                    "hmac": lambda: [hmac.digest(KEY, key, "sha256") for key in _keys()],
                    "memory": _Admissions(memory),
                    "insert": lambda: _insert(bare.execute),
                    "sqlite": _Admissions(sqlite),
                },
                calls=CALLS,
            ),
            **measure.side_by_side(
                {"set": lambda: _set(client), "redis": _Admissions(store)}, calls=CALLS
            ),
        }
    return Group(
        title="Admit a key once",
        unit="a bare call of the same kind",
        rows=list(_rows(timings)),
        notes=[
            "The bare insertion has the same table and pragmas; `SET` goes to the same server.",
            "CPU time of the gate: the server's own is left out.",
        ],
    )


def _rows(timings: dict[str, Timing]) -> Iterator[Row]:
    for bare, store, label, limit in (
        ("hmac", "memory", "`memory`, to `hmac.digest`", 1.0),
        ("insert", "sqlite", "`sqlite`, to `INSERT OR IGNORE`", 1.5),
        ("set", "redis", "`redis`, to `SET NX PX` by redis-py", 1.3),
    ):
        yield Row(label, timings[store].median, timings[store].ratio(timings[bare]), limit)


def _insert(execute: Callable[[str, Sequence[object]], object]) -> None:
    for key in _keys():
        execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", (key, NOW + WINDOW, NOW, b""))


def _set(client: redis.Redis) -> None:
    for key in _keys():
        client.set(key, b"", nx=True, px=125_000)


if __name__ == "__main__":
    table = group()
    report.show(table)
    sys.exit(any(row.holds is False for row in table.rows))

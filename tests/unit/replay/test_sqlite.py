"""The SQLite store when its file is removed, spoilt, locked, or may not be written."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.processes import wait_until

from edgeauth.replay import ReplayStoreError, sqlite, sqlite_file
from edgeauth.replay.sqlite import SQLiteReplayStore

NOW = 1_700_000_000.0
ALL_OF_IT = ("", "-wal", "-shm")


def comes_back(store):
    """Wait until the store admits what is signed now, by a clock that goes on."""
    start, numbers = time.monotonic(), iter(range(10**6))

    def admits():
        now = NOW + 1 + time.monotonic() - start
        try:
            return store.remember(b"back %d" % next(numbers), now + 60, now=now, since=now)
        except ReplayStoreError:
            return False

    wait_until(admits, what="the store coming back")


def refused(store, key, since=NOW):
    """Whether the store refuses *key*, signed at NOW, with an error or since it was seen."""
    try:
        return store.remember(key, NOW + 60, now=NOW, since=since) is False
    except ReplayStoreError:
        return True


def remove(path, *which):
    for beside in which:
        Path(path + beside).unlink()


def spoil_the_head(path):
    with Path(path).open("r+b") as file:
        file.write(b"no database at all" * 100)


def spoil_the_body(path):
    size = Path(path).stat().st_size
    with Path(path).open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (size - 100))


LOSSES = {
    "the file is removed": lambda path: remove(path, ""),
    "all of it is removed": lambda path: remove(path, *ALL_OF_IT),
    "its log is removed": lambda path: remove(path, "-wal"),
    "its index is removed": lambda path: remove(path, "-shm"),
    "it is moved away": lambda path: Path(path).rename(path + ".away"),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("since", [NOW, None], ids=["told since when", "not told"])
def test_after_a_loss_while_it_is_open_nothing_older_is_admitted(path, make, lose, since):
    store = make(path)
    assert store.remember(b"one", NOW + 60, now=NOW, since=since)
    lose(path)

    assert all(refused(store, key, since) for key in (b"one", b"other", b"one", b"other"))
    comes_back(store)
    with pytest.raises(ReplayStoreError, match="lost what it remembered"):
        store.remember(b"third", NOW + 60, now=NOW + 10, since=since)


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_two_stores_of_one_file_admit_nothing_twice_after_a_loss(path, make, lose):
    one, other = make(path), make(path)
    assert one.remember(b"one", NOW + 60, now=NOW, since=NOW)
    assert other.remember(b"two", NOW + 60, now=NOW, since=NOW)
    lose(path)
    for store in (other, one, other, one):
        assert all(refused(store, key) for key in (b"one", b"two", b"three"))
    comes_back(one)
    comes_back(other)


@pytest.mark.parametrize("spoil", [spoil_the_head, spoil_the_body, lambda p: os.truncate(p, 0)])
def test_a_store_that_finds_its_file_spoilt_puts_it_aside_and_makes_a_new_one(path, make, spoil):
    store = make(path)
    assert store.remember(b"one", NOW + 60, now=NOW, since=NOW)
    store.close()  # so that nothing of it is kept in memory
    spoil(path)

    assert all(refused(store, key) for key in (b"one", b"two", b"one", b"three"))
    comes_back(store)
    assert Path(path + ".old").exists()


def test_a_new_process_replaces_a_spoilt_file_that_says_it_is_ours(path, make):
    store = make(path)
    for number in range(300):
        store.remember(b"%d" % number, NOW + 60, now=NOW, since=NOW)
    store.close()
    spoil = Path(path).read_bytes()
    Path(path).write_bytes(spoil[:4096] + b"\xff" * (len(spoil) - 4096))
    newcomer = make(path)

    assert all(refused(newcomer, b"%d" % number) for number in (1, 1, 2))
    comes_back(newcomer)


def test_a_store_that_never_asked_knows_that_the_file_was_there(path, make):
    one = make(path)
    one.remember(b"one", NOW + 60, now=NOW, since=NOW)
    lazy = make(path)
    one.close()
    remove(path, "")

    with pytest.raises(ReplayStoreError, match="lost what it remembered"):
        lazy.remember(b"one", NOW + 60, now=NOW, since=NOW)


@pytest.mark.parametrize("foreign", ["a note", "another database"])
def test_a_file_of_somebody_else_is_left_alone(path, make, foreign):
    if foreign == "a note":
        Path(path).write_text("keep me\n" * 1_000, "utf-8")
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE theirs (key)")
        connection.close()
    content = Path(path).read_bytes()
    store = make(path)

    for _ in range(2):
        with pytest.raises(ReplayStoreError, match="it is no file of a replay store"):
            store.remember(b"one", NOW + 60, now=NOW)
    assert Path(path).read_bytes() == content


def test_an_error_of_a_file_that_lost_its_log_gives_the_file_up(path, make):
    store = make(path)
    store.remember(b"one", NOW + 60, now=NOW, since=NOW)
    remove(path, "-wal")
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR

    assert "reading or writing failed" in str(store._refused(error))
    assert refused(store, b"one")
    assert refused(store, b"two")
    comes_back(store)


def test_an_empty_file_is_taken_as_the_place_for_a_new_one(path, make):
    Path(path).touch()
    store = make(path)

    with pytest.raises(ReplayStoreError):
        store.remember(b"one", NOW + 60, now=NOW, since=NOW)
    comes_back(store)


def test_a_file_of_an_earlier_boot_is_replaced_and_what_is_older_refused(path, make, monkeypatch):
    store = make(path)
    assert store.remember(b"one", NOW + 60, now=NOW, since=NOW)
    store.close()
    monkeypatch.setattr(sqlite_file, "boot", lambda: "another")
    after = make(path)

    with pytest.raises(ReplayStoreError, match="lost what it remembered"):
        after.remember(b"one", NOW + 60, now=NOW, since=NOW)
    comes_back(after)


def test_where_the_system_has_no_name_of_a_boot_the_file_is_kept(path, make, monkeypatch):
    monkeypatch.setattr(sqlite_file, "Path", lambda _: Path("/nonexistent"))
    assert sqlite_file.boot.__wrapped__() == ""
    monkeypatch.undo()
    monkeypatch.setattr(sqlite_file, "boot", lambda: "")
    store = make(path)
    assert store.remember(b"one", NOW + 60, now=NOW)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (1,)
    store.close()

    assert make(path).remember(b"one", NOW + 60, now=NOW) is False


def asked_in_time(store, key=b"asked"):
    """The error of a call, which must not take longer than its bound and some noise."""
    start = time.monotonic()
    with pytest.raises(ReplayStoreError) as caught:
        store.remember(key, NOW + 60, now=NOW)
    assert time.monotonic() - start < 5
    return str(caught.value)


@pytest.mark.parametrize("way", ["remember", "aremember"])
def test_a_process_that_hangs_with_the_lock_costs_no_more_than_the_bound(path, make, way):
    store = make(path, timeout=0.2)
    store.remember(b"one", NOW + 60, now=NOW)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    async def others_go_on():
        ticks = 0
        asked = asyncio.create_task(store.aremember(b"asked", NOW + 60, now=NOW))
        while not asked.done():
            await asyncio.sleep(0.001)
            ticks += 1
        with pytest.raises(ReplayStoreError, match=r"another process has held it for 0\.2 s"):
            await asked
        return ticks

    if way == "remember":
        assert "another process has held it for 0.2 s" in asked_in_time(store)
    else:
        assert asyncio.run(others_go_on()) > 5
    holder.execute("ROLLBACK")
    holder.close()
    assert store.remember(b"one", NOW + 60, now=NOW) is False
    comes_back(store)


def test_an_event_loop_that_stands_still_meanwhile_refuses_nobody(path, make):
    store = make(path, timeout=0.1)
    store.remember(b"one", NOW + 60, now=NOW)
    holder = sqlite3.connect(path, isolation_level=None)

    async def drive():
        holder.execute("BEGIN IMMEDIATE")
        asked = asyncio.create_task(store.aremember(b"two", NOW + 60, now=NOW))
        await asyncio.sleep(0)  # now it waits
        holder.execute("ROLLBACK")
        time.sleep(0.2)  # noqa: ASYNC251 - what holds the loop, past the bound
        return await asked

    assert asyncio.run(drive()) is True
    holder.close()


def test_after_some_waits_in_a_row_nobody_waits(path, make):
    store = make(path, timeout=0.2)
    store.remember(b"one", NOW + 60, now=NOW)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    errors = [asked_in_time(store) for _ in range(4)]
    holder.close()

    assert "asked again within" in errors[-1]
    comes_back(store)


def test_a_thread_that_hangs_costs_no_more_than_the_bound(path, make):
    store = make(path, timeout=0.1)
    with store._lock:
        assert "held it" in asked_in_time(store)


def test_a_process_that_hangs_while_it_opens_costs_no_more_than_the_bound(path, make):
    store = make(path, timeout=0.1)
    with sqlite_file.locked_folder(path) as held:
        assert held
        assert "held it" in asked_in_time(store)
    comes_back(store)


def test_a_folder_that_is_not_there_is_an_error_until_it_is(tmp_path, make):
    store = make(tmp_path / "later" / "seen.db")

    assert "No such file or directory" in asked_in_time(store)
    (tmp_path / "later").mkdir()
    comes_back(store)


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path, make):
    assert "does not answer" in asked_in_time(make(tmp_path))


AS_NOBODY = """
import asyncio, os, sys, time
from edgeauth.replay import ReplayStoreError, open_store
store = open_store("sqlite:" + sys.argv[1])
if not os.getuid():
    os.setgid(65534), os.setuid(65534)
try:
    print(store.remember(b"one", time.time() + 60, now=time.time()))
except ReplayStoreError as error:
    print(error)
"""


@pytest.mark.parametrize("protected", ["file", "folder", "both"])
def test_what_may_only_be_read_is_an_error(tmp_path, make, protected):
    folder = tmp_path / "kept"
    folder.mkdir()
    path = str(folder / "seen.db")
    now = time.time()
    store = make(path)
    store.remember(b"one", now + 60, now=now)
    store.close()
    if protected == "folder":
        Path(path).unlink()
    for part in (tmp_path.parent.parent, tmp_path.parent, tmp_path):
        part.chmod(part.stat().st_mode | 0o711)
    folder.chmod(0o777 if protected == "file" else 0o555)
    if protected != "folder":
        Path(path).chmod(0o444)
    ran = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, path], capture_output=True, text=True, check=False
    )
    folder.chmod(0o755)

    assert not ran.stderr
    assert ran.stdout.startswith(f"the replay store {path} does not answer")


def test_a_disk_without_room_is_an_error_and_admits_when_there_is_room(path, make):
    store = make(path)
    for number in range(2_000):
        assert store.remember(b"%d" % number, NOW + 60, now=NOW, since=NOW)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file may grow beyond this; the system answers as a full disk does.
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, limits[1]))
    try:
        errors = {asked_in_time(store, b"full %d" % number) for number in range(3)}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert all("room" in error or "disk" in error for error in errors), errors
    comes_back(store)
    for number in range(2_000):
        assert store.remember(b"%d" % number, NOW + 60, now=NOW, since=NOW) is False


def test_what_is_over_is_swept_away(path, make):
    store = make(path)
    for number in range(20_000):
        # Each lives for a minute, at ten a second.
        store.remember(b"%d" % number, NOW + number / 10 + 60, now=NOW + number / 10)
    (left,) = store._connection.execute("SELECT count(*) FROM seen").fetchone()

    assert 600 <= left < 600 * 1.5 + 2 * sqlite._SWEEP_EVERY
    assert Path(path).stat().st_size < 300_000
    assert Path(path + "-wal").stat().st_size < 6_000_000


def test_a_sweep_that_finds_others_at_work_leaves_it_for_another_time(path, make):
    store = make(path)
    store.remember(b"one", NOW + 60, now=NOW)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    store._sweep(store._connection, NOW + 100)
    holder.close()

    assert store.remember(b"one", NOW + 60, now=NOW) is False
    store._sweep(store._connection, NOW + 100)
    assert store._connection.execute("SELECT count(*) FROM seen").fetchone() == (0,)
    assert store.remember(b"one", NOW + 60, now=NOW) is False


def test_a_forked_process_and_its_parent_share_what_they_see(path, make):
    store = make(path)
    store.remember(b"before", NOW + 60, now=NOW)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - another process
        seen = [store.remember(key, NOW + 60, now=NOW) for key in (b"before", b"child")]
        os.write(writing, repr(seen).encode())
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(reading, 100)
    os.close(reading)
    os.close(writing)

    assert told == b"[False, True]"
    assert store.remember(b"child", NOW + 60, now=NOW) is False


def test_a_process_forked_unseen_opens_a_connection_of_its_own(path, make):
    store = make(path)
    store.remember(b"one", NOW + 60, now=NOW)
    store._process = -1
    before = store._connection

    assert store.remember(b"one", NOW + 60, now=NOW) is False
    assert store._connection is not before


def test_threads_may_fork_at_the_same_time(path, make):
    # A connection that an earlier test left would be closed by one thread while another forks.
    gc.collect()
    store = make(path)
    statuses = []

    def fork_and_ask(name):
        for number in range(3):
            child = os.fork()
            if not child:  # pragma: no cover - another process
                signal.alarm(60)  # one that hangs ends, and its status is seen
                try:
                    new = store.remember(b"%d %d" % (name, number), NOW + 60, now=NOW)
                    os._exit(not new)
                finally:
                    os._exit(2)
            store.remember(b"parent %d %d" % (name, number), NOW + 60, now=NOW)
            statuses.append(os.waitpid(child, 0)[1])

    threads = [threading.Thread(target=fork_and_ask, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [0] * 9


def test_a_folder_that_stands_still_is_looked_at_once(path, make, monkeypatch):
    store = make(path)
    store.remember(b"one", NOW + 60, now=NOW)
    monkeypatch.setattr(sqlite, "_SETTLE_NANOSECONDS", -(10**12))
    store.remember(b"two", NOW + 60, now=NOW)
    monkeypatch.setattr(store, "_named", lambda: pytest.fail("looked at each file"))
    store.remember(b"three", NOW + 60, now=NOW)
    monkeypatch.undo()
    remove(path, "")

    with pytest.raises(ReplayStoreError, match="removed or replaced"):
        store.remember(b"four", NOW + 60, now=NOW)


# Python 3.13 complains of a connection that nobody closed, and the store's owner should have.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_store_that_nobody_has_any_more_is_not_kept(path):
    store = SQLiteReplayStore(path)
    store.remember(b"one", NOW + 60, now=NOW)
    store.close()
    del store
    gc.collect()

    assert not [each for each in sqlite._stores if each._path == path]

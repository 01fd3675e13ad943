"""The SQLite store in its parts: what it waits for, what it takes for lost, what it sweeps."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from support.sqlite_stores import NOW, error_of
from support.stopped_clock import stopped

from edgeauth import ConfigurationError
from edgeauth.replay import ReplayStoreError, sqlite
from edgeauth.replay.base import bounded, digest_of
from edgeauth.replay.sqlite import SQLiteReplayStore


def rows(store):
    return store._connection.execute("SELECT * FROM seen ORDER BY key").fetchall()


@pytest.fixture
def clock(monkeypatch):
    return stopped(monkeypatch, sqlite)


# --- how it is made


def test_a_store_is_named_by_its_whole_path(tmp_path, make, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert repr(make("seen.db")) == f"SQLiteReplayStore('{tmp_path}/seen.db')"
    assert repr(make(Path("seen.db"))) == f"SQLiteReplayStore('{tmp_path}/seen.db')"
    assert make("seen.db")._folder == str(tmp_path)
    assert SQLiteReplayStore.waits is True


@pytest.mark.parametrize("path", [b"/seen\0", None, 7, "\0"])
def test_what_is_no_path_is_an_error_that_shows_it(path):
    with pytest.raises(ConfigurationError) as caught:
        SQLiteReplayStore(path)
    assert str(caught.value) == f"{path!r} is no path of a file"


def test_a_call_waits_half_a_second_where_nobody_says_how_long(store):
    assert (sqlite.TIMEOUT, store._timeout, store._breaker._rest) == (0.5, 0.5, 0.5)


def test_a_store_that_nobody_closed_closes_its_connection(path):
    store = SQLiteReplayStore(path)
    store.remember(b"one", NOW + 60, now=NOW)
    connection = store._connection
    store.__del__()
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")
    # One that was refused has none.
    object.__new__(SQLiteReplayStore).__del__()


@pytest.mark.parametrize(
    ("below", "told"),
    [
        ("absent/seen.db", "replay: the folder '{0}/absent' cannot be used: No such file or "),
        ("file/seen.db", "replay: '{0}/file/seen.db' is no file in a folder"),
        ("folder", "replay: '{0}/folder' is no file in a folder"),
    ],
)
def test_a_place_that_can_hold_no_file_is_an_error_at_the_start(tmp_path, make, below, told):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError) as caught:
        make(f"{tmp_path}/{below}").start()
    assert str(caught.value).startswith(told.format(tmp_path))


@pytest.mark.parametrize("refused", ["folder", "file", None])
def test_whether_it_may_be_written_to_is_asked_of_the_folder_and_of_a_file_that_is_there(
    path, store, monkeypatch, refused
):
    asked, folder = [], str(Path(path).parent)

    def may(what, mode):
        asked.append((what, mode))
        return what != {"folder": folder, "file": path}.get(refused)

    monkeypatch.setattr(sqlite.os, "access", may)
    if refused != "folder":
        store.start() if refused is None else None
        Path(path).touch()
    if refused is None:
        store.start()
        assert asked == [(folder, os.W_OK), (folder, os.W_OK), (path, os.W_OK)]
        return
    with pytest.raises(ConfigurationError) as caught:
        store.start()
    what = folder if refused == "folder" else path
    assert str(caught.value) == f"replay: this user may not write to {what!r}"


# --- what is kept


def test_a_key_is_kept_with_its_end_its_moment_and_the_question(store):
    store.remember(b"one", NOW + 60, now=NOW + 0.25, by=b"name")
    store.remember(b"k" * 100, NOW + 70, now=NOW)

    kept = {bytes(key): rest for key, *rest in rows(store)}
    assert kept == {
        b"one": [NOW + 60, NOW + 0.25, digest_of(b"name")],
        bounded(b"k" * 100): [NOW + 70, NOW, b""],
    }
    assert store.seen_at(b"k" * 100) == NOW
    assert store._longest == 70


@pytest.mark.parametrize("until", [math.inf, math.nan])
def test_what_is_no_time_is_an_error_and_is_not_kept(store, until):
    store.remember(b"one", NOW + 60, now=NOW)
    with pytest.raises((ValueError, OverflowError)):
        store.remember(b"two", until, now=NOW)
    assert [bytes(row[0]) for row in rows(store)] == [b"one"]
    assert store._longest == 60


def test_the_same_question_within_a_second_is_asked_again(store):
    outcomes = [
        store.remember(b"one", NOW + 60, now=NOW + later, by=by)
        for later, by in ((0, b"name"), (1, b"name"), (1.1, b"name"), (0, b"other"), (0, b""))
    ]
    assert outcomes == [True, True, False, False, False]


# --- whoever holds it


def test_a_pause_becomes_longer_and_no_longer_than_what_is_left(store, clock):
    assert store._may_wait(1000.0, 0.00025) == (0.0005, 0.5)
    assert store._may_wait(1000.0, 0.0015) == (0.002, 0.5)
    clock.now += 0.499
    pause, left = store._may_wait(1000.0, 0.0015)
    assert pause == left == pytest.approx(0.001)
    clock.now = 1000.5
    with pytest.raises(ReplayStoreError) as caught:
        store._may_wait(1000.0, 0.001)
    assert str(caught.value) == (
        f"the replay store {store._path} does not answer: "
        "another process has held it for 0.5 s; does one hang?"
    )


def test_somebody_waits_ever_longer_until_the_bound_is_over(store, clock, monkeypatch):
    patience = []
    monkeypatch.setattr(store, "_try", lambda _asked, _start, seconds: patience.append(seconds))
    with pytest.raises(ReplayStoreError, match="has held it"):
        store.remember(b"one", NOW + 60, now=NOW)

    assert clock.slept[:5] == [0.0005, 0.001, 0.002, 0.002, 0.002]
    assert sum(clock.slept) == pytest.approx(0.5)
    # Of a thread that holds it, it waits no longer than what is left.
    assert patience[:3] == pytest.approx([0.5, 0.5, 0.4995])
    assert patience[-1] == pytest.approx(0.002, abs=0.002)


def test_an_event_loop_waits_alike_and_for_no_thread(store, clock, monkeypatch):
    patience, slept = [], []

    async def sleep(seconds):
        slept.append(seconds)
        clock.now += seconds

    monkeypatch.setattr(sqlite.asyncio, "sleep", sleep)
    monkeypatch.setattr(store, "_try", lambda _asked, _start, seconds: patience.append(seconds))
    with pytest.raises(ReplayStoreError, match="has held it"):
        asyncio.run(store.aremember(b"one", NOW + 60, now=NOW))

    assert slept[:5] == [0.0005, 0.001, 0.002, 0.002, 0.002]
    assert sum(slept) == pytest.approx(0.5)
    assert set(patience) == {0}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("way", ["remember", "aremember"])
def test_what_is_asked_is_the_bounded_key_with_its_end_the_present_and_the_question(
    store, monkeypatch, way
):
    asked = []
    answers = iter([None, True])
    monkeypatch.setattr(
        store, "_try", lambda what, start, _patience: asked.append((what, start)) or next(answers)
    )
    answer = getattr(store, way)(b"k" * 99, NOW + 60, now=NOW, since=NOW, by=b"name")
    assert (asyncio.run(answer) if way == "aremember" else answer) is True
    assert asked == [((bounded(b"k" * 99), NOW + 60, NOW, b"name"), 1000.0)] * 2


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL]
)
def test_a_file_that_is_held_is_asked_for_ten_times_at_once(store, monkeypatch, code):
    asked = []

    def held(what, start):
        asked.append((what, start))
        # With the details that SQLite adds.
        raise error_of(code | 0x300)

    monkeypatch.setattr(store, "_ask", held)
    assert store._ask_at_once(("what",), 7) is None
    assert asked == [(("what",), 7)] * 10


def test_a_lock_that_a_thread_holds_is_waited_for_and_given_back(store):
    with store._lock:
        assert store._try((b"one", NOW + 60, NOW, b""), 0, 0) is None
    assert store._try((b"one", NOW + 60, NOW, b""), time.monotonic(), 0) is True
    assert store._lock.acquire(timeout=1)
    store._lock.release()


# --- what goes wrong


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (sqlite3.SQLITE_FULL, "there is no room left for it"),
        (sqlite3.SQLITE_READONLY, "it cannot be written to: give this user the right to"),
        (
            sqlite3.SQLITE_CANTOPEN,
            "it cannot be opened: may this user write to the file and its folder?",
        ),
        (sqlite3.SQLITE_IOERR, "reading or writing failed: is the disk full or broken?"),
        (sqlite3.SQLITE_CORRUPT, "it is spoilt"),
        (sqlite3.SQLITE_NOTADB, "it is spoilt"),
        (sqlite3.SQLITE_MISUSE, f"SQLite says {sqlite3.SQLITE_MISUSE}"),
        (sqlite3.SQLITE_IOERR | 0x100, "reading or writing failed: is the disk full or broken?"),
        (None, "SQLite says 0"),
    ],
)
def test_each_failure_says_what_is_wrong_and_gives_the_connection_up(store, monkeypatch, code, why):
    store.remember(b"one", NOW + 60, now=NOW)
    connection = store._connection
    told = f"the replay store {store._path} does not answer: {why}"

    def fail(*_):
        raise error_of(code)

    monkeypatch.setattr(store, "_ask", fail)
    with pytest.raises(ReplayStoreError) as caught:
        store.remember(b"two", NOW + 60, now=NOW)

    assert str(caught.value) == told
    assert (store._connection, store._files, store._settled) == (None, [], None)
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")
    spoilt = code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    assert (store._spoilt is not None) is spoilt
    # Three in a row keep all from asking.
    for _ in range(2):
        with pytest.raises(ReplayStoreError):
            store.remember(b"two", NOW + 60, now=NOW)
    with pytest.raises(ReplayStoreError) as caught:
        store.remember(b"two", NOW + 60, now=NOW)
    assert str(caught.value) == f"{told}; asked again within 0.5 s"


def test_an_answer_makes_failures_count_anew(store):
    for _ in range(2):
        store._failure("it fails")
    assert store.remember(b"one", NOW + 60, now=NOW) is True
    assert store._breaker._failed == 0


def test_an_error_of_the_system_is_told_and_gives_the_connection_up(store, monkeypatch):
    store.remember(b"one", NOW + 60, now=NOW)

    def fail():
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store, "_is_there", fail)
    with pytest.raises(ReplayStoreError, match="does not answer: Permission denied"):
        store.remember(b"two", NOW + 60, now=NOW)
    assert store._connection is None
    assert not store._lock.locked()


def test_whoever_explains_is_told_why_the_store_cannot_tell(path, store):
    Path(path).write_text("a note\n" * 100)
    with pytest.raises(ReplayStoreError, match="does not answer: it is spoilt"):
        store.seen_at(b"one")


# --- what is over


def test_every_hundred_and_twenty_eighth_key_sweeps(store, monkeypatch):
    swept = []
    monkeypatch.setattr(store, "_sweep", lambda connection, now: swept.append((connection, now)))
    for number in range(300):
        store.remember(b"%d" % number, NOW + 60, now=NOW + number)

    assert swept == [(store._connection, NOW + 127), (store._connection, NOW + 255)]
    assert store._added == 300


def keep(store, ends):
    """These keys, by when their time is over, counted from NOW."""
    store.remember(b"first", NOW + 60, now=NOW)
    store._connection.execute("DELETE FROM seen")
    store._connection.executemany(
        "INSERT INTO seen VALUES (?, ?, 0, x'')", [(key, NOW + end) for key, end in ends.items()]
    )


def left(store):
    return [bytes(row[0]) for row in rows(store)]


def test_a_sweep_takes_what_is_over_of_five_hundred_and_twelve_keys_and_goes_on_after_them(store):
    keep(store, {b"%04d" % number: number % 2 for number in range(1000)})

    store._sweep(store._connection, NOW + 0.5)
    assert store._swept == b"0511"
    assert left(store) == [b"%04d" % n for n in range(1000) if n > 511 or n % 2]
    store._sweep(store._connection, NOW + 0.5)
    assert store._swept == b""
    assert left(store) == [b"%04d" % n for n in range(1, 1000, 2)]
    (forgotten,) = store._connection.execute("SELECT forgotten FROM about").fetchone()
    assert forgotten == NOW


def test_a_sweep_reaches_the_longest_and_the_last_key(store):
    keep(store, {b"\0": 0, b"\xff" * 65: 0, b"a": 60})
    store._sweep(store._connection, NOW + 1)
    assert left(store) == [b"a"]
    # A key whose time is over at that moment is not over yet.
    store._sweep(store._connection, NOW + 60)
    assert left(store) == [b"a"]


def test_what_was_swept_away_is_not_admitted_again_when_the_clock_is_set_back(store):
    keep(store, {b"a": 0, b"b": 5})
    store._sweep(store._connection, NOW + 10)
    assert left(store) == []

    assert store.remember(b"a", NOW, now=NOW) is False
    assert store.remember(b"new", NOW + 5, now=NOW) is False
    assert store.remember(b"new", NOW + 5.1, now=NOW) is True


def test_a_sweep_that_fails_leaves_all_as_it_was(store):
    keep(store, {b"%04d" % number: 0 for number in range(600)})
    connection = store._connection
    connection.execute(
        "CREATE TRIGGER no BEFORE DELETE ON seen BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    store._sweep(connection, NOW + 10)

    assert (store._swept, len(left(store))) == (b"", 600)
    assert not connection.in_transaction
    assert connection.execute("SELECT forgotten FROM about").fetchone() == (-math.inf,)


def test_a_sweep_that_cannot_begin_is_put_off(store):
    keep(store, {b"a": 0})
    holder = sqlite3.connect(store._path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    store._sweep(store._connection, NOW + 10)
    holder.close()
    assert left(store) == [b"a"]


def test_a_connection_that_cannot_be_closed_is_given_up_all_the_same(store):
    class Broken:
        def close(self):
            raise error_of(None)

    store._connection = Broken()
    store.close()
    assert store._connection is None


# --- forks


@pytest.fixture
def in_time():
    """One that waits for ever ends the process, so that it is seen."""
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.mark.usefixtures("in_time")
def test_a_fork_finds_no_connection_and_leaves_no_lock(path, make):
    store = make(path)
    store.remember(b"one", NOW + 60, now=NOW)
    sqlite._before_a_fork()
    assert (store._connection, store._lock.locked(), sqlite._one_fork.locked()) == (
        None,
        True,
        True,
    )
    assert store in sqlite._forking
    sqlite._after_a_fork()
    assert (store._lock.locked(), sqlite._one_fork.locked(), sqlite._forking) == (False, False, [])
    assert store.remember(b"one", NOW + 60, now=NOW) is False


@pytest.mark.usefixtures("in_time")
def test_python_is_told_what_to_do_at_a_fork(path, make):
    store = make(path)
    store.remember(b"one", NOW + 60, now=NOW)
    child = os.fork()
    if not child:  # pragma: no cover - another process
        os._exit(store._connection is not None or store._lock.locked())
    assert os.waitpid(child, 0)[1] == 0
    assert (store._connection, store._lock.locked()) == (None, False)


def test_the_store_alone_is_public():
    assert sqlite.__all__ == ["SQLiteReplayStore"]


def test_a_system_without_locks_of_files_is_told_for_what_it_needs_them(monkeypatch):
    def refuse(*what):
        raise ConfigurationError(what)

    monkeypatch.setattr(sqlite, "demand", refuse)
    with pytest.raises(ConfigurationError) as caught:
        SQLiteReplayStore("/seen.db")
    assert caught.value.args == (("the replay store in a SQLite file", "fcntl"),)

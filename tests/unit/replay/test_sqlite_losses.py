"""What a SQLite store takes for lost, and what it makes of its file then."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from pathlib import Path

import pytest
from support.sqlite_stores import NOW, error_of
from support.stopped_clock import stopped

from edgeauth.replay import ReplayStoreError, sqlite, sqlite_file


@pytest.fixture
def clock(monkeypatch):
    return stopped(monkeypatch, sqlite)


@pytest.fixture
def settled(store):
    """A store that takes its folder for one that stands still."""
    store.remember(b"one", NOW + 60, now=NOW, since=NOW)
    long_ago = time.time_ns() - 6 * 10**9
    os.utime(store._folder, ns=(long_ago, long_ago))
    assert store._is_there() is True
    return store


def test_a_folder_that_stood_still_for_five_seconds_is_looked_at_alone(settled, monkeypatch):
    found = Path(settled._folder).stat()
    assert settled._settled == (found.st_mtime_ns, found.st_ino, found.st_dev)
    monkeypatch.setattr(settled, "_named", lambda: pytest.fail("looked at each file"))
    assert settled._is_there() is True


def test_a_folder_that_changed_less_than_five_seconds_ago_is_looked_at_again(settled):
    lately = time.time_ns() - 3 * 10**9
    os.utime(settled._folder, ns=(lately, lately))
    assert settled._is_there() is True
    assert settled._settled is None


@pytest.mark.parametrize("beside", ["", "-wal", "-shm"])
def test_a_file_that_is_gone_is_not_there_however_still_its_folder_stands(settled, beside):
    Path(settled._path + beside).unlink()
    long_ago = time.time_ns() - 7 * 10**9
    os.utime(settled._folder, ns=(long_ago, long_ago))
    for _ in range(2):
        assert settled._is_there() is False
        assert settled._settled is None


def test_an_insertion_into_files_that_are_gone_does_not_count(store):
    store.remember(b"one", NOW + 60, now=NOW, since=NOW)
    ours = sqlite_file.where(store._path)
    Path(store._path + "-wal").unlink()
    with pytest.raises(ReplayStoreError, match="it was removed or replaced; a new one is made"):
        store.remember(b"two", NOW + 60, now=NOW, since=NOW)
    assert (store._connection, store._spoilt) == (None, ours)
    assert store._added == 1


def test_an_error_of_a_file_that_is_gone_gives_the_rest_of_it_up(store):
    store.remember(b"one", NOW + 60, now=NOW, since=NOW)
    ours = sqlite_file.where(store._path)
    for beside, spoilt in (("-shm", ours), (None, ours)):
        if beside:
            Path(store._path + beside).unlink()
        store._refused(error_of(sqlite3.SQLITE_FULL))
        assert store._spoilt == spoilt


def admits(store, *, since=None, until=60.0, now=0.0):
    """What a store says of a new key, by times from NOW on."""
    admits.number += 1
    since = None if since is None else NOW + since
    try:
        return store.remember(b"%d" % admits.number, NOW + until, now=NOW + now, since=since)
    except ReplayStoreError as error:
        return "lost" if "lost what it remembered" in str(error) else str(error)


admits.number = 0


def test_a_first_file_has_lost_nothing(store):
    assert admits(store, since=-1000) is True
    assert store._began == 0.0
    assert store._known == store._ours == sqlite_file.where(store._path)


def test_after_a_loss_what_is_older_than_a_second_from_now_is_refused(store, clock):
    admits(store)
    store.close()
    Path(store._path).unlink()
    clock.now = 2000.0

    assert admits(store, since=0.9, now=0) == "lost"
    assert store._began == NOW + 1
    assert admits(store, since=1, now=0) is True
    assert (admits(store, until=60.9, now=0.9), admits(store, until=61, now=1)) == ("lost", True)


def test_what_it_took_to_open_the_file_counts_as_lost_too(store, clock, monkeypatch):
    admits(store)
    store.close()
    Path(store._path).unlink()
    make = sqlite_file.make

    def locked(path):
        clock.now += 3
        return found(path)

    found = sqlite_file.locked_folder
    monkeypatch.setattr(sqlite_file, "locked_folder", locked)
    began = []
    monkeypatch.setattr(
        sqlite_file, "make", lambda path, *, since: began.append(since) or make(path, since=since)
    )
    assert admits(store, since=0) == "lost"
    assert (store._began, began) == (NOW + 4, [NOW + 4])


def test_a_file_that_another_process_made_anew_says_since_when(path, make):
    one = make(path)
    admits(one)
    one.close()
    sqlite_file.put_aside(path)
    sqlite_file.make(path, since=NOW + 50)
    newcomer = make(path)

    # Who was there before it knows of the loss as well.
    assert [admits(one, since=since) for since in (49, 50)] == ["lost", True]
    assert [admits(newcomer, since=since) for since in (49, 50)] == ["lost", True]
    assert one._began == newcomer._began == NOW + 50


def test_a_file_that_was_replaced_by_one_that_lost_nothing_is_a_loss_all_the_same(path, make):
    one = make(path)
    admits(one)
    one.close()
    sqlite_file.put_aside(path)
    sqlite_file.make(path, since=0.0)

    assert admits(one, since=0) == "lost"
    assert admits(one, since=10) is True
    # Nor when it is opened again, which says nothing of it.
    one.close()
    assert admits(one, since=0) == "lost"
    # It was not there when this one was made.
    assert admits(make(path), since=-1000) is True


def test_what_was_lost_once_is_not_forgotten_when_the_file_is_opened_again(store):
    admits(store)
    store.close()
    Path(store._path).unlink()
    admits(store)
    began = store._began
    store.close()

    assert admits(store, since=0) == "lost"
    assert store._began == began


def test_a_file_of_an_earlier_boot_is_put_aside_and_closed(store, monkeypatch, path):
    admits(store)
    store.close()
    closed, made = [], []

    class Noted(sqlite3.Connection):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            made.append(self)

        def close(self):
            closed.append(self)
            super().close()

    monkeypatch.setattr(sqlite_file, "boot", lambda: "another")
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: real(*a, **k, factory=Noted))
    assert admits(store, since=0) == "lost"
    assert Path(f"{path}.old").exists()
    assert made[0] in closed
    assert sqlite_file.began(store._connection) == store._began


def test_a_file_of_somebody_else_is_left_and_an_empty_one_is_replaced(path, store):
    Path(path).write_text("a note\n" * 100)
    assert admits(store) == (
        f"the replay store {path} does not answer: "
        "it is no file of a replay store: name another, or remove it"
    )
    assert store._spoilt is None
    Path(path).write_bytes(b"")
    assert (
        admits(store) == f"the replay store {path} does not answer: it is spoilt; a new one is made"
    )
    assert store._spoilt == sqlite_file.where(path)
    assert admits(store, since=0) == "lost"
    assert Path(f"{path}.old").read_bytes() == b""


def test_what_was_ours_and_is_spoilt_from_its_first_byte_on_is_replaced(path, store):
    admits(store)
    store.close()
    with Path(path).open("r+b") as file:
        file.write(b"no database at all" * 100)
    assert admits(store).endswith("it is spoilt; a new one is made")
    assert admits(store, since=0) == "lost"


def test_nobody_opens_a_file_while_another_process_does(store):
    with sqlite_file.locked_folder(store._path):
        assert store._open(NOW, time.monotonic()) is None
    assert store._connection is None


def test_a_connection_of_another_process_is_given_up(store):
    admits(store)
    before = store._connection
    store._process = -1
    assert admits(store) is True
    assert store._connection is not before
    assert store._process == os.getpid()
    with pytest.raises(sqlite3.ProgrammingError):
        before.execute("SELECT 1")


def test_a_newcomer_replaces_a_file_of_ours_whose_rest_is_spoilt(path, make):
    one = make(path)
    for number in range(300):
        one.remember(b"%d" % number, NOW + 60, now=NOW)
    one.close()
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    newcomer = make(path)

    assert admits(newcomer, since=0).endswith("it is spoilt")
    assert newcomer._spoilt == sqlite_file.where(path)
    assert admits(newcomer, since=0) == "lost"
    assert Path(f"{path}.old").exists()


def test_after_a_loss_a_short_credential_is_as_old_as_that_at_most(store, clock):
    Path(store._path).touch()
    Path(store._path).unlink()
    store._known = (1, 2)
    assert admits(store, until=0.5) == "lost"
    clock.now += 1
    assert (admits(store, until=1.5, now=1), admits(store, until=1.4, now=1)) == (True, "lost")


def test_in_a_loop_all_is_as_in_a_thread(store, monkeypatch):
    def ask(key, *, since=None, now=0.0):
        return asyncio.run(store.aremember(key, NOW + 60, now=NOW + now, since=since))

    assert [ask(b"one"), ask(b"one")] == [True, False]
    store._began = NOW + 10
    with pytest.raises(ReplayStoreError, match="lost what it remembered"):
        ask(b"two", since=NOW + 9)
    assert ask(b"three", since=NOW + 10) is True
    store._began = NOW
    assert ask(b"four") is True
    monkeypatch.setattr(store, "_ask", lambda *_: (_ for _ in ()).throw(error_of(10)))
    for _ in range(3):
        with pytest.raises(ReplayStoreError, match="reading or writing failed"):
            ask(b"five")
    with pytest.raises(ReplayStoreError, match="asked again within"):
        ask(b"five")

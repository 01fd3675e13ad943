"""Large files are read by a thread, before a request needs what they hold."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from typing import TypeVar

import pytest
from support.files import replace
from support.large_lists import large_list
from support.processes import wait_until
from support.vectors import OLDER_SECRET, SECRET
from support.watching import (
    LONGEST,
    SETTLE,
    decides_by,
    logged,
    looks_next_at,
    reason,
    stop_the_clock,
)

from edgeauth import AddressList, Guard, KeyRing
from edgeauth._reload import ahead as of_readings
from edgeauth._reload import watched_file
from edgeauth._reload.ahead import Ahead

# Seconds: longer than a test that works takes, and not so long that one waits for ever.
LATER, BEFORE_THAT = 30, 15
OURS, THEIRS = large_list("192.0.2.0/24", size=2000), large_list(size=2000)


@pytest.fixture
def clock(monkeypatch):
    return stop_the_clock(monkeypatch)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "list.json"
    path.write_text(OURS)
    return path


def guard(file, **settings):
    return Guard.from_settings(
        {"secret": SECRET, "addresses": file, "max_age": 1e9, "max_future": 1e9, **settings}
    )


@pytest.fixture
def watched(file, clock):
    """A guard that looks once in LONGEST seconds and knows that its file stands still."""
    live_guard = guard(file, watch_interval=LONGEST)
    for _ in range(3):
        clock.passes(LONGEST)
        assert reason(live_guard, SECRET, now=clock.now) == "ok"
    return live_guard


class Gate:
    """Readings of lists stop here until they are let through."""

    def __init__(self, monkeypatch):
        self.readers = []
        self.entered = threading.Event()
        self.open = threading.Event()
        self._read = AddressList.from_file
        monkeypatch.setattr(AddressList, "from_file", self._stop)

    def _stop(self, path, **options):
        self.readers.append(threading.current_thread().name)
        self.entered.set()
        assert self.open.wait(30)
        return self._read(path, **options)


@pytest.fixture
def gate(monkeypatch):
    stop = Gate(monkeypatch)
    yield stop
    stop.open.set()


def test_a_request_does_not_wait_for_a_reading_that_is_not_due(watched, file, clock, gate):
    replace(file, THEIRS)
    clock.passes(LONGEST)
    # Seen, and begun to be read; nobody is kept.
    assert reason(watched, SECRET, now=clock.now) == "ok"
    assert gate.entered.wait(30)
    clock.passes(SETTLE - 0.1)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    gate.open.set()
    wait_until(lambda: watched._source._addresses._begun.ahead.done)
    clock.passes(0.1)
    assert reason(watched, SECRET, now=clock.now) == "address"
    assert gate.readers == ["edgeauth-reading"]


def test_a_change_is_in_force_when_it_is_due_though_the_reading_takes_longer(
    watched, file, clock, gate
):
    replace(file, THEIRS)
    clock.passes(LONGEST)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    assert gate.entered.wait(30)
    clock.passes(SETTLE)
    outcome = []
    requests = [
        threading.Thread(target=lambda: outcome.append(reason(watched, SECRET, now=clock.now)))
        for _ in range(4)
    ]
    for request in requests:
        request.start()
    requests[0].join(0.2)
    assert outcome == []
    gate.open.set()
    for request in requests:
        request.join()
    assert outcome == ["address"] * 4
    # One reading serves all that wait, but for one that came between its end and its use.
    assert gate.readers[0] == "edgeauth-reading"
    assert len(gate.readers) <= 2


def test_a_process_that_was_idle_decides_by_what_a_large_file_holds_now(watched, file, clock):
    clock.passes(10 * LONGEST)
    replace(file, THEIRS)
    assert reason(watched, SECRET, now=clock.now) == "address"
    # It had not stood still: it is read once more, ahead of time too.
    second = watched._source._addresses._begun.ahead
    wait_until(lambda: second.done)
    clock.passes(SETTLE)
    assert reason(watched, SECRET, now=clock.now) == "address"
    assert watched._source._addresses._begun is None
    assert watched._source._seen.addresses is not None


def test_what_changes_again_before_it_was_read_is_not_read_as_it_was(watched, file, clock, gate):
    replace(file, large_list(size=1000))
    clock.passes(LONGEST)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    first = watched._source._addresses._begun.ahead
    replace(file, THEIRS)
    clock.passes(SETTLE / 2)
    looks_next_at(watched, clock.now)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    assert watched._source._addresses._begun.ahead is not first
    gate.open.set()
    clock.passes(SETTLE / 2)
    looks_next_at(watched, clock.now)
    assert reason(watched, SECRET, now=clock.now) == "address"
    assert len(watched.addresses) == 2000


def test_a_reading_that_nobody_needs_any_more_is_not_made():
    read = []
    ahead = Ahead(lambda: read.append(1), LATER)
    ahead.drop()
    ahead._thread.join(BEFORE_THAT)
    assert (read, ahead.done, ahead.lost, ahead.result()) == ([], False, True, None)


def test_what_another_process_began_is_touched_no_more(monkeypatch):
    ahead = Ahead(lambda: 7, LATER)
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: 1)
        assert ahead.lost
        assert ahead.result() is None
        ahead.drop()
        assert not ahead._hurry.is_set()
    ahead.drop()
    ahead._thread.join(BEFORE_THAT)


def test_a_result_is_waited_for_no_longer_than_it_takes():
    threads = []
    ahead = Ahead(lambda: threads.append(threading.current_thread()) or 7, LATER)
    began = time.monotonic()
    assert not ahead.done
    assert not ahead.lost
    assert ahead.result() == 7
    assert (ahead.done, ahead.lost) == (True, False)
    assert time.monotonic() - began < BEFORE_THAT
    # Such a thread keeps no process from ending.
    assert [(thread.name, thread.daemon) for thread in threads] == [("edgeauth-reading", True)]


def test_a_result_that_cannot_be_waited_for_is_none(monkeypatch):
    ahead = Ahead(lambda: 7, LATER)
    thread = ahead._thread

    def fail():
        raise RuntimeError

    monkeypatch.setattr(thread, "join", fail)
    monkeypatch.setattr(ahead, "_hurry", threading.Event())
    assert ahead.result() is None
    monkeypatch.undo()
    assert ahead.result() == 7


def test_where_no_thread_can_be_started_the_request_reads(watched, file, clock, monkeypatch):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    replace(file, THEIRS)
    clock.passes(LONGEST)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    clock.passes(SETTLE)
    assert reason(watched, SECRET, now=clock.now) == "address"


def test_a_large_file_that_stays_wrong_is_read_again_and_nobody_waits(
    watched, file, clock, caplog, gate
):
    gate.open.set()
    replace(file, "x" * 100_000)
    for passes in (LONGEST, SETTLE):
        clock.passes(passes)
        assert reason(watched, SECRET, now=clock.now) == "ok"
    assert len(logged(caplog, "CANNOT BE USED")) == 1
    assert watched._source._addresses._begun is None
    gate.open.clear()
    gate.entered.clear()
    clock.passes(LONGEST)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    assert gate.entered.wait(30)
    assert len(logged(caplog, "CANNOT BE USED")) == 1
    gate.open.set()
    wait_until(lambda: watched._source._addresses._begun.ahead.done)
    clock.passes(watched_file._SOON_SECONDS)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    assert len(logged(caplog, "CANNOT BE USED")) == 2


def test_large_files_of_keys_are_held_against_the_keys_that_are_in_force_by_then(
    tmp_path, clock, caplog
):
    secrets = tmp_path / "secrets"
    comment = "#" * 100_000 + "\n"
    secrets.write_text(f"{comment}now:{SECRET}\n")
    live_guard = Guard.from_settings(
        {"secrets_file": secrets, "watch_interval": LONGEST, "max_age": 1e10, "max_future": 1e10}
    )
    for spoilt in (f"now:{SECRET[:20]}\n", f"now:{SECRET}\n"):
        replace(secrets, comment + spoilt)
        for passes in (LONGEST, SETTLE, LONGEST):
            clock.passes(passes)
            assert reason(live_guard, SECRET, now=clock.now) == "ok"
    assert logged(caplog, "the secret of key now is cut off")
    replace(secrets, f"{comment}old:{OLDER_SECRET}\n")
    clock.passes(LONGEST)
    assert reason(live_guard, SECRET, now=clock.now) == "ok"
    begun = live_guard._source._keys[0]._begun.ahead
    # What the reading is held against is another by then, so it is made anew.
    decides_by(live_guard, dataclasses.replace(live_guard._policy, keys=(KeyRing([SECRET]),)))
    clock.passes(SETTLE)
    assert reason(live_guard, OLDER_SECRET, now=clock.now) == "ok"
    assert begun._dropped


@pytest.mark.parametrize("module", [of_readings, watched_file])
def test_errors_of_types_name_a_type_variable_as_it_stands_in_the_code(module):
    names = {name: one for name, one in vars(module).items() if isinstance(one, TypeVar)}
    assert names
    assert {name: one.__name__ for name, one in names.items()} == {name: name for name in names}

"""One watched setting by itself: when it is read, by whom, and what is said of it."""

from __future__ import annotations

import os

import pytest
from support.stopped_clock import stopped

from edgeauth import ConfigurationError
from edgeauth._reload import watched_file
from edgeauth._reload.watched_file import (
    Fingerprint,
    Reading,
    WatchedFiles,
    can_be_watched,
    fingerprint_of,
)

INTERVAL = 10.0
LARGE = 16_385


@pytest.fixture
def clock(monkeypatch):
    return stopped(monkeypatch, watched_file)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")
    return path


class Watch:
    """A watched file of text, and what became of it."""

    def __init__(self, file, **more):
        self.file, self.reads = file, []
        options = {
            "interval": INTERVAL,
            "paths": lambda: [file],
            "read": self.read,
            "depends": lambda basis: (basis,),
            "describe": lambda value: f"<{value[:10]}>",
            "content": lambda value: value,
        }
        self.files = WatchedFiles("setting 'file'", **{**options, **more})
        self.current, self.seen, self.last = file.read_text(), None, None

    def read(self, basis):
        self.reads.append(basis)
        text = self.file.read_text()
        if text.startswith("bad"):
            raise ConfigurationError(text)
        return text

    def look(self, basis="basis"):
        """The value in force after a look."""
        self.last = self.files.look(basis, self.current, self.seen)
        if self.last is not None:
            self.current, self.seen = self.last
        return self.current


@pytest.fixture
def watch(file, clock):
    """One whose file is known to stand still."""
    watch = Watch(file)
    for seconds in (0, 1):
        clock.now += seconds
        watch.look()
    assert watch.seen == fingerprint_of(lambda: [file])
    watch.reads.clear()
    return watch


class Ahead:
    """Stands for a thread that reads: it is done when a test says so."""

    begun = ()

    def __init__(self, read, delay):
        self.read, self.delay, self.done, self.lost, self.dropped = read, delay, False, False, False
        self.given = ()
        self.begun.append(self)

    def result(self):
        return self.given if self.given is None else self.read()

    def drop(self):
        self.dropped = True


@pytest.fixture
def begun(monkeypatch):
    """The readings that are begun from here on."""
    monkeypatch.setattr(Ahead, "begun", [])
    monkeypatch.setattr(watched_file, "Ahead", Ahead)
    return Ahead.begun


def test_a_change_is_read_when_it_has_stood_still_for_a_second(watch, clock, caplog):
    caplog.set_level("INFO", "edgeauth")
    watch.file.write_text("after it")
    assert (watch.look(), watch.files.wait) == ("before", 1)
    clock.now += 0.9
    assert (watch.look(), watch.reads) == ("before", [])
    clock.now += 0.1
    assert (watch.look("all that is in force"), watch.files.wait) == ("after it", INTERVAL)
    assert watch.reads == ["all that is in force"]
    assert caplog.messages == ["setting 'file' was read; in force: <after it>"]
    assert watch.files.told_as == "in force"


def test_what_is_the_same_is_no_news_and_the_value_stays_the_very_same(watch, clock, caplog):
    caplog.set_level("INFO", "edgeauth")
    before = watch.current
    watch.file.write_text("before")
    for seconds in (0, 1, 10):
        clock.now += seconds
        watch.look()
    assert watch.current is before
    assert (len(watch.reads), caplog.messages) == (1, [])


def test_what_is_refused_is_read_again_after_a_minute_and_not_before(watch, clock, caplog):
    watch.file.write_text("bad" + "x" * 600)
    for seconds in (0, 1, 59.9):
        clock.now += seconds
        assert watch.look() == "before"
    assert len(watch.reads) == 1
    clock.now += 0.1
    watch.look()
    assert len(watch.reads) == 2
    told = f"setting 'file' CANNOT BE USED, <before> stay in force: bad{'x' * 497}"
    assert caplog.messages == [told] * 2


def test_what_is_as_it_was_after_a_refusal_is_said_once(watch, clock, caplog):
    away = watch.file.rename(watch.file.with_name("away"))
    watch.file.write_text("bad")
    for seconds in (0, 1):
        clock.now += seconds
        watch.look()
    caplog.clear()
    watch.file.unlink()
    # A link keeps all that a file is told by.
    watch.file.symlink_to(away)
    watch.seen = fingerprint_of(lambda: [watch.file])
    for _ in range(3):
        clock.now += INTERVAL
        assert watch.look() == "before"
    assert caplog.messages == ["setting 'file' is as it was; in force: <before>"]


def test_what_cannot_be_used_is_replaced_where_there_is_something_else(file, clock, caplog):
    watch = Watch(file, otherwise="nothing")
    file.write_text("bad")
    for seconds in (0, 1):
        clock.now += seconds
        watch.look()
    assert watch.last == Reading("nothing", None)
    assert caplog.messages == ["setting 'file' CANNOT BE USED, <nothing>: bad"]


def test_a_file_that_changes_while_it_is_read_is_read_five_times_at_once(watch, clock):
    def change(basis):
        watch.reads.append(basis)
        watch.file.write_text("x" * len(watch.reads))
        return "half"

    watch.files._read = change
    watch.file.write_text("after it")
    watch.look()
    clock.now += 11
    assert watch.look() == "before"
    assert (len(watch.reads), watch.last, watch.files.wait) == (5, None, 1)


def test_a_value_that_ends_is_read_anew_at_that_moment(file, clock):
    end = clock.time() + 5
    watch = Watch(file, ends=lambda _value: end)
    watch.seen = fingerprint_of(lambda: [file])
    clock.now += 4.9
    watch.look()
    assert watch.files._pending is None
    clock.now += 0.1
    watch.look()
    clock.now += 1
    watch.look()
    assert len(watch.reads) == 1


def test_a_log_that_fails_does_not_stop_the_look(watch, clock, monkeypatch):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(watched_file.logger, "log", fail)
    watch.file.write_text("after it")
    watch.look()
    clock.now += 1
    assert watch.look() == "after it"


@pytest.mark.parametrize(("size", "readings"), [(LARGE - 1, 0), (LARGE, 1)])
def test_a_large_file_alone_is_read_ahead_when_half_of_the_time_is_over(
    watch, clock, begun, size, readings
):
    watch.file.write_text("x" * size)
    for seconds in (0, 0.4):
        clock.now += seconds
        assert watch.look() == "before"
    assert [ahead.delay for ahead in begun] == [0.5] * readings
    assert watch.reads == []
    clock.now += 0.6
    assert watch.look() == "x" * size
    assert (len(watch.reads), watch.files._begun) == (1, None)
    # What stands still is not read, nor begun to be.
    for _ in range(3):
        clock.now += INTERVAL
        watch.look()
    assert (len(watch.reads), len(begun)) == (1, readings)


def test_what_is_begun_is_dropped_for_what_comes_after_it_and_may_be_small(watch, clock, begun):
    watch.file.write_text("x" * LARGE)
    watch.look()
    clock.now += 0.1
    watch.look()
    watch.file.write_text("small")
    for seconds in (0.1, 0.1, 1):
        clock.now += seconds
        watch.look()
    assert [ahead.dropped for ahead in begun] == [True]
    assert (watch.current, len(watch.reads)) == ("small", 1)


def test_what_nobody_has_read_is_read_by_the_request(watch, clock, begun):
    watch.file.write_text("x" * LARGE)
    watch.look()
    begun[0].given = None
    clock.now += 1
    assert watch.look() == "x" * LARGE
    assert watch.reads == ["basis"]


def test_for_what_was_refused_nobody_waits_and_it_is_looked_at_again_soon(watch, clock, begun):
    watch.file.write_text("bad" + "x" * LARGE)
    for seconds in (0, 1, 60):
        clock.now += seconds
        watch.look()
    assert (len(watch.reads), watch.files.wait) == (1, 0.05)
    begun[-1].done = True
    watch.look()
    assert (len(watch.reads), watch.files.wait) == (2, INTERVAL)


def test_a_reading_that_depends_on_something_else_is_begun_anew(watch, clock, begun):
    watch.file.write_text("x" * LARGE)
    first, second = object(), object()
    for basis in (first, first, second):
        clock.now += 0.1
        watch.look(basis)
    assert [ahead.dropped for ahead in begun] == [True, False]
    begun[1].lost = True
    watch.look(second)
    assert [ahead.dropped for ahead in begun] == [True, True, False]


def test_files_are_told_apart_by_all_that_is_known_without_reading_them(file, tmp_path):
    found = file.stat()
    one = (
        str(file),
        found.st_dev,
        found.st_ino,
        found.st_mode,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )
    assert fingerprint_of(lambda: [file]) == Fingerprint((one,), regular=True, size=6)
    assert fingerprint_of(lambda: [file, file]) == Fingerprint((one, one), regular=True, size=12)
    assert fingerprint_of(list) == Fingerprint((), regular=True, size=0)
    absent = tmp_path / "absent"
    why = f"[Errno 2] No such file or directory: '{absent}'"
    assert fingerprint_of(lambda: [file, absent]) == Fingerprint(((why,),), regular=True, size=0)
    os.mkfifo(tmp_path / "pipe")
    assert not fingerprint_of(lambda: [file, tmp_path / "pipe"]).regular


def test_what_can_be_read_but_once_is_not_watched_and_what_is_not_there_is_told_by_reading(
    file, tmp_path
):
    os.mkfifo(tmp_path / "pipe")
    assert can_be_watched(str(file)) is True
    assert can_be_watched(str(tmp_path / "pipe")) is False
    assert can_be_watched(str(tmp_path / "absent")) is True
    assert can_be_watched("\0") is True

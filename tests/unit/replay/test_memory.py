"""The bound, the forgetting and the speed of the memory store."""

from __future__ import annotations

import os
import signal
import threading
from itertools import pairwise

import pytest

from edgeauth.replay import MemoryReplayStore, ReplayStoreError, memory
from edgeauth.replay.base import bounded

NOW = 1_700_000_000.0


def test_a_full_store_refuses_what_is_new_and_forgets_nothing():
    store = MemoryReplayStore(max_entries=3)
    for number in range(3):
        assert store.remember(b"%d" % number, NOW + 60, now=NOW)

    with pytest.raises(ReplayStoreError, match=r"^the memory store is full: 3 credentials"):
        store.remember(b"more", NOW + 60, now=NOW)
    for number in range(3):
        assert store.remember(b"%d" % number, NOW + 60, now=NOW) is False


def test_a_full_store_admits_again_when_something_is_over():
    store = MemoryReplayStore(max_entries=2)
    store.remember(b"short", NOW + 10, now=NOW)
    store.remember(b"long", NOW + 60, now=NOW)

    assert store.remember(b"more", NOW + 90, now=NOW + 30) is True
    assert store.remember(b"long", NOW + 60, now=NOW + 30) is False


def test_what_was_forgotten_is_refused_when_the_clock_is_set_back():
    store = MemoryReplayStore()
    store.remember(b"one", NOW + 10, now=NOW)
    store.remember(b"other", NOW + 100, now=NOW + 90)

    assert store._seen == {b"other"}
    assert store.remember(b"one", NOW + 10, now=NOW) is False


def test_what_is_over_goes_a_few_at_a_time_and_all_of_it_goes():
    store = MemoryReplayStore()
    for number in range(1_000):
        store.remember(b"%d" % number, NOW + 60, now=NOW)
    sizes = []
    for number in range(1_000):
        store.remember(b"new %d" % number, NOW + 600, now=NOW + 100)
        sizes.append(len(store._seen))

    assert all(before - after <= 3 for before, after in pairwise(sizes))
    assert len(store._seen) == 1_000
    assert not store._due
    assert len(store._ends) == len(store._order) == 1


def test_what_ends_in_any_order_is_forgotten_in_time():
    store = MemoryReplayStore()
    for number in range(100):
        store.remember(b"%d" % number, NOW + (number * 37) % 100, now=NOW)
    for number in range(100):
        store.remember(b"new %d" % number, NOW + 600, now=NOW + 50)

    assert len(store._seen) == 100 + 50


def test_a_forked_process_takes_a_lock_of_its_own():
    store = MemoryReplayStore()
    before = store._lock
    memory._in_a_forked_process()

    assert store._lock is not before


def test_a_process_forked_while_a_thread_asks_can_ask():
    store = MemoryReplayStore()
    held, done = threading.Event(), threading.Event()

    def hold():
        with store._lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if not child:  # pragma: no cover - another process
        signal.alarm(20)  # one that waits for ever ends, and its status is seen
        os._exit(0 if store.remember(b"one", NOW + 60, now=NOW) else 1)
    done.set()
    thread.join()

    assert os.waitpid(child, 0)[1] == 0


def test_who_was_admitted_is_known_for_a_moment_alone():
    store = MemoryReplayStore()
    for number in range(100):
        store.remember(b"%d" % number, NOW + 1000, now=NOW + number, by=b"question")

    assert len(store._marks) + len(store._older_marks) <= 4


def test_half_a_million_are_remembered_where_nobody_says_how_many():
    assert memory.MAX_ENTRIES == 500_000
    assert MemoryReplayStore()._max == 500_000


def test_a_key_that_looks_like_what_stands_for_a_longer_one_is_not_it():
    store = MemoryReplayStore()
    long = b"k" * 100

    assert store.remember(long, NOW + 60, now=NOW) is True
    assert store.remember(bounded(long), NOW + 60, now=NOW) is True
    assert store.remember(long, NOW + 60, now=NOW) is False
    # None is kept longer than that.
    assert {len(key) for key in store._seen} == {65}


def test_of_those_that_were_admitted_within_a_second_each_is_known():
    store = MemoryReplayStore()
    for number in range(4):
        store.remember(b"%d" % number, NOW + 60, now=NOW + number / 4, by=b"question")

    assert [
        store.remember(b"%d" % number, NOW + 60, now=NOW + 0.9, by=b"question")
        for number in range(5)
    ] == [True] * 5
    assert store.remember(b"0", NOW + 60, now=NOW + 0.9, by=b"another") is False


def test_it_waits_for_nobody():
    assert MemoryReplayStore.waits is False


@pytest.mark.parametrize("until", [NOW + 10, NOW + 10.9])
def test_a_key_is_kept_until_the_second_of_its_end_is_over(until):
    store = MemoryReplayStore()
    store.remember(b"one", until, now=NOW)

    store.remember(b"two", NOW + 100, now=NOW + 10.9)
    assert store._seen == {b"one", b"two"}
    store.remember(b"three", NOW + 100, now=NOW + 11)
    assert store._seen == {b"two", b"three"}


def test_what_may_have_been_forgotten_is_refused_and_what_ends_later_is_not():
    store = MemoryReplayStore()
    store.remember(b"one", NOW + 10, now=NOW)
    store.remember(b"two", NOW + 100, now=NOW + 11)

    assert store.remember(b"other", NOW + 10.9, now=NOW) is False
    assert store.remember(b"other", NOW + 11, now=NOW) is True


def test_an_earlier_end_that_comes_later_forgets_nothing_of_what_was_refused():
    store = MemoryReplayStore()
    store.remember(b"one", NOW + 1000, now=NOW)
    store.remember(b"two", NOW + 2000, now=NOW + 1001)
    # The clock is set back, and what ends then is over before it is set again.
    assert store.remember(b"three", NOW + 1001, now=NOW) is True
    store.remember(b"four", NOW + 3000, now=NOW + 1002)

    assert store.remember(b"five", NOW + 1001.5, now=NOW) is False


def test_of_one_second_all_keys_go_before_those_of_the_next():
    store = MemoryReplayStore()
    for number in range(6):
        store.remember(b"early %d" % number, NOW + 10, now=NOW)
    store.remember(b"late", NOW + 20, now=NOW)

    sizes = []
    for number in range(3):
        store.remember(b"new %d" % number, NOW + 100, now=NOW + 30)
        sizes.append(len(store._seen))

    # Four of the seven go, then the three that are left, then none.
    assert sizes == [7 - 4 + 1, 4 - 3 + 1, 3]

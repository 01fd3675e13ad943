"""What each replay store keeps, whichever it is."""

from __future__ import annotations

import asyncio
import math
import secrets
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeauth.replay import MemoryReplayStore
from edgeauth.replay.redis import RedisReplayStore
from edgeauth.replay.sqlite import SQLiteReplayStore

NOW = 1_700_000_000.0


@pytest.fixture(params=["memory", "sqlite", "redis", "unix"])
def store(request, tmp_path):
    if request.param == "memory":
        store = MemoryReplayStore()
    elif request.param == "sqlite":
        store = SQLiteReplayStore(tmp_path / "seen.db")
    else:
        server = request.getfixturevalue("redis")
        url = server.url if request.param == "redis" else server.unix_url
        store = RedisReplayStore(url, prefix=secrets.token_hex())
    yield store
    store.close()


@pytest.fixture(params=["remember", "aremember"])
def remember(request, store):
    """Either way of asking, as a function."""
    if request.param == "remember":
        yield store.remember
        return
    with asyncio.Runner() as runner:
        yield lambda *args, **kwargs: runner.run(store.aremember(*args, **kwargs))


def test_a_key_is_admitted_once(remember):
    assert remember(b"one", NOW + 60, now=NOW) is True
    assert remember(b"one", NOW + 60, now=NOW) is False
    assert remember(b"one", NOW + 60, now=NOW + 59) is False
    assert remember(b"another", NOW + 60, now=NOW) is True


def test_a_question_that_is_asked_again_is_answered_alike_for_a_second(remember):
    assert remember(b"one", NOW + 60, now=NOW, by=b"first") is True
    assert remember(b"one", NOW + 60, now=NOW + 0.9, by=b"first") is True
    assert remember(b"one", NOW + 60, now=NOW + 1.0, by=b"first") is True
    assert remember(b"one", NOW + 60, now=NOW + 1.1, by=b"first") is False
    assert remember(b"one", NOW + 60, now=NOW + 30, by=b"first") is False


def test_any_other_question_about_the_key_is_refused_however_often_it_is_asked(remember):
    assert remember(b"one", NOW + 60, now=NOW, by=b"first") is True
    for _ in range(3):
        assert remember(b"one", NOW + 60, now=NOW, by=b"second") is False
        assert remember(b"one", NOW + 60, now=NOW) is False
    assert remember(b"one", NOW + 60, now=NOW, by=b"first") is True


def test_a_question_without_a_name_is_answered_alike_to_nobody(remember):
    assert remember(b"one", NOW + 60, now=NOW) is True
    assert remember(b"one", NOW + 60, now=NOW, by=b"first") is False
    assert remember(b"two", NOW + 60, now=NOW, by=b"") is True
    assert remember(b"two", NOW + 60, now=NOW, by=b"") is False


def test_a_name_is_of_one_key(remember):
    assert remember(b"one", NOW + 60, now=NOW, by=b"first") is True
    assert remember(b"two", NOW + 60, now=NOW + 0.5, by=b"second") is True
    assert remember(b"three", NOW + 60, now=NOW + 1.2, by=b"third") is True
    assert remember(b"one", NOW + 60, now=NOW, by=b"second") is False
    assert remember(b"two", NOW + 60, now=NOW + 1.3, by=b"second") is True


def test_both_ways_of_asking_share_what_was_seen(store):
    assert store.remember(b"one", NOW + 60, now=NOW) is True
    assert asyncio.run(store.aremember(b"one", NOW + 60, now=NOW)) is False
    assert asyncio.run(store.aremember(b"two", NOW + 60, now=NOW)) is True
    assert store.remember(b"two", NOW + 60, now=NOW) is False


def test_a_key_with_another_end_is_the_same_key(remember):
    assert remember(b"one", NOW + 60, now=NOW) is True
    assert remember(b"one", NOW + 90, now=NOW) is False


def test_the_last_second_of_a_credential_counts(remember):
    assert remember(b"one", NOW, now=NOW) is True
    assert remember(b"one", NOW, now=NOW) is False


def test_a_clock_that_is_set_back_admits_nothing_twice(remember):
    for number in range(300):  # enough for what is over to be swept away
        assert remember(b"early %d" % number, NOW + 60, now=NOW) is True
    for number in range(300):
        assert remember(b"late %d" % number, NOW + 4_000, now=NOW + 3_600) is True
    for number in range(300):
        assert remember(b"early %d" % number, NOW + 60, now=NOW) is False


def test_what_is_signed_after_a_clock_was_set_back_is_admitted(remember):
    assert remember(b"early", NOW + 60, now=NOW) is True
    for number in range(300):
        assert remember(b"late %d" % number, NOW + 4_000, now=NOW + 3_600) is True

    assert remember(b"early", NOW + 60, now=NOW) is False
    assert remember(b"new", NOW + 66, now=NOW + 5) is True


def test_what_is_longer_than_a_key_is_told_apart(remember):
    long = b"k" * 10_000
    assert remember(long, NOW + 60, now=NOW) is True
    assert remember(long + b"k", NOW + 60, now=NOW) is True
    assert remember(long, NOW + 60, now=NOW) is False


@pytest.mark.parametrize("until", [math.inf, -math.inf, math.nan])
def test_what_is_no_time_is_an_error(remember, until):
    with pytest.raises((ValueError, OverflowError)):
        remember(b"one", until, now=NOW)


@settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(
    asked=st.lists(
        st.tuples(
            st.one_of(st.binary(max_size=3), st.binary(min_size=60, max_size=70)),
            st.floats(0, 100),
        ),
        max_size=20,
    )
)
def test_of_any_keys_each_is_admitted_once_while_it_is_in_its_time(store, asked):
    of_this_example = secrets.token_bytes(8)
    seen = set()
    for key, life in sorted(asked, key=lambda one: one[1]):
        # Longer than all that were asked for before, so nothing is over.
        new = store.remember(of_this_example + key, NOW + 200 + life, now=NOW + life)
        assert new is (key not in seen)
        seen.add(key)


def test_threads_admit_each_key_once(store):
    admitted = []
    together = threading.Barrier(8)

    def ask():
        together.wait()
        admitted.extend(
            number
            for number in range(200)
            if store.remember(b"%d" % number, NOW + 60, now=NOW) is True
        )

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(admitted) == list(range(200))


def test_tasks_admit_each_key_once(store):
    async def ask():
        return await asyncio.gather(
            *(store.aremember(b"%d" % (n % 50), NOW + 60, now=NOW) for n in range(400))
        )

    assert sum(asyncio.run(ask())) == 50


def test_a_closed_store_opens_again_and_has_forgotten_nothing(store):
    store.close()
    assert store.remember(b"one", NOW + 60, now=NOW) is True
    store.close()
    store.close()
    assert store.remember(b"one", NOW + 60, now=NOW) is False


def test_a_store_says_whether_it_waits(store):
    assert store.waits is not isinstance(store, MemoryReplayStore)


def test_a_store_outside_of_the_process_tells_when_it_admitted_a_key(store, remember):
    if isinstance(store, MemoryReplayStore):
        pytest.skip("nobody else can ask it")
    assert store.seen_at(b"one") is None
    assert remember(b"one", NOW + 60, now=NOW + 0.25) is True
    assert store.seen_at(b"one") == NOW + 0.25
    assert store.seen_at(b"another") is None
    # To ask is not to use it up.
    assert remember(b"another", NOW + 60, now=NOW) is True

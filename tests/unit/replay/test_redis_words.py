"""What is said to a Redis and what its words mean, without one."""

from __future__ import annotations

import hashlib
import re

import pytest
import redis as redis_py
from redis.backoff import NoBackoff
from support.canned_redis import ADMITTED, FIT, LOST, NAME, NOW, Client, info
from support.stopped_clock import stopped

from edgeauth import ConfigurationError
from edgeauth.replay import ReplayStoreError
from edgeauth.replay import redis as of_redis
from edgeauth.replay.redis import RedisReplayStore


@pytest.fixture
def clock(monkeypatch):
    return stopped(monkeypatch, of_redis)


@pytest.fixture
def answers(monkeypatch):
    """A store that gets these answers, and the client that gives them."""

    def made(*answers, **options):
        store, client = RedisReplayStore("redis://cache", **options), Client(*answers)
        monkeypatch.setattr(store, "_client", lambda: client)
        return store, client

    return made


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://cache", "redis://cache:6379"),
        ("redis://user:hunter2@cache:7000/3", "redis://cache:7000"),
        ("redis://", "redis://localhost:6379"),
        ("rediss://cache?ssl_ca_certs=/ca.pem", "rediss://cache:6379"),
        ("unix://user:hunter2@/run/redis.sock?db=2", "unix:///run/redis.sock"),
    ],
)
def test_people_see_the_server_and_no_password(url, name):
    assert repr(RedisReplayStore(url)) == f"RedisReplayStore({name})"


@pytest.mark.parametrize(
    "url",
    [
        "redis://host:port",
        "http://host",
        "redis://host?socket_timeout=99",
        "redis://host?retry_on_timeout=yes",
        "redis://host?connection_class=x",
        "unix://",
        "unix://user:hunter2@",
        "memory",
        "",
    ],
)
def test_a_url_that_is_none_or_takes_the_bounds_away_is_refused(url):
    told = (
        "replay: the URL of a Redis must be redis://[[user]:password@]host[:port][/db], the "
        "same with rediss:// (and ?ssl_ca_certs=/path), or unix:///path/to/socket[?db=0]"
    )
    with pytest.raises(ConfigurationError, match=f"^{re.escape(told)}$"):
        RedisReplayStore(url)


def test_a_connection_has_bounds_of_time_and_asks_nothing_twice():
    store = RedisReplayStore("redis://cache:7000/3", timeout=0.25)
    pool = store._client().connection_pool
    made = pool.connection_class(**pool.connection_kwargs)

    assert (made.host, made.port, made.db) == ("cache", 7000, 3)
    assert (made.socket_timeout, made.socket_connect_timeout) == (0.25, 0.25)
    assert (made.retry_on_timeout, made.retry_on_error, made.retry._retries) == (False, [], 0)
    assert type(made.retry._backoff) is NoBackoff
    assert (made.health_check_interval, int(made.protocol)) == (0, 2)
    assert not pool.connection_kwargs["decode_responses"]
    assert RedisReplayStore("redis://cache")._timeout == 0.5


@pytest.mark.parametrize("prefix", [{}, {"prefix": "mine:"}])
def test_a_key_is_set_once_and_for_a_minute_longer_than_its_time(answers, prefix):
    store, client = answers(ADMITTED, ADMITTED, **prefix)

    assert store.remember(b"one", NOW + 1.5, now=NOW) is True
    assert store.remember(b"one", NOW - 5, now=NOW, by=b"name") is True

    name = f"{prefix.get('prefix', 'edgeauth:replay:')}{NAME}"
    digest = hashlib.sha256(b"name").hexdigest()
    assert client.asked == [
        ("SET", name, f"{NOW!r} ", {"nx": True, "px": 61_500}),
        ("SET", name, f"{NOW!r} {digest}", {"nx": True, "px": 60_000}),
    ]


def test_who_was_admitted_is_asked_of_a_question_with_a_name_alone(answers):
    own = f"{NOW!r} {hashlib.sha256(b'name').hexdigest()}".encode()
    other = f"{NOW!r} {hashlib.sha256(b'other').hexdigest()}".encode()
    store, client = answers(None, None, own, None, own, None, other, None, None)

    assert store.remember(b"one", NOW + 60, now=NOW) is False
    assert client.asked[1:] == []
    admitted = [
        store.remember(b"one", NOW + 60, now=NOW + later, by=b"name") for later in (1, 2, 0, 0)
    ]

    assert admitted == [True, False, False, False]
    assert [asked[0] for asked in client.asked] == ["SET", *["SET", "GET"] * 4]
    assert client.asked[2] == ("GET", f"edgeauth:replay:{NAME}")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (redis_py.TimeoutError(), "it does not answer in time"),
        (TimeoutError(), "it does not answer in time"),
        (redis_py.AuthenticationError(), "it wants a user and a password that it knows"),
        (
            redis_py.exceptions.NoPermissionError(),
            "its user needs the commands SET, GET and INFO",
        ),
        (redis_py.ReadOnlyError(), "it is a replica: name the primary"),
        (redis_py.exceptions.OutOfMemoryError(), "it is full: give it a larger maxmemory"),
        (redis_py.BusyLoadingError(), "it is starting"),
        (redis_py.exceptions.ClusterError(), "it is a cluster: name a server that is none"),
        (redis_py.ResponseError("hunter2"), "it refuses what it is asked"),
        (redis_py.ConnectionError("hunter2"), "there is no connection to it"),
        (OSError("hunter2"), "there is no connection to it"),
    ],
)
def test_each_failure_says_what_is_wrong_and_repeats_nothing(answers, error, why):
    store, _ = answers(error, error)
    told = f"the replay store redis://cache:6379 cannot be used: {why}"
    with pytest.raises(ReplayStoreError, match=f"^{re.escape(told)}$"):
        store.remember(b"one", NOW + 60, now=NOW)
    with pytest.raises(ReplayStoreError, match=f"^{re.escape(told)}$"):
        store.seen_at(b"one")


def test_an_answer_that_is_none_admits_nothing(answers):
    store, _ = answers(b"OK", 1)
    for _ in range(2):
        with pytest.raises(ReplayStoreError, match="gave an answer that is none"):
            store.remember(b"one", NOW + 60, now=NOW)


def test_failures_in_a_row_keep_all_from_asking_and_an_answer_ends_that(answers):
    store, client = answers(*[OSError()] * 2, ADMITTED, *[OSError()] * 3)
    outcomes = []
    for _ in range(7):
        try:
            outcomes.append(store.remember(b"one", NOW + 60, now=NOW))
        except ReplayStoreError as error:
            outcomes.append(str(error).rpartition("; ")[2])

    none = "the replay store redis://cache:6379 cannot be used: there is no connection to it"
    assert outcomes == [none, none, True, none, none, none, "asked again within 1 s"]
    assert client.answers == []
    with pytest.raises(ReplayStoreError, match=f"^{re.escape(none)}; asked again"):
        store.remember(b"one", NOW + 60, now=NOW)


def test_when_a_key_was_admitted_is_told_as_it_was_kept(answers):
    store, client = answers(b"1700000000.25 ", b"1700000000.5 00ff", None)
    assert [store.seen_at(b"one") for _ in range(3)] == [NOW + 0.25, NOW + 0.5, None]
    assert client.asked == [("GET", f"edgeauth:replay:{NAME}")] * 3
    # To ask is not to remember.
    assert store._longest == 0
    store, _ = answers(b"words")
    with pytest.raises(ReplayStoreError, match="cannot be used"):
        store.seen_at(b"one")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({**FIT, "role": "slave"}, "it is a replica: name the primary"),
        (
            {**FIT, "maxmemory": 1, "maxmemory_policy": "allkeys-lru"},
            "it may forget keys before their time: set maxmemory-policy noeviction",
        ),
        ({"role": "master"}, "it does not say which server it is: INFO has no run_id"),
    ],
)
def test_a_server_that_cannot_be_used_says_so_of_itself(answers, told, why):
    with pytest.raises(redis_py.RedisError) as caught:
        RedisReplayStore("redis://cache")._learn(info(**told))
    store, _ = answers(caught.value)
    with pytest.raises(ReplayStoreError, match=f"cannot be used: {why}$"):
        store.remember(b"one", NOW + 60, now=NOW)


@pytest.mark.parametrize(
    "told",
    [
        FIT,
        {"run_id": "a"},
        {**FIT, "maxmemory": 1},
        {**FIT, "maxmemory": 1, "maxmemory_policy": "noeviction"},
        {**FIT, "maxmemory": 0, "maxmemory_policy": "allkeys-lru"},
        {**FIT, "maxmemory_policy": "allkeys-lru"},
    ],
)
def test_a_server_that_forgets_nothing_is_used(told):
    RedisReplayStore("redis://cache")._learn(info(**told))


@pytest.fixture
def admits(answers, clock):
    """What a store that *learnt* these says of what was signed so long before the present."""

    def ask(*learnt, signed=None, life=60):
        store, _ = answers(ADMITTED)
        for seconds, told in learnt:
            clock.now += seconds
            store._learn(info(**told))
        since = None if signed is None else NOW - signed
        try:
            return store.remember(b"one", NOW + life, now=NOW, since=since)
        except ReplayStoreError as error:
            return str(error).partition(",")[0]

    return ask


@pytest.mark.parametrize(("later", "up"), [(0, 0), (100, 99), (100, 5000)])
def test_a_server_that_is_older_than_the_store_lost_nothing(admits, later, up):
    assert admits((later, {**FIT, "uptime_in_seconds": up}), signed=1000) is ADMITTED


def test_a_server_that_is_younger_than_the_store_may_have_taken_the_place_of_another(admits):
    young = (100, {**FIT, "uptime_in_seconds": 98})
    # It may have lost all that is older than its start; a second of that cannot be told.
    assert admits(young, signed=97.1) == LOST
    assert admits(young, signed=97) is ADMITTED
    # One that does not say since when it runs may have begun just now.
    assert admits((100, {"run_id": "a"}), signed=-0.9) == LOST
    assert admits((100, {"run_id": "a"}), signed=-1) is ADMITTED


def test_another_server_has_lost_what_the_one_before_it_remembered(admits):
    old = {**FIT, "uptime_in_seconds": 5000}
    other = {**old, "run_id": "b"}
    assert admits((0, old), (5, old), signed=1000) is ADMITTED
    assert admits((0, old), (5, other), signed=-0.9) == LOST
    assert admits((0, old), (5, other), signed=-1) is ADMITTED
    # It is not forgotten when the same one says again who it is.
    assert admits((0, old), (5, other), (5, other), signed=4.1) == LOST
    assert admits((0, old), (5, other), (5, other), signed=4) is ADMITTED


def test_without_a_time_of_its_own_a_credential_is_as_old_as_the_longest_lets_it_be(answers, clock):
    store, _ = answers(*[ADMITTED] * 5)
    for run_id in "ab":
        store._learn(info(**{**FIT, "run_id": run_id, "uptime_in_seconds": 5000}))

    def asked(until, later, **signed):
        try:
            return store.remember(b"one", NOW + until, now=NOW + later, **signed)
        except ReplayStoreError as error:
            return str(error).partition(",")[0]

    assert asked(60, 0, since=NOW + 1) is ADMITTED
    clock.now += 10
    assert asked(60.9, 10) == LOST
    assert asked(61, 10) is ADMITTED
    assert asked(131, 10) is ADMITTED
    assert asked(70, 10) == LOST


def test_a_credential_of_half_a_second_is_as_old_as_that_at_most(answers, clock):
    store, _ = answers(ADMITTED)
    for run_id in "ab":
        store._learn(info(**{**FIT, "run_id": run_id, "uptime_in_seconds": 5000}))
    clock.now += 1
    assert store.remember(b"one", NOW + 1.5, now=NOW + 1) is ADMITTED

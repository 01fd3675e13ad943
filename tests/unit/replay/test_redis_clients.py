"""The clients of a Redis store: of threads and of event loops, without a Redis."""

from __future__ import annotations

import asyncio
import hashlib
import os
from types import SimpleNamespace

import pytest
import redis as redis_py
import redis.asyncio
from redis.backoff import NoBackoff
from support.canned_redis import ADMITTED, FIT, LOST, NAME, NOW, AsyncClient, info

from edgeauth.replay import ReplayStoreError
from edgeauth.replay import redis as of_redis
from edgeauth.replay.redis import RedisReplayStore


class Turn:
    """Counts who is in it."""

    inside = 0

    async def __aenter__(self):
        self.inside += 1

    async def __aexit__(self, *_):
        self.inside -= 1


@pytest.fixture
def aanswers(monkeypatch):
    """A store whose loop gets these answers, and the client that gives them."""

    def made(*answers, **options):
        store = RedisReplayStore("redis://cache", **options)
        client, of_loop = AsyncClient(*answers), SimpleNamespace()
        of_loop.client, of_loop.turn = client, Turn()

        async def found():
            return of_loop

        monkeypatch.setattr(store, "_of_the_loop", found)
        return store, client

    return made


def ask(store, *, until=60.0, now=NOW, **more):
    return asyncio.run(store.aremember(b"one", NOW + until, now=now, **more))


def test_in_a_loop_a_key_is_set_as_by_any_thread(aanswers):
    store, client = aanswers(ADMITTED, ADMITTED)

    assert ask(store, until=1.5) is True
    assert ask(store, until=-5, by=b"name") is True

    name, digest = f"edgeauth:replay:{NAME}", hashlib.sha256(b"name").hexdigest()
    assert client.asked == [
        ("SET", name, f"{NOW!r} ", {"nx": True, "px": 61_500}),
        ("SET", name, f"{NOW!r} {digest}", {"nx": True, "px": 60_000}),
    ]


def test_in_a_loop_who_was_admitted_is_asked_of_a_question_with_a_name_alone(aanswers):
    own = f"{NOW!r} {hashlib.sha256(b'name').hexdigest()}".encode()
    other = f"{NOW!r} {hashlib.sha256(b'other').hexdigest()}".encode()
    store, client = aanswers(None, None, own, None, own, None, other, None, None, ADMITTED)

    assert ask(store) is False
    assert client.asked[1:] == []
    admitted = [ask(store, now=NOW + later, by=b"name") for later in (1, 2, 0, 0, 0)]

    assert admitted == [True, False, False, False, True]
    assert [asked[0] for asked in client.asked] == ["SET", *["SET", "GET"] * 4, "SET"]
    assert client.asked[2] == ("GET", f"edgeauth:replay:{NAME}")


def test_in_a_loop_failures_in_a_row_keep_all_from_asking(aanswers):
    store, client = aanswers(*[OSError()] * 3)
    outcomes = []
    for _ in range(4):
        with pytest.raises(ReplayStoreError) as caught:
            ask(store)
        outcomes.append(str(caught.value).rpartition("; ")[2])

    none = "the replay store redis://cache:6379 cannot be used: there is no connection to it"
    assert outcomes == [none, none, none, "asked again within 1 s"]
    assert client.answers == []


def test_in_a_loop_an_answer_that_is_none_admits_nothing(aanswers):
    store, _ = aanswers(b"OK")
    with pytest.raises(ReplayStoreError, match="gave an answer that is none"):
        ask(store)


def test_in_a_loop_what_was_lost_is_refused_too(aanswers):
    store, _ = aanswers(*[ADMITTED] * 3)
    for run_id in "ab":
        store._learn(info(**{**FIT, "run_id": run_id, "uptime_in_seconds": 5000}))
    with pytest.raises(ReplayStoreError, match=LOST):
        ask(store, since=NOW - 1)
    assert ask(store, since=NOW + 2) is True
    # Without a time of its own it is as old as the longest lets it be.
    store._lost -= 5
    assert ask(store, until=65, now=NOW + 5) is True


def test_all_steps_in_a_loop_together_take_twice_the_bound_at_most(aanswers, monkeypatch):
    store, client = aanswers(timeout=0.05)
    monkeypatch.setattr(client, "set", lambda *_, **__: asyncio.sleep(9))
    bounds, timeout = [], asyncio.timeout
    monkeypatch.setattr(
        of_redis.asyncio, "timeout", lambda seconds: bounds.append(seconds) or timeout(seconds)
    )
    with pytest.raises(ReplayStoreError, match="it does not answer in time"):
        ask(store)
    assert bounds == [0.1]


def test_a_loop_has_one_client_with_the_same_bounds_which_ends_with_it():
    store = RedisReplayStore("redis://cache:7000/3", timeout=0.25)
    ended = []

    async def ask_twice():
        first, second = await store._of_the_loop(), await store._of_the_loop()
        pool = first.client.connection_pool
        made = pool.connection_class(**pool.connection_kwargs)
        assert first is second
        assert list(store._loops) == [asyncio.get_running_loop()]
        assert first.turn._value == 8
        assert (made.host, made.port, made.db) == ("cache", 7000, 3)
        assert (made.socket_timeout, made.socket_connect_timeout) == (0.25, 0.25)
        assert (made.retry_on_timeout, made.retry_on_error, made.retry._retries) == (False, [], 0)
        assert type(made.retry._backoff) is NoBackoff
        assert made.redis_connect_func == store._agreet
        assert isinstance(made, redis_py.asyncio.Connection)
        disconnect = pool.disconnect

        async def note():
            ended.append(pool)
            await disconnect()

        pool.disconnect = note
        return first

    first, other = asyncio.run(ask_twice()), asyncio.run(ask_twice())
    assert first is not other
    assert ended == [first.client.connection_pool, other.client.connection_pool]
    assert store._loops == {}


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://cache", "Connection"),
        ("rediss://cache", "SSLConnection"),
        ("unix:///run/redis.sock", "UnixDomainSocketConnection"),
    ],
)
def test_each_url_has_its_kind_of_connection_in_a_thread_and_in_a_loop(url, kind):
    store = RedisReplayStore(url)

    async def of_a_loop():
        return (await store._of_the_loop()).client.connection_pool.connection_class

    assert store._client().connection_pool.connection_class is getattr(redis_py, kind)
    assert asyncio.run(of_a_loop()) is getattr(redis_py.asyncio, kind)
    assert store._client() is store._client()
    assert store._client().connection_pool.connection_kwargs["redis_connect_func"] == store._greet


class Connection:
    """Answers INFO when it has been connected."""

    def __init__(self, reply):
        self.reply, self.asked = reply, []

    def on_connect(self):
        self.asked.append("connected")

    def send_command(self, *words):
        self.asked.append(words)

    def read_response(self):
        return self.reply


class AsyncConnection(Connection):
    async def on_connect(self):
        Connection.on_connect(self)

    async def send_command(self, *words):
        Connection.send_command(self, *words)

    async def read_response(self):
        return self.reply


def test_a_connection_begins_with_what_the_server_says_of_itself():
    for reply in (info(**FIT), info(**{**FIT, "role": "slave"})):
        for connection in (Connection(reply), AsyncConnection(reply)):
            store = RedisReplayStore("redis://cache")

            def greet(connection=connection, store=store):
                if isinstance(connection, AsyncConnection):
                    return asyncio.run(store._agreet(connection))
                return store._greet(connection)

            if b"slave" in reply:
                with pytest.raises(redis_py.RedisError):
                    greet()
            else:
                greet()
                assert store._run_id == b"a"
            assert connection.asked == ["connected", ("INFO",)]


class Pooled:
    """A client of which it is noted that it was closed."""

    def __init__(self):
        self.closed = 0
        self.connection_pool = self

    def disconnect(self):
        self.closed += 1


def test_to_close_a_store_closes_its_client_once_and_a_new_one_is_made():
    store = RedisReplayStore("redis://cache")
    store._question(b"one", NOW, NOW)
    client = store._sync = Pooled()
    store.close()
    store.close()

    assert client.closed == 1
    assert store._client() is not client


def test_to_close_a_store_closes_what_a_running_loop_has_and_leaves_an_ended_one():
    store = RedisReplayStore("redis://cache")
    store._question(b"one", NOW, NOW)
    closed, heard = [], asyncio.Event()

    class OfALoop:
        async def close(self):
            closed.append(asyncio.get_running_loop())
            heard.set()

    ended = asyncio.new_event_loop()

    async def close():
        running = asyncio.get_running_loop()
        store._loops = {ended: OfALoop(), running: OfALoop()}
        store.close()
        assert store._loops == {}
        await heard.wait()
        return running

    running = asyncio.run(asyncio.wait_for(close(), 10))
    ended.close()
    assert closed == [running]


def test_what_belongs_to_the_process_before_a_fork_is_kept_and_touched_no_more():
    store = RedisReplayStore("redis://cache")
    # Before it is asked it has nothing that could belong to anybody.
    before = len(of_redis._inherited)
    store._question(b"one", NOW, NOW)
    assert (len(of_redis._inherited), store._process) == (before, os.getpid())
    client, loops = Pooled(), {"a loop": "its client"}
    store._sync, store._loops = client, loops
    store._question(b"one", NOW, NOW)
    assert store._sync is client

    store._process = -1
    store.close()
    store._sync, store._loops = client, loops
    store._question(b"one", NOW, NOW)

    assert of_redis._inherited[before:] == [(client, loops)]
    assert (client.closed, store._sync, store._loops) == (0, None, {})
    assert store._process == os.getpid()
    store._start_anew()
    assert len(of_redis._inherited) == before + 1


def test_a_store_waits():
    assert RedisReplayStore.waits is True


def test_the_store_alone_is_public():
    assert of_redis.__all__ == ["RedisReplayStore"]

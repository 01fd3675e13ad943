"""The Redis store when the server is gone, silent, started anew, or not fit for it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import os
import secrets
import socket
import threading
import time

import pytest
from support.processes import HOST, free_port, wait_until
from support.redis import RedisServer, redis_server
from support.service import short_folder

from edgeauth.replay import ReplayStoreError
from edgeauth.replay.redis import RedisReplayStore


@pytest.fixture
def server():
    """One of this test alone."""
    with short_folder() as folder, redis_server(folder) as server:
        yield server


@pytest.fixture
def make():
    stores = []

    def make(url, **options):
        options.setdefault("prefix", secrets.token_hex())
        stores.append(RedisReplayStore(url, **options))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture(params=["remember", "aremember"])
def ask(request):
    """Ask a store about a key that was signed just now; what it says, or the error."""
    with asyncio.Runner() as runner:

        def ask(store, key, *, since="now", now=None):
            now = time.time() if now is None else now
            since = now if since == "now" else since
            try:
                answer = getattr(store, request.param)(key, now + 60, now=now, since=since)
                return answer if request.param == "remember" else runner.run(answer)
            except ReplayStoreError as error:
                return error

        yield ask


def alone(server):
    """Whether nobody is connected but who asks."""
    return b"connected_clients:1\r" in server.tell("INFO", "clients")


def comes_back(ask, store):
    numbers = iter(range(10**6))
    wait_until(lambda: ask(store, b"back %d" % next(numbers)) is True, what="the store coming back")


@contextlib.contextmanager
def answering(answer):
    """A server that sends *answer* to whatever it is sent; its port."""

    def serve():
        while True:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                if listener.fileno() == -1 or stopped.is_set():
                    connection.close()
                    return
                # A client that stays and says nothing does not keep it from ending.
                connection.settimeout(2)
                with connection:
                    while sent := connection.recv(65_536):
                        connection.sendall(answer(sent))

    stopped = threading.Event()
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield port
        finally:
            stopped.set()
            socket.create_connection((HOST, port)).close()
            thread.join()


def test_a_server_that_is_not_there_is_an_error_and_the_store_comes_back(make, ask):
    with short_folder() as folder:
        server = RedisServer(folder)
        store = make(server.url)
        assert "there is no connection to it" in str(ask(store, b"one"))
        server.start()
        try:
            comes_back(ask, store)
        finally:
            server.end()


def test_a_silent_server_costs_no_more_than_the_bound_and_then_nothing(server, make, ask):
    store = make(server.url, timeout=0.2)
    assert ask(store, b"before") is True
    server.pause()
    spent = []
    for number in range(6):
        start = time.monotonic()
        assert isinstance(ask(store, b"silent %d" % number), ReplayStoreError)
        spent.append(time.monotonic() - start)
    server.resume()

    assert max(spent) < 5
    assert sum(each < 0.1 for each in spent) >= 2, spent
    comes_back(ask, store)
    assert ask(store, b"before") is False


def test_a_key_whose_answer_was_lost_is_not_admitted_afterwards(server, make, ask):
    store = make(server.url, timeout=0.2)
    assert ask(store, b"before") is True
    server.pause()
    assert "does not answer in time" in str(ask(store, b"lost"))
    server.resume()
    other = make(server.url, prefix=store._prefix)

    # The server reads the question when it goes on, which may be a moment later.
    wait_until(lambda: b":2" in server.tell("DBSIZE"))
    assert ask(other, b"lost") is False
    comes_back(ask, store)
    assert ask(store, b"lost") is False


def test_an_answer_that_comes_late_is_not_taken_for_that_of_another_key(server, make):
    store = make(server.url, timeout=0.2)

    async def cancelled():
        now = time.time()
        assert await store.aremember(b"seen", now + 60, now=now) is True
        server.pause()
        asked = [
            asyncio.create_task(store.aremember(b"late %d" % n, now + 60, now=now))
            for n in range(20)
        ]
        await asyncio.sleep(0.05)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        server.resume()
        # Each answer to a late one would be OK, and each of these has been seen.
        return [await store.aremember(b"seen", now + 60, now=now) for _ in range(30)]

    assert not any(asyncio.run(cancelled()))


@pytest.mark.parametrize("since", ["now", None])
def test_a_server_started_anew_admits_nothing_older(server, make, ask, since):
    store = make(server.url)
    signed = time.time()
    assert ask(store, b"one", since=signed) is True
    server.restart()

    def reaches_it():
        return "lost what it remembered" in str(ask(store, secrets.token_bytes(8), since=signed))

    wait_until(reaches_it)
    told = signed if since else None
    assert ask(store, b"one", since=told, now=signed) is not True
    assert ask(store, b"one", since=told, now=signed) is not True
    comes_back(ask, store)


def test_a_store_that_never_asked_knows_a_server_that_is_younger(make, ask):
    with short_folder() as folder:
        server = RedisServer(folder)
        lazy = make(server.url)
        made = time.monotonic()
        signed = time.time()
        # A server tells its age in whole seconds.
        wait_until(lambda: time.monotonic() > made + 2.5)
        server.start()
        try:
            assert "lost what it remembered" in str(ask(lazy, b"one", since=signed))
            comes_back(ask, lazy)
        finally:
            server.end()


def test_a_server_that_was_there_before_is_trusted_from_the_first_request(server, make, ask):
    assert ask(make(server.url), b"one", since=time.time() - 5) is True


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"], "maxmemory-policy noevict"),
        (["--maxmemory", "50mb", "--maxmemory-policy", "volatile-ttl"], "maxmemory-policy noevict"),
        (["--replicaof", f"{HOST} 1"], "it is a replica: name the primary"),
        (["--requirepass", "hunter2"], "it wants a user and a password"),
        (["--cluster-enabled", "yes"], "it is a cluster"),
        (["--maxmemory", "100kb", "--maxmemory-policy", "noeviction"], "it is full"),
    ],
)
def test_a_server_that_is_not_fit_is_refused_with_what_to_do(make, ask, options, why):
    with short_folder() as folder, redis_server(folder, *options) as server:
        store = make(server.url)
        assert why in str(ask(store, b"one"))


def test_a_server_that_is_made_fit_is_used(make, ask):
    unfit = ["--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"]
    with short_folder() as folder, redis_server(folder, *unfit) as server:
        store = make(server.url)
        assert isinstance(ask(store, b"one"), ReplayStoreError)
        server.tell("CONFIG", "SET", "maxmemory-policy", "noeviction")
        comes_back(ask, store)


def test_a_password_is_used_and_never_shown(make, ask):
    with short_folder() as folder, redis_server(folder, "--requirepass", "hunter2") as server:
        good = make(f"redis://:hunter2@{HOST}:{server.port}")
        assert ask(good, b"one") is True
        wrong = make(f"redis://:hunter3@{HOST}:{server.port}")
        told = f"{ask(wrong, b'one')} {wrong!r} {good!r}"
        by_user = make(f"redis://nobody:hunter3@{HOST}:{server.port}")
        told += str(ask(by_user, b"one"))

    assert "it wants a user and a password that it knows" in told
    assert "hunter" not in told


def test_a_user_without_the_right_to_info_is_told_what_it_needs(server, make, ask):
    server.tell("ACL", "SETUSER", "app", "on", ">hunter2", "~*", "+set")

    error = ask(make(f"redis://app:hunter2@{HOST}:{server.port}"), b"one")
    assert "its user needs the commands SET, GET and INFO" in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        lambda sent: sent,
        lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n",
        lambda _: b"-ERR you sent hunter2\r\n",
        lambda _: b"$-1\r\n",
        lambda _: b"+OK\r\n",
        lambda _: b"$4\r\nrole\r\n",
        lambda _: b":1\r\n",
    ],
    ids=["echo", "http", "error", "nothing", "ok", "short info", "number"],
)
def test_what_is_no_redis_admits_nothing_and_its_words_are_not_repeated(make, ask, answer):
    with answering(answer) as port:
        store = make(f"redis://:hunter2@{HOST}:{port}", timeout=0.2)
        error = ask(store, b"one")
        store.close()

    assert isinstance(error, ReplayStoreError)
    assert "hunter2" not in str(error)


def test_an_answer_to_set_that_is_none_admits_nothing(make, ask):
    info = b"run_id:1\r\nuptime_in_seconds:9\r\n"

    def odd(sent):
        return b":1\r\n" if b"SET" in sent else b"$%d\r\n%s\r\n" % (len(info), info)

    with answering(odd) as port:
        store = make(f"redis://{HOST}:{port}", timeout=0.5)
        error = ask(store, b"one")
        store.close()

    assert isinstance(error, ReplayStoreError)


def test_each_key_has_a_bounded_name_and_an_end(server, make, ask):
    store = make(server.url, prefix="mine:")
    assert ask(store, b"k" * 100_000) is True
    (name,) = [word for word in server.tell("KEYS", "*").split(b"\r\n") if word.startswith(b"mine")]

    assert len(name) == len("mine:") + 64
    # A minute longer than its time, since clocks differ.
    assert 100 < int(server.tell("TTL", name.decode())[1:]) <= 120


def test_stores_with_other_prefixes_do_not_share(server, make, ask):
    assert ask(make(server.url, prefix="a:"), b"one") is True
    assert ask(make(server.url, prefix="b:"), b"one") is True


def test_tls_needs_a_certificate_that_holds(server, make, ask):
    # A server without TLS is one whose certificate does not hold.
    error = ask(make(f"rediss://{HOST}:{server.port}"), b"one")

    assert "there is no connection to it" in str(error) or "in time" in str(error)


def test_a_forked_process_has_connections_of_its_own(server, make):
    store = make(server.url)
    now = time.time()
    assert store.remember(b"before", now + 60, now=now)
    children = []
    for number in range(4):
        child = os.fork()
        if not child:  # pragma: no cover - another process
            seen = [store.remember(b"%d" % n, now + 60, now=now) for n in range(number, number + 2)]
            seen += [store.remember(b"before", now + 60, now=now)]
            store.close()
            os._exit(sum(seen))
        children.append(child)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]

    assert sum(statuses) == 5
    assert store.remember(b"before", now + 60, now=now) is False


# The connections that it leaves are closed by nobody here, and Python 3.13 says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_store_forked_unseen_leaves_the_connections_to_their_process(server, make, ask):
    store = make(server.url)
    assert ask(store, b"one") is True
    store._process = -1
    store.close()
    assert ask(store, b"one") is False
    store._start_anew()
    gc.collect()


def test_event_loops_have_clients_of_their_own_that_end_with_them(server, make):
    store = make(server.url)

    async def ask():
        now = time.time()
        return await store.aremember(b"one", now + 60, now=now)

    answers = [asyncio.run(ask()) for _ in range(3)]

    assert answers == [True, False, False]
    assert not store._loops
    wait_until(lambda: alone(server))


def test_a_store_that_is_closed_closes_the_connections_of_a_running_loop(server, make):
    store = make(server.url)

    async def close():
        now = time.time()
        await store.aremember(b"one", now + 60, now=now)
        store.close()
        await asyncio.to_thread(wait_until, lambda: alone(server))
        return await store.aremember(b"one", now + 60, now=now)

    assert asyncio.run(asyncio.wait_for(close(), 30)) is False


def test_a_loop_that_ended_without_a_word_is_no_trouble_at_the_end(server, make):
    store = make(server.url)
    loop = asyncio.new_event_loop()
    now = time.time()
    assert loop.run_until_complete(store.aremember(b"one", now + 60, now=now))
    store.close()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def test_a_free_port_is_refused_by_all_that_wait_for_a_turn(make):
    store = make(f"redis://{HOST}:{free_port()}", timeout=0.2)

    async def ask():
        now = time.time()
        return await asyncio.gather(
            *(store.aremember(b"%d" % n, now + 60, now=now) for n in range(500)),
            return_exceptions=True,
        )

    start = time.monotonic()
    assert {type(answer) for answer in asyncio.run(ask())} == {ReplayStoreError}
    assert time.monotonic() - start < 10


def test_a_store_that_does_not_answer_cannot_tell_when_it_admitted_a_key(make):
    store = make(f"redis://{HOST}:{free_port()}")
    with pytest.raises(ReplayStoreError, match="cannot be used"):
        store.seen_at(b"one")


def test_a_key_that_somebody_else_wrote_is_a_key_that_was_seen(server, make):
    now = time.time()
    with asyncio.Runner() as runner:
        for number, junk in enumerate(("junk", "1 2 3", "x y", "\xff \xff")):
            store, key = make(server.url, prefix="p:"), b"key %d" % number
            server.tell("SET", f"p:{hashlib.sha256(key).hexdigest()}", junk)
            assert store.remember(key, now + 60, now=now, since=now, by=b"q") is False
            again = store.aremember(key, now + 60, now=now, since=now, by=b"q")
            assert runner.run(again) is False

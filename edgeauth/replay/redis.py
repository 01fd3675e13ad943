"""What all machines have seen, in Redis or Valkey: ``SET key NX PX``, one round trip.

Of a key that was seen, and whose question has a name, the value is asked for as well: it says who
was admitted with it.

A server that is started anew may have lost what it remembered, whatever it writes to its disk. Each
connection begins with ``INFO``, whose ``run_id`` is another after a start, and another on another
server. Then what may have been admitted before is refused, until it is over
(:func:`edgeauth.replay.base.refuse_older`). The same ``INFO`` tells what cannot be used: a server
that may throw keys away before their time, and a replica.

An answer that does not come in time is a refusal, also where the key was remembered. Nothing is
sent twice, and a connection on which something failed is closed, so no answer is taken for another
one's.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from edgeauth.admission import ReplayStoreError
from edgeauth.errors import ConfigurationError
from edgeauth.replay.base import digest_of, is_alike, refuse_older
from edgeauth.replay.breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

__all__ = ["RedisReplayStore"]

#: Seconds, for the connection and for the answer.
TIMEOUT = 0.5

PREFIX = "edgeauth:replay:"

# How much longer than its time a key is kept, since the clocks of two gates may differ.
_CLOCKS_DIFFER_MILLISECONDS = 60_000

# Of one event loop. More requests than that at once wait for their turn.
_CONNECTIONS = 8

_CONNECTION: dict[str, Any] = {
    "redis": redis.Connection,
    "rediss": redis.SSLConnection,
    "unix": redis.UnixDomainSocketConnection,
}
_ASYNC_CONNECTION: dict[str, Any] = {
    "redis": redis.asyncio.Connection,
    "rediss": redis.asyncio.SSLConnection,
    "unix": redis.asyncio.UnixDomainSocketConnection,
}

_REPLICA = "it is a replica: name the primary"
_HINTS: dict[type[Exception], str] = {
    redis.TimeoutError: "it does not answer in time",
    TimeoutError: "it does not answer in time",
    redis.AuthenticationError: "it wants a user and a password that it knows",
    redis.exceptions.NoPermissionError: "its user needs the commands SET, GET and INFO",
    redis.ReadOnlyError: _REPLICA,
    redis.exceptions.OutOfMemoryError: "it is full: give it a larger maxmemory",
    redis.BusyLoadingError: "it is starting",
    redis.exceptions.ClusterError: "it is a cluster: name a server that is none",
    redis.exceptions.MovedError: "it is a cluster: name a server that is none",
    redis.ResponseError: "it refuses what it is asked",
}


class _Unfit(redis.RedisError):
    """The server cannot be used; says why. What redis-py raises itself is never repeated."""


class RedisReplayStore:
    """Remembers in Redis; see :class:`edgeauth.replay.ReplayStore`.

    Clients are made when they are first needed: one a process for ``remember``, one an event loop
    for ``aremember``, which are closed with their loop.

    Args:
        url: ``redis://[[user]:password@]host[:port][/db]``, the same with ``rediss://`` for TLS
            (``?ssl_ca_certs=/path`` for an authority of your own), or
            ``unix://[[user]:password@]/path/to/socket[?db=0]``.
        timeout: seconds, to connect and again to answer.
        prefix: what the keys in Redis begin with. Gates that share it share their memory.

    Raises:
        ConfigurationError: the URL is unusable. It is not repeated, it may have a password.
    """

    waits = True

    def __init__(self, url: str, *, timeout: float = TIMEOUT, prefix: str = PREFIX) -> None:
        self._options, self._kind = _read(url)
        self._options |= {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry_on_error": [],
            "retry_on_timeout": False,
            "health_check_interval": 0,
            "decode_responses": False,
            "protocol": 2,
        }
        self._made = time.monotonic()
        self._timeout = timeout
        self._prefix = prefix
        self._breaker = Breaker()
        self._process = 0
        self._sync: redis.Redis | None = None
        self._loops: dict[asyncio.AbstractEventLoop, _OfALoop] = {}
        self._lock = threading.Lock()
        self._run_id: bytes | None = None
        # By the clock of this process that is never set: when what was remembered was lost.
        self._lost: float | None = None
        self._longest = 0.0

    def __repr__(self) -> str:
        return f"RedisReplayStore({self._name})"

    def remember(
        self, key: bytes, until: float, *, now: float, since: float | None = None, by: bytes = b""
    ) -> bool:
        self._breaker.enter()
        name, milliseconds = self._question(key, until, now)
        try:
            client = self._client()
            answer = client.set(name, _value(by, now), nx=True, px=milliseconds)
            if answer is None and by:
                answer = _told_again(client.get(name), by, now)
        except (redis.RedisError, OSError) as error:
            raise self._failure(error) from None
        return self._judge(answer, until, now, since)

    async def aremember(
        self, key: bytes, until: float, *, now: float, since: float | None = None, by: bytes = b""
    ) -> bool:
        name, milliseconds = self._question(key, until, now)
        of_loop = await self._of_the_loop()
        async with of_loop.turn:
            # Whoever waited for a turn may have seen the others fail.
            self._breaker.enter()
            try:
                # Each step has its time-out; all of them together have one as well.
                async with asyncio.timeout(2 * self._timeout):
                    client, value = of_loop.client, _value(by, now)
                    answer = await client.set(name, value, nx=True, px=milliseconds)
                    known = await client.get(name) if answer is None and by else None
            except (redis.RedisError, OSError) as error:
                raise self._failure(error) from None
        if known is not None:
            answer = _told_again(known, by, now)
        return self._judge(answer, until, now, since)

    def seen_at(self, key: bytes) -> float | None:
        """When *key* was admitted, in Unix seconds; None if it was not. For whoever explains.

        Raises:
            ReplayStoreError: the store cannot tell.
        """
        name, _ = self._question(key, 0, 0)
        try:
            found: Any = self._client().get(name)
            return None if found is None else float(found.split()[0])
        except (redis.RedisError, OSError, ValueError) as error:
            raise self._failure(error) from None

    def close(self) -> None:
        with self._lock:
            client, self._sync = self._sync, None
            loops, self._loops = self._loops, {}
        if self._process != os.getpid():
            return
        if client is not None:
            client.connection_pool.disconnect()
        for loop, of_loop in loops.items():
            # One that has ended has closed them by itself.
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(of_loop.close(), loop)

    @property
    def _name(self) -> str:
        if self._kind == "unix":
            return f"unix://{self._options['path']}"
        host, port = self._options.get("host", "localhost"), self._options.get("port", 6379)
        return f"{self._kind}://{host}:{port}"

    def _question(self, key: bytes, until: float, now: float) -> tuple[str, int]:
        life = until - now
        milliseconds = max(int(life * 1000), 0) + _CLOCKS_DIFFER_MILLISECONDS
        self._longest = max(self._longest, life)
        if self._process != os.getpid():
            self._start_anew()
        return self._prefix + hashlib.sha256(key).hexdigest(), milliseconds

    def _judge(self, answer: object, until: float, now: float, since: float | None) -> bool:
        self._breaker.succeeded()
        if answer is None:
            return False
        if answer is not True:
            raise ReplayStoreError(f"the replay store {self._name} gave an answer that is none")
        if self._lost is not None:
            # A second more, for what went by between reading the clock and asking.
            began = now - (time.monotonic() - self._lost) + 1
            refuse_older(began, until, since, self._longest)
        return True

    def _failure(self, error: Exception) -> ReplayStoreError:
        # What the server says is not repeated: a wrong one may send back what it was sent.
        if isinstance(error, _Unfit):
            why = str(error)
        else:
            of_its_kind = (why for kind, why in _HINTS.items() if isinstance(error, kind))
            why = next(of_its_kind, "there is no connection to it")
        text = f"the replay store {self._name} cannot be used: {why}"
        self._breaker.failed(text)
        return ReplayStoreError(text)

    def _start_anew(self) -> None:
        """Begin in this process, which may have been forked from one with connections."""
        with self._lock:
            if self._process == os.getpid():
                return
            if self._process:
                # To close them here would disturb the process that they belong to.
                _inherited.append((self._sync, self._loops))
            self._sync, self._loops = None, {}
            self._process = os.getpid()

    def _client(self) -> redis.Redis:
        with self._lock:
            if self._sync is None:
                pool = redis.ConnectionPool(
                    connection_class=_CONNECTION[self._kind],
                    redis_connect_func=self._greet,
                    retry=Retry(NoBackoff(), 0),
                    **self._options,
                )
                self._sync = redis.Redis(connection_pool=pool)
            return self._sync

    async def _of_the_loop(self) -> _OfALoop:
        loop = asyncio.get_running_loop()
        of_loop = self._loops.get(loop)
        if of_loop is None:
            pool = redis.asyncio.ConnectionPool(
                connection_class=_ASYNC_CONNECTION[self._kind],
                redis_connect_func=self._agreet,
                retry=AsyncRetry(NoBackoff(), 0),
                **self._options,
            )
            loops = self._loops
            of_loop = loops[loop] = _OfALoop(
                redis.asyncio.Redis(connection_pool=pool), lambda: loops.pop(loop, None)
            )
            await of_loop.start()
        return of_loop

    def _greet(self, connection: Any) -> None:  # noqa: ANN401 - redis-py has several kinds
        connection.on_connect()
        connection.send_command("INFO")
        self._learn(connection.read_response())

    async def _agreet(self, connection: Any) -> None:  # noqa: ANN401 - redis-py has several kinds
        await connection.on_connect()
        await connection.send_command("INFO")
        self._learn(await connection.read_response())

    def _learn(self, info: bytes) -> None:
        """Take what a server says of itself; *info* is the reply to INFO."""
        told = dict(line.partition(b":")[::2] for line in info.splitlines())
        if told.get(b"role", b"master") != b"master":
            raise _Unfit(_REPLICA)
        if told.get(b"maxmemory", b"0") != b"0" and (
            told.get(b"maxmemory_policy", b"noeviction") != b"noeviction"
        ):
            raise _Unfit("it may forget keys before their time: set maxmemory-policy noeviction")
        run_id = told.get(b"run_id")
        if run_id is None:
            raise _Unfit("it does not say which server it is: INFO has no run_id")
        present, up = time.monotonic(), int(told.get(b"uptime_in_seconds", 0))
        with self._lock:
            if self._run_id not in {None, run_id}:
                self._lost = present
            # Started after this store was made: other gates may have asked an earlier one. A
            # second is what cannot be told.
            elif self._run_id is None and present - up - 1 > self._made:
                self._lost = present - up
            self._run_id = run_id


def _value(by: bytes, now: float) -> str:
    """What is kept with a key: when it was admitted, and the question if it has a name."""
    return f"{now!r} {digest_of(by).hex()}"


def _told_again(value: Any, by: bytes, now: float) -> bool | None:  # noqa: ANN401
    """True where *value* is of the same question; None where it is of another, or gone."""
    try:
        at, digest = value.decode().split(" ")
        return is_alike(bytes.fromhex(digest), float(at), by, now) or None
    except (AttributeError, ValueError):
        return None


def _read(url: str) -> tuple[dict[str, Any], str]:
    """What *url* says to a connection, and its scheme."""
    try:
        options: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
    except (ValueError, TypeError):
        options = {"no": "URL"}
    if not isinstance(options.pop("connection_class", None), type | None):
        options = {"no": "URL"}
    kind = url.partition(":")[0]
    # Another option could take the bounds away.
    known = {"host", "port", "db", "username", "password", "path"}
    if not all(name in known or name.startswith("ssl_") for name in options) or (
        kind == "unix" and not options.get("path")
    ):
        raise ConfigurationError(
            "replay: the URL of a Redis must be redis://[[user]:password@]host[:port][/db], the "
            "same with rediss:// (and ?ssl_ca_certs=/path), or unix:///path/to/socket[?db=0]"
        )
    return options, kind


class _OfALoop:
    """The client of one event loop, closed when the loop ends."""

    def __init__(self, client: redis.asyncio.Redis, forget: Callable[[], object]) -> None:
        self.client = client
        self._forget = forget
        self.turn = asyncio.Semaphore(_CONNECTIONS)
        self._held = self._until_the_end()

    async def start(self) -> None:
        await anext(self._held)

    async def close(self) -> None:
        await self._held.aclose()

    async def _until_the_end(self) -> AsyncGenerator[None]:
        # A loop that ends closes the asynchronous generators that were begun in it.
        try:
            yield
        finally:
            self._forget()
            await self.client.connection_pool.disconnect()


# Kept, so that nobody closes them.
_inherited: list[object] = []

"""One process of a storm: ``python -m replay_storm.worker '<JSON of an Order>'``.

It says "ready", reads from its standard input at what time to begin, and prints a Count.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.requests import PlainRequest

from edgeauth import Guard, Key, Verdict
from edgeauth.observers import Observer, Observers
from edgeauth.replay import ReplayStore, ReplayStoreError, open_store
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth import Request

# Credentials a second, and how many seconds back they are tried again.
_A_SECOND = 400
_BACK_SECONDS = 4.0
# No storm takes as long: a credential that is over is another test's.
LIFE_SECONDS = 600.0


@dataclass
class Order:
    """What a worker does.

    Attributes:
        store: the setting.
        begin: Unix seconds at which all begin; read from the standard input.
        keys: how many keys each process tries once, in an order of its own; 0: see seconds.
        seconds: how long credentials of the last seconds are tried at random instead.
        tasks: how many at the same time; 0: without an event loop.
        forks: this many processes, forked from one that has used the store.
        guards: whether signed requests are sent to a guard with the store, not keys to the store.
    """

    store: str
    begin: float = 0
    keys: int = 0
    seconds: float = 0
    tasks: int = 0
    forks: int = 0
    guards: bool = False


@dataclass
class Count:
    """What came of it.

    Attributes:
        admitted: for each admitted key when that was, in Unix seconds.
        refused: how many were seen before.
        errors: how many times the store said each of these.
        longest: seconds of the slowest call.
    """

    admitted: list[tuple[str, float]] = field(default_factory=list)
    refused: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0


def _credentials(order: Order) -> object:
    """Keys and the times at which they were signed."""
    chance = random.Random()  # noqa: S311 - each process has an order of its own
    if order.keys:
        numbers = list(range(order.keys))
        chance.shuffle(numbers)
        yield from ((str(number), order.begin) for number in numbers)
    while (now := time.time()) < order.begin + order.seconds:
        number = int((now - chance.random() ** 2 * _BACK_SECONDS) * _A_SECOND)
        yield str(number), number / _A_SECOND


def _asked(count: Count, key: str, start: float, outcome: object) -> None:
    count.longest = max(count.longest, time.monotonic() - start)
    if outcome is True:
        count.admitted.append((key, time.time()))
    elif outcome is False:
        count.refused += 1
    else:
        count.errors[str(outcome)] += 1


def storm(store: ReplayStore, order: Order) -> Count:
    count = Count()
    time.sleep(max(0.0, order.begin - time.time()))
    for key, signed in _credentials(order):
        start = time.monotonic()
        try:
            outcome: object = store.remember(
                key.encode(), signed + LIFE_SECONDS, now=time.time(), since=signed
            )
        except ReplayStoreError as error:
            outcome = error
        _asked(count, key, start, outcome)
    return count


async def astorm(store: ReplayStore, order: Order) -> Count:
    count = Count()
    await asyncio.sleep(order.begin - time.time())
    credentials = _credentials(order)

    async def one_after_the_other() -> None:
        for key, signed in credentials:
            start = time.monotonic()
            try:
                outcome: object = await store.aremember(
                    key.encode(), signed + LIFE_SECONDS, now=time.time(), since=signed
                )
            except ReplayStoreError as error:
                outcome = error
            # A server has something else to do as well.
            await asyncio.sleep(0)
            _asked(count, key, start, outcome)

    async with asyncio.TaskGroup() as group:
        for _ in range(order.tasks):
            group.create_task(one_after_the_other())
    return count


class Guarded:
    """Asks as a store is asked, and a guard answers: of a request that the edge signed.

    Args:
        store: what the guard asks.
    """

    waits = True

    def __init__(self, store: ReplayStore) -> None:
        key = Key("edge-1", "a-secret-of-the-edge-in-a-storm")
        self._signer = MessageSigner(key)
        self._guard = Guard(
            MessageSignatureScheme([key], max_age=LIFE_SECONDS),
            replay=store,
            observers=Observers([_ToldTo(self._failed)]),
        )
        self._why = threading.local()

    def _failed(self, error: Exception) -> None:
        self._why.error = error

    def remember(self, key: bytes, until: float, *, now: float, since: float | None = None) -> bool:
        return self._admits(self._guard.check(self._request(key, until), now=now))

    async def aremember(
        self, key: bytes, until: float, *, now: float, since: float | None = None
    ) -> bool:
        return self._admits(await self._guard.acheck(self._request(key, until), now=now))

    def close(self) -> None:
        pass

    def _request(self, key: bytes, until: float) -> PlainRequest:
        created = int(until - LIFE_SECONDS)
        fields = self._signer.sign(
            "GET", "/", "origin.example", created=created, nonce=key.decode()
        )
        return PlainRequest(
            target=b"/",
            fields=[
                ("Host", b"origin.example"),
                *((name, value.encode()) for name, value in fields.items()),
            ],
        )

    def _admits(self, verdict: Verdict) -> bool:
        if verdict.reason == "replay-store":
            raise ReplayStoreError(str(self._why.error))
        assert verdict.reason in {"ok", "replayed"}, verdict.reason
        assert verdict.identity is None or "once" in verdict.identity.covers
        return verdict.allowed


class _ToldTo(Observer):
    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed

    def decided(self, _request: Request, verdict: Verdict, evidence: object, _now: float) -> None:
        if verdict.reason == "replay-store" and isinstance(evidence, Exception):
            self._failed(evidence)


def _run(store: ReplayStore, order: Order) -> None:
    if order.guards:
        store = Guarded(store)
    count = asyncio.run(astorm(store, order)) if order.tasks else storm(store, order)
    # In one piece: forked processes share the standard output.
    os.write(sys.stdout.fileno(), (json.dumps(vars(count)) + "\n").encode())


def main() -> None:
    order = Order(**json.loads(sys.argv[1]))
    store = open_store(order.store)
    os.write(sys.stdout.fileno(), b"ready\n")
    order.begin = float(sys.stdin.readline())
    if not order.forks:
        _run(store, order)
        return
    now = time.time()
    store.remember(os.urandom(8), now + 1, now=now)
    children = []
    for _ in range(order.forks):
        child = os.fork()
        if not child:
            _run(store, order)
            store.close()
            os._exit(0)
        children.append(child)
        # The parent opens it again, so that the next one is forked from a process in use.
        store.remember(os.urandom(8), now + 1, now=now)
    for child in children:
        _, status = os.waitpid(child, 0)
        assert status == 0, "a forked process failed"
    store.close()


if __name__ == "__main__":
    main()

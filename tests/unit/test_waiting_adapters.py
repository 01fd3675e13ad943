"""An adapter that can wait for a replay store does so, and serves others meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from support.signed_requests import KEY, SECRET

from edgeauth import Guard, Key
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.replay import MemoryReplayStore
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner


class Slow(MemoryReplayStore):
    """Waits until it is told to go on, and cannot be asked in another way."""

    waits = True

    def __init__(self):
        super().__init__()
        self.asked, self.goes_on = asyncio.Event(), asyncio.Event()

    def remember(self, *_args, **_options):
        raise AssertionError("this would block the event loop")

    async def aremember(self, key, until, *, now, since=None):
        self.asked.set()
        await self.goes_on.wait()
        return super().remember(key, until, now=now, since=since)


def scope_of(path="/", key=KEY):
    fields = MessageSigner(key).sign("GET", path, "origin.example")
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [
            (b"host", b"origin.example"),
            *((name.lower().encode(), value.encode()) for name, value in fields.items()),
        ],
    }


async def status(gate, scope):
    sent = []

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    await gate(scope, receive, send)
    return sent[0]["status"]


async def page(scope, _receive, send):
    assert (b"signature-input" in dict(scope["headers"])) is False
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def made(store, **options):
    scheme = MessageSignatureScheme([KEY])
    return EdgeAuthMiddleware(page, Guard(scheme, replay=store, **options))


async def asked(store, waiting):
    """Until *store* is asked by the request *waiting*, which must not end before."""
    asking = asyncio.create_task(store.asked.wait())
    await asyncio.wait({asking, waiting}, return_when=asyncio.FIRST_COMPLETED)
    assert not waiting.done()


def test_others_are_served_while_one_waits_for_the_store():
    async def drive():
        store = Slow()
        gate = made(store, exempt=["GET /healthz"])
        waiting = asyncio.create_task(status(gate, scope_of()))
        await asked(store, waiting)

        forged = scope_of(key=Key(KEY.id, SECRET + "2"))
        meanwhile = [
            await status(gate, {**scope_of(), "path": "/healthz"}),
            await status(gate, forged),
        ]
        before = waiting.done()
        store.goes_on.set()
        return meanwhile, before, await waiting

    assert asyncio.run(drive()) == ([200, 403], False, 200)


def test_copies_that_wait_together_have_one_admitted():
    async def drive():
        store = Slow()
        store.goes_on.set()
        gate, scope = made(store), scope_of()
        return await asyncio.gather(*(status(gate, scope) for _ in range(20)))

    assert sorted(asyncio.run(drive())) == [200, *[403] * 19]


def test_whoever_leaves_while_he_waits_is_gone():
    async def drive():
        store = Slow()
        waiting = asyncio.create_task(status(made(store), scope_of()))
        await asked(store, waiting)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(drive())


def test_a_store_that_never_waits_is_asked_without_an_await():
    class Direct(MemoryReplayStore):
        async def aremember(self, *_args, **_options):
            raise AssertionError("nothing waits here")

    gate, scope = made(Direct()), scope_of()

    coroutine = status(gate, scope)
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    assert ended.value.value == 200
    assert asyncio.run(status(gate, scope)) == 403

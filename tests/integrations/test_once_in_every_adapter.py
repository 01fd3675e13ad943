"""A request that was captured is good once, over sockets: in every adapter, with every store."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from support.once_apps import ASGI, TWICE, TWICE_BY_WSGI, WSGI
from support.processes import wait_until
from support.redis import redis_server
from support.servers import SERVERS
from support.service import short_folder
from support.signed_requests import KEY, SECRET
from support.wire import answers, converse

from edgeauth import Key
from edgeauth.schemes.message_signatures import MessageSigner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.redis import RedisServer
    from support.servers import Running
    from support.wire import Answer

HOST = "shop.example"
TARGET = "/a/b%20c?q=1"
COPIES = 20

ADAPTERS = [*ASGI, *WSGI]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def redis(folder: Path) -> Iterator[RedisServer]:
    where = folder / "redis"
    where.mkdir()
    with redis_server(where) as server:
        yield server


@contextlib.contextmanager
def origin(adapter: str, store: str, **settings: str) -> Iterator[Running]:
    """A server with the application behind *adapter*, whose guard has *store*."""
    server = SERVERS["gunicorn" if adapter in (*WSGI, *TWICE_BY_WSGI) else "uvicorn-httptools"]
    env = {
        "EDGEAUTH_SCHEME": "message-signatures",
        "EDGEAUTH_TAG": "edge",
        "EDGEAUTH_SECRETS_FILE": "keys",
        "EDGEAUTH_REPLAY": store,
        **{f"EDGEAUTH_{name.upper()}": value for name, value in settings.items()},
    }
    with short_folder() as folder:
        (folder / "keys").write_text(f"{KEY.id}:{SECRET}\n")
        with server.serving(f"support.once_apps:app_{adapter}", folder, env=env) as running:
            yield running


@pytest.fixture(scope="module", params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest, folder: Path, redis: RedisServer) -> str:
    return {"memory": "memory", "sqlite": f"sqlite:{folder}/seen.db", "redis": redis.url}[
        request.param
    ]


@pytest.fixture(scope="module", params=ADAPTERS)
def running(request: pytest.FixtureRequest, store: str) -> Iterator[Running]:
    with origin(request.param, store) as running:
        yield running


def captured(method: str = "GET", key: Key = KEY) -> dict[str, str]:
    """The fields that an edge signs for a request of now."""
    return MessageSigner(key, tag="edge").sign(method, TARGET, HOST)


def ask(
    running: Running,
    fields: dict[str, str],
    *,
    method: str = "GET",
    target: str = TARGET,
    host: str = HOST,
) -> Answer:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if method == "POST":
        lines.append("Content-Length: 0")
    received = converse(running.address, "\r\n".join([*lines, "", ""]).encode())
    [answer] = answers(received, [method])
    return answer


def told(answer: Answer) -> Any:
    assert answer.status == 200
    return json.loads(answer.body)


def logged(running: Running, reason: str) -> int:
    """How many refusals for *reason* are in the log of the server."""
    return running.log.read_text("utf-8").count(f"reason='{reason}'")


def test_a_captured_request_is_admitted_once_and_as_nothing_else(running):
    fields = captured()
    for altered in (
        {"method": "POST"},
        {"target": TARGET.replace("b%20c", "d")},
        {"target": TARGET + "&r=2"},
        {"host": "other.example"},
    ):
        assert ask(running, fields, **altered).status == 403

    # Refused as forged, it is new to the store.
    assert {"once", "path", "method"} <= set(told(ask(running, fields))["covers"])

    before = logged(running, "replayed")
    assert [ask(running, fields).status for _ in range(3)] == [403] * 3
    wait_until(lambda: logged(running, "replayed") == before + 3, what="the replays in the log")
    assert told(ask(running, captured()))["reason"] == "ok"


def test_of_twenty_copies_at_once_one_is_admitted(running):
    fields, together = captured(), threading.Barrier(COPIES)
    statuses: list[int] = []

    def send() -> None:
        together.wait()
        statuses.append(ask(running, fields).status)

    threads = [threading.Thread(target=send) for _ in range(COPIES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, *[403] * (COPIES - 1)]


def test_what_is_forged_says_nothing_to_the_store(running):
    forged = captured(key=Key(KEY.id, "another-secret-of-somebody"))
    good = captured()
    nonce = good["Signature-Input"]

    # The very nonce, under the very key id, signed by somebody else.
    assert ask(running, {**forged, "Signature-Input": nonce}).status == 403
    assert told(ask(running, good))["reason"] == "ok"


@pytest.mark.parametrize("adapter", [*TWICE, *TWICE_BY_WSGI])
def test_a_gate_inside_of_a_gate_asks_no_second_time(adapter, folder):
    with origin(adapter, f"sqlite:{folder}/twice.db") as running:
        fields = captured()

        assert "once" in told(ask(running, fields))["covers"]
        assert ask(running, fields).status == 403
        assert logged(running, "replayed") == 1


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_store_that_is_down_refuses_with_its_reason_and_comes_back(adapter, redis):
    with origin(adapter, redis.url) as running:
        assert ask(running, captured()).status == 200
        fields = captured()
        redis.kill()
        try:
            assert [ask(running, captured()).status for _ in range(5)] == [403] * 5
            # Whatever the store cannot tell, a forgery is one.
            forged = captured(key=Key(KEY.id, "another-secret-of-somebody"))
            assert ask(running, forged).status == 403
        finally:
            redis.start()

        assert logged(running, "replay-store") == 5
        assert logged(running, "bad-signature") == 1
        wait_until(lambda: ask(running, captured()).status == 200, what="the store to be asked")
        # It was signed before the memory was lost.
        assert ask(running, fields).status == 403


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_whoever_accepts_failures_lets_in_what_is_signed_and_says_so(adapter, folder):
    folder = folder / f"of-{adapter}"
    folder.mkdir()
    store = f"sqlite:{folder}/seen.db"
    with origin(adapter, store, replay_failure="accept") as running:
        assert "once" in told(ask(running, captured()))["covers"]
        shutil.rmtree(folder)

        let_in = [told(ask(running, captured())) for _ in range(3)]

        assert [one["reason"] for one in let_in] == ["ok"] * 3
        assert not any("once" in one["covers"] for one in let_in)
        assert running.log.read_text("utf-8").count("let in without the replay store") == 3
        forged = captured(key=Key(KEY.id, "another-secret-of-somebody"))
        assert ask(running, forged).status == 403


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_report_only_lets_a_replay_in_and_reports_it(adapter):
    with origin(adapter, "memory", mode="report-only") as running:
        fields = captured()
        reasons = [told(ask(running, fields))["reason"] for _ in range(2)]

        assert reasons == ["ok", "replayed"]
        assert logged(running, "replayed") == 1


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_of_unsafe_methods_alone_the_store_is_asked_where_that_is_set(adapter):
    with origin(adapter, "memory", replay_methods="unsafe") as running:
        read, written = captured(), captured("POST")

        reads = [told(ask(running, read))["covers"] for _ in range(2)]

        assert not any("once" in covers for covers in reads)
        assert "once" in told(ask(running, written, method="POST"))["covers"]
        assert ask(running, written, method="POST").status == 403
        assert logged(running, "replayed") == 1

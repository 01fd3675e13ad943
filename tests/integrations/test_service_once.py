"""The service and credentials that are good once: what workers, reloads and retries do to them."""

from __future__ import annotations

import secrets as random
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.processes import running, wait_until
from support.proxies import NGINX, nginx, proxying
from support.redis import redis_server
from support.service import COMMAND, Service, question, serving, short_folder
from support.upstream import telling_application
from support.wire import answers, connect, converse

from edgeauth import Key
from edgeauth.schemes.message_signatures import MessageSigner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "0f3c9a-of-the-tests-7be1d2"
SIGNER = MessageSigner(Key("default", SECRET))
GUARD = f'scheme = "message-signatures"\nsecret = "{SECRET}"\n'
TARGET = "/pay?amount=3"


def asking(signed: dict[str, str], request_id: str | None = None, **close: bool) -> bytes:
    """nginx's question about one request."""
    named = [] if request_id is None else [("X-Request-ID", request_id)]
    original = [("X-Original-Method", "POST"), ("X-Original-URI", TARGET)]
    return question(*signed.items(), *original, *named, **close)


def signed() -> dict[str, str]:
    return SIGNER.sign("POST", TARGET, "origin.example")


def reason(service: Service, sent: bytes) -> str:
    (answer,) = answers(converse(service.address, sent), ["GET"])
    assert (answer.status == 204) == (answer.headers["x-edgeauth-reason"] == "ok")
    return answer.headers["x-edgeauth-reason"]


def some_id() -> str:
    return random.token_hex(16)


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with short_folder() as folder, redis_server(folder) as server:
        yield server.url


@pytest.fixture(params=["memory", "sqlite", "redis"])
def service(request, tmp_path) -> Iterator[Service]:
    """With each store; two workers where they share one."""
    if request.param == "memory":
        store, workers = "memory", 1
    elif request.param == "sqlite":
        store, workers = f"sqlite:{tmp_path}/seen.db", 2
    else:
        store, workers = request.getfixturevalue("redis_url"), 2
    with serving(f'{GUARD}replay = "{store}"', f"workers = {workers}") as running_service:
        yield running_service


def test_a_credential_is_admitted_once(service: Service):
    fields = signed()

    assert [reason(service, asking(fields)) for _ in range(4)] == ["ok", *["replayed"] * 3]
    assert service.metric("edgeauth_decisions_total", result="deny", reason="replayed") == 3


def test_a_reload_forgets_nothing(service: Service):
    fields = signed()
    assert reason(service, asking(fields)) == "ok"

    for _ in range(2):
        service.reload()

        assert reason(service, asking(fields)) == "replayed"
        assert reason(service, asking(signed())) == "ok"


def test_a_file_that_is_watched_and_changes_forgets_nothing(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"default:{SECRET}\n")
    guard = f'scheme = "message-signatures"\nsecrets_file = "{keys}"\nreplay = "memory"\n'
    with serving(f"{guard}watch_interval = 0.1") as service:
        fields = signed()
        assert reason(service, asking(fields)) == "ok"

        keys.write_text(f"default:{SECRET}\nnext:{SECRET[::-1]}\n")
        wait_until(lambda: min(service.readiness()["workers"]) > 1, what="the reload")

        assert reason(service, asking(fields)) == "replayed"


def test_the_same_question_is_answered_alike_whichever_worker_is_asked(service: Service):
    fields, name = signed(), some_id()

    assert [reason(service, asking(fields, name)) for _ in range(6)] == ["ok"] * 6
    assert reason(service, asking(fields, some_id())) == "replayed"
    assert reason(service, asking(fields)) == "replayed"


def test_after_a_second_it_is_a_replay(service: Service):
    fields, name = signed(), some_id()
    assert reason(service, asking(fields, name)) == "ok"

    # Each of these is within a second of the one before it, and that does not count.
    wait_until(
        lambda: reason(service, asking(fields, name)) == "replayed", seconds=5, what="its end"
    )


def test_questions_that_arrive_together_are_answered_in_order(service: Service):
    fields = [signed() for _ in range(20)]
    sent = b"".join(asking(one, close=False) for one in [*fields, *fields])
    with connect(service.address) as client:
        client.sendall(sent + asking(signed()))
        received = b""
        while part := client.recv(65536):
            received += part

    reasons = [one.headers["x-edgeauth-reason"] for one in answers(received, ["GET"] * 41)]
    assert reasons == [*["ok"] * 20, *["replayed"] * 20, "ok"]


@pytest.mark.parametrize(
    ("guard", "options", "word"),
    [
        pytest.param(
            f'{GUARD}replay = "memory"', ["--workers", "2"], "memory of its own", id="memory"
        ),
        pytest.param(
            f'{GUARD}components = ["@method", "content-digest"]', [], "never sees a body", id="body"
        ),
    ],
)
def test_what_cannot_hold_is_refused_at_the_start(tmp_path, guard, options, word):
    config = tmp_path / "config.toml"
    config.write_text(guard)
    listen = ["--listen", f"unix:{tmp_path}/socket", "--config", config]
    with (
        pytest.raises(AssertionError, match="ended with 2"),
        running(
            [sys.executable, COMMAND, "serve", *listen, *options],
            address="/no/such/socket",
            log=tmp_path / "log",
        ),
    ):
        pass

    assert word in (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_reload_cannot_bring_what_is_refused_at_the_start():
    with serving(GUARD, "workers = 2") as service:
        service.config.write_text(
            service.config.read_text().replace(GUARD, f'{GUARD}replay = "memory"\n')
        )
        service.config.write_text(service.config.read_text().replace("workers = 2", "workers = 1"))
        before = service.readiness()["failed_reloads"]
        service.process.send_signal(1)
        wait_until(lambda: service.readiness()["failed_reloads"] > before, what="the refusal")

        assert "memory of its own" in service.log.read_text()
        assert reason(service, asking(signed())) == "ok"


# A worker that ends after it has decided and before it has answered, if the file is there.
DIES = """
import os
from edgeauth.service import protocol
write = protocol.Connection._write
def dying(self, *args, **kwargs):
    try:
        os.unlink({flag!r})
    except OSError:
        return write(self, *args, **kwargs)
    os._exit(9)
protocol.Connection._write = dying
from edgeauth.ops.cli import main
main()
"""


def _changed(*, named: bool) -> dict[str, str]:
    changed = {
        "worker_processes auto;": "worker_processes 1;",
        "proxy_set_header Edge-Auth $http_edge_auth;": (
            "proxy_set_header Signature-Input $http_signature_input;"
            "proxy_set_header Signature $http_signature;"
        ),
    }
    return changed if named else {**changed, "proxy_set_header X-Request-ID $request_id;": ""}


@pytest.mark.parametrize("named", [True, False])
def test_a_worker_that_is_killed_refuses_no_visitor_of_a_proxy_that_names_the_request(
    tmp_path: Path, *, named: bool
):
    flag = tmp_path / "flag"
    nginx_of_the_test = replace(NGINX, prepare=nginx("nginx.conf", _changed(named=named)))
    with (
        short_folder() as folder,
        telling_application() as upstream,
        serving(
            f'{GUARD}replay = "sqlite:{tmp_path}/seen.db"',
            folder=folder,
            launcher=DIES.format(flag=str(flag)),
        ) as service,
        proxying(nginx_of_the_test, folder, str(service.address), upstream) as proxy,
    ):
        began = time.monotonic()

        def visit(fields: dict[str, str]) -> int:
            # Whatever a client calls its request, nginx has a name of its own.
            more = [*fields.items(), ("X-Request-ID", "0" * 32)]
            (answer,) = proxy.send(question(*more, method="POST", target=TARGET), "POST")
            return answer.status

        assert visit(signed()) == 200  # nginx keeps its connection, since it was no refusal
        # By then its worker is old enough to be replaced at once.
        wait_until(lambda: time.monotonic() > began + 1.5, what="its time")
        flag.touch()
        fields = signed()
        statuses = [visit(fields), visit(fields)]

        assert not flag.exists()
        assert statuses == [200 if named else 403, 403]

"""Workers that hang while the configuration changes: nobody waits for them or is fooled."""

from __future__ import annotations

import os
import resource
import secrets as random
import signal
import time
from typing import TYPE_CHECKING

import pytest
from support.processes import wait_until
from support.service import SECRET, Service, serving

import edgeauth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD, NEW = "0ld-of-the-tests-7f3a9c21", "n3w-of-the-tests-b85d04e6"


def signed(secret: str = SECRET) -> tuple[str, str]:
    return "Edge-Auth", edgeauth.sign(secret, pop="LHR")


class Hung:
    """A service of which one worker is stopped."""

    def __init__(self, service: Service, secrets: Path) -> None:
        self.service = service
        self.pid, self.well, _ = service.children()
        self._secrets = secrets
        os.kill(self.pid, signal.SIGSTOP)

    def remove_the_old_key(self) -> None:
        self._secrets.write_text(f"new:{NEW}\n")
        self.service.process.send_signal(signal.SIGHUP)

    def generations(self) -> list[int]:
        return self.service.readiness()["workers"]


@pytest.fixture
def secrets(tmp_path) -> Path:
    path = tmp_path / "secrets"
    path.write_text(f"old:{OLD}\n")
    return path


@pytest.fixture
def large(tmp_path, secrets: Path) -> Iterator[Service]:
    """A service with two workers whose state is larger than a socket takes."""
    revoked = tmp_path / "revoked"
    revoked.write_text("".join(f"{random.token_hex(16)}\n" for _ in range(20_000)))
    guard = (
        f'secrets_file = "{secrets}"\npass_secret = "{random.token_hex(16)}"\n'
        f'revoked_passes_file = "{revoked}"\nwatch_interval = 3600'
    )
    with serving(guard, "workers = 2") as service:
        yield service


@pytest.fixture
def hung(large: Service, secrets: Path) -> Hung:
    return Hung(large, secrets)


def test_a_large_state_comes_into_force_in_the_others_at_once_and_the_log_says_where(hung: Hung):
    service = hung.service

    hung.remove_the_old_key()

    wait_until(lambda: 2 in hung.generations(), seconds=8, what="the reload of the healthy one")
    assert hung.pid in service.children()
    assert (service.ask(signed(NEW)).status, service.ask(signed(OLD)).status) == (204, 403)
    wait_until(
        lambda: (
            f"(process {hung.pid}) lags: it decides by generation 1 (keys: old)"
            in service.log.read_text()
        ),
        seconds=8,
        what="the word about the one that lags",
    )
    text = service.log.read_text()
    assert "1 of 2 workers decide by generation 2 (keys: new)" in text
    assert "generation 2 is in force" not in text
    wait_until(lambda: hung.generations() == [2, 2], what="the replacement")
    complete = "generation 2 is in force in all workers (2): generation 2 (keys: new)"
    # The supervisor sees it a moment after whoever asks for the metrics.
    wait_until(lambda: complete in service.log.read_text(), what="the word of the supervisor")
    text = service.log.read_text()
    assert (
        f"(process {hung.pid}) did not take generation 2: killing it. "
        "It decided by generation 1 (keys: old)" in text
    )
    assert "in force: the keys" not in text


def test_later_reloads_do_not_give_it_more_time(hung: Hung):
    service, began = hung.service, time.monotonic()

    def is_gone() -> bool:
        service.process.send_signal(signal.SIGHUP)
        return hung.pid not in service.children()

    hung.remove_the_old_key()
    wait_until(is_gone, seconds=20, what="its end")

    assert time.monotonic() - began > 5  # it had its time
    assert hung.well in service.children()  # the other kept up
    assert (service.ask(signed(NEW)).status, service.ask(signed(OLD)).status) == (204, 403)


def test_one_that_goes_on_takes_the_newest_state_and_is_not_killed(hung: Hung):
    hung.remove_the_old_key()
    wait_until(lambda: 2 in hung.generations(), seconds=8, what="the first reload")
    hung.service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: 3 in hung.generations(), seconds=8, what="the second reload")

    os.kill(hung.pid, signal.SIGCONT)

    wait_until(lambda: hung.generations() == [3, 3], seconds=8, what="its reload")
    assert {hung.pid, hung.well} <= set(hung.service.children())
    complete = "generation 3 is in force in all workers (2)"
    wait_until(lambda: complete in hung.service.log.read_text(), what="the word of the supervisor")
    text = hung.service.log.read_text()
    assert "killing it" not in text


def test_sigterm_ends_the_service_in_bounded_time(hung: Hung):
    hung.remove_the_old_key()
    wait_until(lambda: 2 in hung.generations(), seconds=8, what="the reload")

    hung.service.process.send_signal(signal.SIGTERM)

    assert hung.service.process.wait(25) == 0
    assert "worker 0 did not end in time: killing it" in hung.service.log.read_text()
    assert not os.path.exists(f"/proc/{hung.pid}")  # noqa: PTH110


def test_a_worker_that_dies_while_the_others_drain_keeps_nobody():
    with serving(service="workers = 2") as service:
        service.process.send_signal(signal.SIGSTOP)
        os.kill(service.children()[0], signal.SIGKILL)
        service.process.send_signal(signal.SIGTERM)
        service.process.send_signal(signal.SIGHUP)
        service.process.send_signal(signal.SIGCONT)

        assert service.process.wait(10) == 0


def test_sigterm_does_not_wait_behind_thousands_of_sighups(large: Service):
    for _ in range(20_000):
        large.process.send_signal(signal.SIGHUP)
    large.process.send_signal(signal.SIGTERM)

    assert large.process.wait(10) == 0


def test_a_worker_that_cannot_be_started_is_tried_again_and_the_others_go_on():
    with serving(service="workers = 2") as service:
        pid = service.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (4, limits[1]))
        os.kill(service.children()[0], signal.SIGKILL)
        wait_until(
            lambda: "worker 0 cannot be started: Too many open files" in service.log.read_text(),
            what="the word about it",
        )
        assert service.ask(signed()).status == 204

        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)

        wait_until(lambda: service.readiness()["workers"] == [1, 1], what="the replacement")

"""Changes while requests go on: new keys, bad files, killed workers, the end."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from support.processes import HOST, free_port, running, wait_until
from support.proxies import NGINX, proxying
from support.service import (
    COMMAND,
    SECRET,
    Service,
    serving,
    short_folder,
)
from support.upstream import telling_application

import edgeauth

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD, NEW = "0ld-of-the-tests-7f3a9c21", "n3w-of-the-tests-b85d04e6"


def signed(secret: str = SECRET) -> tuple[str, str]:
    return "Edge-Auth", edgeauth.sign(secret, pop="LHR")


@dataclass
class Load:
    """Requests on connections that stay open, while the test does something.

    Attributes:
        step: what the test is at; a request belongs to a step if it began and ended in it.
        seen: how often each (step, who, status) was seen.
        dropped: connections that ended.
    """

    step: str = "start"
    seen: dict[tuple[str, str, int], int] = field(default_factory=dict)
    dropped: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, connection: http.client.HTTPConnection, who: str, secret: str | None) -> None:
        while not self.stopped.is_set():
            step = self.step
            headers = {} if secret is None else dict([signed(secret)])
            try:
                connection.request("GET", "/page", headers=headers)
                response = connection.getresponse()
                response.read()
            except (http.client.RemoteDisconnected, OSError):
                with self.lock:
                    self.dropped += 1
                connection.close()
                continue
            if step == self.step:
                with self.lock:
                    key = (step, who, response.status)
                    self.seen[key] = self.seen.get(key, 0) + 1
        connection.close()

    def count(self, step: str, who: str, *, status: int | None = None) -> int:
        return sum(
            count
            for (at, whose, found), count in self.seen.items()
            if at == step and whose == who and status in (None, found)
        )

    def enter(self, step: str, *, requests: int = 100) -> None:
        """Go on to *step*, and stay until each client sent that many requests in it."""
        self.step = step
        wait_until(
            lambda: all(self.count(step, who) >= requests for who in self.clients),
            what=f"load in step {step}",
        )

    @contextlib.contextmanager
    def of(self, address, **clients: str | None) -> Iterator[None]:
        """Two connections for each client, by name and secret."""
        self.clients = tuple(clients)
        threads = [
            threading.Thread(target=self.send, args=(_connection(address), who, secret))
            for who, secret in clients.items()
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()


def _connection(address) -> http.client.HTTPConnection:
    if not isinstance(address, str):
        return http.client.HTTPConnection(*address, timeout=10)

    class OverUnixSocket(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(address)

    return OverUnixSocket("origin.example", timeout=10)


@pytest.mark.parametrize("workers", [1, 2])
def test_keys_are_rotated_under_load_without_a_wrong_answer_or_a_dropped_connection(
    tmp_path, workers: int
):
    secrets = tmp_path / "secrets"
    secrets.write_text(f"old:{OLD}\n")
    load = Load()
    with serving(f'secrets_file = "{secrets}"', f"workers = {workers}") as service:
        with load.of(service.address, old=OLD, new=NEW):
            load.enter("old alone")

            load.step = "reloading"
            secrets.write_text(f"old:{OLD}\nnew:{NEW}\n")
            service.reload()
            load.enter("both")

            load.step = "reloading"
            secrets.write_text(f"new:{NEW}\n")
            service.reload()
            load.enter("new alone")

        refused_though_valid = sum(
            load.count(step, who, status=403)
            for step, who in [
                ("old alone", "old"),
                ("both", "old"),
                ("both", "new"),
                ("new alone", "new"),
            ]
        )
        accepted_though_not_valid = load.count("old alone", "new", status=204) + load.count(
            "new alone", "old", status=204
        )
        assert (refused_though_valid, accepted_though_not_valid) == (0, 0), load.seen
        assert load.count("both", "new") >= 100
        assert load.count("new alone", "old", status=403) >= 100
        assert load.dropped == 0
        assert f"generation 3 is in force in all workers ({workers})" in service.log.read_text()


def test_a_bad_file_keeps_the_last_good_state_and_says_so_loudly(tmp_path):
    secrets = tmp_path / "secrets"
    secrets.write_text(f"a:{SECRET}\n")
    with serving(f'secrets_file = "{secrets}"', "workers = 2") as service:
        for number, bad in enumerate(["a:short\n", "", "no colon here\n", None], 1):
            if bad is None:
                secrets.unlink()
            else:
                secrets.write_text(bad)
            service.process.send_signal(signal.SIGHUP)
            wait_until(
                lambda number=number: service.readiness()["failed_reloads"] == number,
                what="the failed reload",
            )

            assert service.readiness()["workers"] == [1, 1]
            assert service.ask(signed()).status == 204

        # A replacement does not need the file either.
        for pid in service.children()[:2]:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: service.metric("edgeauth_restarts_total") == 2, what="replacements")
        wait_until(lambda: service.observe("/readyz")[0] == 200, what="readiness")
        assert service.ask(signed()).status == 204

        assert service.metric("edgeauth_reloads_total", result="failure") == 4
        text = service.log.read_text()
        assert text.count("RELOAD FAILED, generation 1 stays in force: ") == 4
        assert SECRET not in text

        secrets.write_text(f"b:{NEW}\n")
        service.reload()
        assert service.ask(signed()).status == 403
        assert service.ask(signed(NEW)).status == 204


def test_a_reload_takes_in_all_settings_but_those_that_need_a_restart():
    with serving() as service:
        text = service.config.read_text()
        service.config.write_text(
            f'exempt = ["GET /new"]\n{text}\ndeny_status = 401\nworkers = 3\n'
        )

        service.reload()

        told = (("X-Original-Method", "GET"), ("X-Original-URI", "/new"))
        assert service.ask(*told).status == 204
        assert service.ask().status == 401
        assert service.readiness()["workers"] == [2]
        assert "workers changed: restart the service for that" in service.log.read_text()


def test_a_killed_worker_is_replaced_and_nobody_gets_in_meanwhile():
    load = Load()
    with (
        short_folder() as folder,
        telling_application() as upstream,
        serving(service="workers = 2", folder=folder) as service,
        proxying(NGINX, folder, str(service.address), upstream) as nginx,
        load.of((HOST, nginx.port), edge=SECRET, stranger=None),
    ):
        load.enter("before")
        load.step = "killing"
        for number in range(1, 7):
            os.kill(service.children()[0], signal.SIGKILL)
            wait_until(
                lambda number=number: service.metric("edgeauth_restarts_total") == number,
                what="the replacement",
            )
        wait_until(lambda: service.observe("/readyz")[0] == 200, what="readiness")
        load.enter("after")

    admitted = [status for (_, who, status) in load.seen if who == "stranger" and status < 400]
    assert admitted == []
    assert load.count("killing", "stranger") > 0
    for step in ("before", "after"):
        assert load.count(step, "edge", status=200) == load.count(step, "edge") > 0


def test_a_worker_that_hangs_does_not_keep_a_removed_key_in_force(tmp_path):
    secrets = tmp_path / "secrets"
    secrets.write_text(f"old:{OLD}\n")
    with serving(f'secrets_file = "{secrets}"', "workers = 2") as service:
        hung, _, _ = service.children()
        os.kill(hung, signal.SIGSTOP)
        secrets.write_text(f"new:{NEW}\n")
        service.reload()
        assert hung not in service.children()
        assert (service.ask(signed(NEW)).status, service.ask(signed(OLD)).status) == (204, 403)
        assert "did not take generation 2: killing it" in service.log.read_text()
        assert service.metric("edgeauth_restarts_total") == 1


def test_all_workers_killed_at_once_come_back():
    with serving(service="workers = 2") as service:
        for pid in service.children():
            os.kill(pid, signal.SIGKILL)

        wait_until(lambda: len(service.children()) == 3, what="replacements")
        wait_until(lambda: _ready(service), what="readiness")
        assert service.ask(signed()).status == 204


def _ready(service: Service) -> bool:
    try:
        return service.observe("/readyz")[0] == 200
    except ConnectionError:  # the admin process is among the killed
        return False


def test_sigterm_answers_what_it_has_and_ends_with_0():
    load = Load()
    with serving(service="workers = 2") as service, load.of(service.address, edge=SECRET):
        load.enter("before")

        service.process.send_signal(signal.SIGTERM)

        assert service.process.wait(20) == 0
        load.stopped.set()
        assert not os.path.exists(service.address)  # noqa: PTH110
        assert "drained" in service.log.read_text()
    # Every answer that came was whole and right: the rest are connections that ended.
    assert {status for (_, _, status) in load.seen} == {204}


def test_workers_do_not_outlive_a_supervisor_that_was_killed():
    with serving(service="workers = 2") as service:
        children = service.children()
        assert len(children) == 3

        service.process.kill()
        service.process.wait()

        wait_until(lambda: not any(map(_runs, children)), what="the end of the children")


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_socket_of_a_killed_service_is_no_obstacle_and_that_of_a_living_one_is():
    with short_folder() as folder:
        with serving(folder=folder) as service:
            second = _serve("--config", str(service.config), "--admin", "off")
            assert second.returncode == 2
            assert second.stderr.count("\n") == 1
            assert "cannot listen on unix:" in second.stderr
            service.process.kill()
            service.process.wait()
        with serving(folder=folder) as service:
            assert service.ask(signed()).status == 204


class TestSystemd:
    def test_a_socket_that_is_handed_over_is_served(self):
        with short_folder() as folder:
            launcher = (
                "import os, socket, sys;"
                "s = socket.socket(socket.AF_UNIX);"
                f"s.bind('{folder}/edgeauth.sock'); s.listen();"
                "os.dup2(s.fileno(), 3); os.set_inheritable(3, True);"
                "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
                f"os.execv(sys.executable, [sys.executable, '{COMMAND}', *sys.argv[1:]])"
            )
            environ = {"EDGEAUTH_SERVICE_LISTEN": "systemd"}
            with serving(folder=folder, launcher=launcher, environ=environ) as service:
                assert service.ask(signed()).status == 204
            # The socket is systemd's, to be kept for the next start.
            assert (folder / "edgeauth.sock").is_socket()

    def test_systemd_is_told_of_readiness_reloads_and_the_end(self):
        with short_folder() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.settimeout(10)

            def told() -> list[str]:
                return manager.recv(1000).decode().splitlines()

            environ = {"NOTIFY_SOCKET": f"{folder}/notify"}
            with serving(folder=folder, environ=environ) as service:
                assert told() == ["READY=1", "STATUS=generation 1 is in force"]
                service.reload()
                reloading = told()
                assert reloading[0] == "RELOADING=1"
                assert reloading[1].startswith("MONOTONIC_USEC=")
                assert told() == ["READY=1", "STATUS=generation 2 is in force"]
                service.config.write_text("secret = 1")
                service.process.send_signal(signal.SIGHUP)
                assert told()[0] == "RELOADING=1"
                assert told() == ["READY=1", "STATUS=the last reload failed; see the log"]
            assert told() == ["STOPPING=1"]

    def test_systemd_that_hands_over_nothing_is_an_error(self):
        done = _serve("--listen", "systemd", env={"EDGEAUTH_SECRET": SECRET})

        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "handed over no socket" in done.stderr


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("", [], "no secret"),
        ('secret = "short"', [], "5 bytes"),
        (f'secret = "{SECRET}"\nmax_agee = 5', [], "did you mean 'max_age'"),
        (f'secret = "{SECRET}"\n[service]\nworker = 2', [], "did you mean 'workers'"),
        (f'secret = "{SECRET}"\n[service]\nproxy = "apache"', [], "write 'nginx' or"),
        (f'secret = "{SECRET}"\nservice = 1', [], "[service]"),
        (f'secret = "{SECRET}"', ["--workers", "0"], "from 1 to 256"),
        (f'secret = "{SECRET}"', ["--deny-status", "404"], "403 or 401"),
        (f'secret = "{SECRET}"', ["--socket-mode", "999"], "octal"),
        (f'secret = "{SECRET}"', ["--proxy-addresses", "0.0.0.0/0"], "admits every address"),
        (f'secret = "{SECRET}"', ["--listen", "somewhere"], "unix:/path"),
        (f'secret = "{SECRET}"', ["--listen", "unix:relative"], "absolute path"),
        (f'secret = "{SECRET}"', ["--listen", "unix:/no/such/folder/s"], "No such file"),
        (f'secret = "{SECRET}"', ["--listen", "192.0.2.1:80"], "cannot listen"),
        (f'secret = "{SECRET}"', ["--listen", f"unix:/{'x' * 200}"], "AF_UNIX path too long"),
        (f'secret = "{SECRET}"', ["--listen", "a..b:80"], "cannot listen on a..b:80: "),
        (f'secret = "{SECRET}"', ["--admin", f"unix:/{'x' * 200}"], "AF_UNIX path too long"),
        ("not toml", [], "not TOML"),
    ],
)
def test_a_config_with_an_error_exits_2_with_one_line(tmp_path, text, arguments, said):
    config = tmp_path / "edgeauth.toml"
    config.write_text(text)

    done = _serve("--config", str(config), "--listen", f"unix:{tmp_path}/s", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr
    assert "None" not in done.stderr
    assert SECRET not in done.stderr
    assert not (tmp_path / "s").exists()


def _serve(*arguments: str, env: dict[str, str] | None = None):
    return subprocess.run(
        [sys.executable, COMMAND, "serve", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **(env or {})},
    )


def test_listening_for_other_machines_is_explained(tmp_path):
    log, port = tmp_path / "log", free_port()
    argv = [sys.executable, COMMAND, "serve", "--listen", f"0.0.0.0:{port}"]

    with running(argv, address=(HOST, port), log=log, env={"EDGEAUTH_SECRET": SECRET}):
        wait_until(lambda: "in force" in log.read_text(), what="readiness")

    said = log.read_text()
    warning = f"0.0.0.0:{port} can be reached from other machines: whoever reaches it"
    assert said.index(warning) < said.index("in force")


def test_listening_on_loopback_needs_no_explanation():
    with serving(tcp=True) as service:
        assert "WARNING" not in service.log.read_text()


def test_logs_can_be_json_one_object_a_line():
    with serving(service='log_format = "json"') as service:
        service.ask(("Edge-Auth", "x"), ("X-Original-Method", "GET"), ("X-Original-URI", '/a"b'))
        lines = [json.loads(line) for line in service.log.read_text().splitlines()]

    assert {"time", "level", "logger", "pid", "message"} <= set(lines[0])
    # The supervisor may say after it that the workers are ready.
    (refusal,) = [line for line in lines if line["level"] == "warning"]
    assert refusal["request"]["reason"] == "malformed"
    assert refusal["request"]["path"] == '/a"b'

"""What happens around the service: its manager, its files, its sockets and its descriptors."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.processes import HOST, accepts, free_port, running, wait_until
from support.proxies import NGINX, nginx, proxying
from support.service import COMMAND, ORIGINAL, SECRET, question, serving, short_folder
from support.upstream import telling_application
from support.wire import answers, connect, converse

import edgeauth

RUN = "from edgeauth.ops.cli import main; main()"


def signed(secret: str = SECRET) -> tuple[str, str]:
    return "Edge-Auth", edgeauth.sign(secret, pop="LHR")


def opened(pid: int) -> int:
    """How many descriptors a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


class TestManager:
    """Systemd, or what NOTIFY_SOCKET says that is there."""

    @pytest.mark.parametrize(
        "address", ["/no/such/folder/notify", "@nobody-listens-here", "/" + "x" * 200, "vsock:2:1"]
    )
    def test_a_notify_socket_that_leads_nowhere_is_told_of_once(self, address: str):
        with serving(environ={"NOTIFY_SOCKET": address}) as service:
            service.reload()
            service.reload()
            assert service.ask(signed()).status == 204

            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(20) == 0
            text = service.log.read_text()
        assert text.count("the state of the service cannot be sent to NOTIFY_SOCKET") == 1
        assert "None" not in text

    def test_a_manager_that_goes_away_ends_nothing(self):
        with short_folder() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            with serving(folder=folder, environ={"NOTIFY_SOCKET": f"{folder}/notify"}) as service:
                manager.close()
                service.reload()
                assert service.ask(signed()).status == 204

    def test_a_manager_that_reads_nothing_keeps_nobody_waiting(self):
        with short_folder() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
                filler.settimeout(0)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        filler.sendto(b"STATUS=full", f"{folder}/notify")
            with serving(folder=folder, environ={"NOTIFY_SOCKET": f"{folder}/notify"}) as service:
                service.reload()

                service.process.send_signal(signal.SIGTERM)
                assert service.process.wait(20) == 0

    def test_sockets_that_are_handed_over_and_not_used_are_told_of(self):
        launcher = (
            "import os, socket; s = socket.socket(); s.listen(); os.dup2(s.fileno(), 3);"
            f"os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); {RUN}"
        )
        with serving(launcher=launcher) as service:
            assert service.ask(signed()).status == 204
            assert "systemd handed over 1 sockets that are not used" in service.log.read_text()

    def test_a_socket_that_does_not_listen_is_refused_in_one_line(self, tmp_path):
        launcher = (
            "import os, socket; s = socket.socket(); os.dup2(s.fileno(), 3);"
            f"os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); {RUN}"
        )
        log = tmp_path / "log"
        with (
            pytest.raises(AssertionError, match="ended with 2"),
            running(
                [sys.executable, "-c", launcher, "serve", "--listen", "systemd"],
                address="/no/such/socket",
                log=log,
                env={"EDGEAUTH_SECRET": SECRET},
            ),
        ):
            pass

        assert "descriptor 3 of systemd is no listening stream socket" in log.read_text()
        assert "Traceback" not in log.read_text()


# Gives the command the file at the place of a path as the shell's <(cat FILE) does.
AS_A_PIPE = (
    "import os, sys;"
    "r, w = os.pipe();"
    "os.write(w, open({path}, 'rb').read()); os.close(w);"
    "{path} = '/dev/fd/%d' % r;" + RUN
)


TELLS_ITS_PID = f"import os, sys; open(sys.argv.pop(1), 'w').write(str(os.getpid())); {RUN}"


def hang_up_and_write(fifo: Path, pid: Path) -> None:
    """Send SIGHUP to a process that waits for what is written into *fifo*, and write."""
    writer = -1

    def is_opened() -> bool:
        nonlocal writer
        with contextlib.suppress(OSError):  # nobody reads yet
            writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        return writer >= 0

    wait_until(is_opened, what="its reading")
    os.kill(int(pid.read_text()), signal.SIGHUP)
    os.write(writer, f'secret = "{SECRET}"\n'.encode())
    os.close(writer)


class TestFilesThatCanBeReadOnce:
    def test_a_config_through_a_pipe_is_read_whole_and_a_reload_of_it_refused(self):
        guard = f'secret = "{SECRET}"\nexempt = ["GET /healthz"]'
        launcher = AS_A_PIPE.format(path="sys.argv[-1]")
        with serving(guard, "deny_status = 401", launcher=launcher) as service:
            told = (("X-Original-Method", "GET"), ("X-Original-URI", "/healthz"))

            for _ in range(2):
                assert service.ask(*told).status == 204
                assert service.ask(signed()).status == 204
                assert service.ask().status == 401
                service.process.send_signal(signal.SIGHUP)
                wait_until(lambda: service.readiness()["failed_reloads"] > 0, what="the refusal")

            assert "is a pipe, which can be read but once" in service.log.read_text()

    def test_a_secrets_file_through_a_pipe_is_read_whole(self, tmp_path):
        secrets = tmp_path / "secrets"
        secrets.write_text(f"old:the-old-secret-of-the-tests\nnew:{SECRET}\n")
        launcher = AS_A_PIPE.format(path="os.environ['EDGEAUTH_SECRETS_FILE']")
        with serving("", launcher=launcher, environ={"EDGEAUTH_SECRETS_FILE": str(secrets)}) as one:
            assert one.ask(signed()).status == 204
            assert one.ask(signed("the-old-secret-of-the-tests")).status == 204

            one.process.send_signal(signal.SIGHUP)
            wait_until(lambda: one.readiness()["failed_reloads"] == 1, what="the refusal")
            assert one.ask(signed()).status == 204

    @pytest.mark.parametrize(
        "name", ["config", "secrets_file", "addresses", "pass_secret_file", "revoked_passes_file"]
    )
    def test_a_fifo_is_read_once(self, tmp_path, name: str):
        content = {
            "config": "",
            "secrets_file": f"default:{SECRET}\n",
            "addresses": '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": []}',
            "pass_secret_file": "0fa1b2-of-the-passes-c3d4e5\n",
            "revoked_passes_file": "an-id\n",
        }
        fifo, socket_path = tmp_path / "fifo", f"unix:{tmp_path}/socket"
        os.mkfifo(fifo)
        variables = {"EDGEAUTH_SECRET": SECRET} if name != "secrets_file" else {}
        if name == "revoked_passes_file":
            variables["EDGEAUTH_PASS_SECRET"] = "0fa1b2-of-the-passes-c3d4e5"
        if name != "config":
            variables[f"EDGEAUTH_{name.upper()}"] = str(fifo)
        option = ["--config", fifo] if name == "config" else []
        writer = threading.Thread(target=fifo.write_text, args=(content[name],), daemon=True)
        writer.start()

        with running(
            [sys.executable, COMMAND, "serve", "--listen", socket_path, *option],
            address=f"{tmp_path}/socket",
            log=tmp_path / "log",
            env=variables,
        ):
            writer.join(10)
            assert not writer.is_alive()
            sent = question(signed(), *ORIGINAL, ("X-Forwarded-For", "192.0.2.1"))
            assert converse(f"{tmp_path}/socket", sent).startswith(b"HTTP/1.1 204 ")

    def test_a_sighup_while_it_starts_is_a_reload_and_not_its_end(self, tmp_path):
        fifo, address, log = tmp_path / "fifo", f"{tmp_path}/socket", tmp_path / "log"
        os.mkfifo(fifo)
        hasty = threading.Thread(
            target=hang_up_and_write, args=(fifo, tmp_path / "pid"), daemon=True
        )
        hasty.start()
        with running(
            [
                *(sys.executable, "-c", TELLS_ITS_PID, tmp_path / "pid"),
                *("serve", "--listen", f"unix:{address}", "--config", fifo),
            ],
            address=address,
            log=log,
        ):
            wait_until(lambda: "RELOAD FAILED" in log.read_text(), what="the reload")
            assert converse(address, question(signed())).startswith(b"HTTP/1.1 204 ")

    def test_a_fifo_in_the_place_of_a_file_does_not_keep_the_supervisor(self, tmp_path):
        secrets = tmp_path / "secrets"
        secrets.write_text(f"default:{SECRET}\n")
        with serving(f'secrets_file = "{secrets}"') as service:
            secrets.unlink()
            os.mkfifo(secrets)

            service.process.send_signal(signal.SIGHUP)

            wait_until(lambda: service.readiness()["failed_reloads"] > 0, what="the refusal")
            assert service.ask(signed()).status == 204


class TestSockets:
    def test_the_socket_of_a_successor_stays(self):
        with short_folder() as folder, serving(folder=folder) as service:
            os.unlink(service.address)  # noqa: PTH108
            with socket.socket(socket.AF_UNIX) as successor:
                successor.bind(service.address)
                successor.listen()

                service.process.send_signal(signal.SIGTERM)

                assert service.process.wait(20) == 0
                assert accepts(service.address)

    def test_a_name_with_two_addresses_is_served_on_both(self, tmp_path):
        # What /etc/hosts says of localhost on most machines, whatever it says on this one.
        launcher = (
            "import socket; real = socket.getaddrinfo;"
            "socket.getaddrinfo = lambda host, *a, **k: "
            "real('::1', *a, **k) + real('127.0.0.1', *a, **k) if host == 'localhost' "
            f"else real(host, *a, **k); {RUN}"
        )
        port = free_port()
        with running(
            [sys.executable, "-c", launcher, "serve", "--listen", f"localhost:{port}"],
            address=(HOST, port),
            log=tmp_path / "log",
            env={"EDGEAUTH_SECRET": SECRET},
        ):
            for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, "::1")):
                with socket.socket(family) as client:
                    client.settimeout(10)
                    try:
                        client.connect((host, port))
                    except OSError:
                        assert family == socket.AF_INET6
                        assert not has_ipv6()
                        continue
                    client.sendall(question(signed(), *ORIGINAL))
                    assert client.recv(1000).startswith(b"HTTP/1.1 204 ")

    def test_a_busy_port_on_one_of_its_addresses_is_an_error(self, tmp_path):
        with socket.socket() as other:
            other.bind((HOST, 0))
            other.listen()
            port = other.getsockname()[1]
            log = tmp_path / "log"
            with (
                pytest.raises(AssertionError, match="ended with 2"),
                running(
                    [sys.executable, COMMAND, "serve", "--listen", f"localhost:{port}"],
                    address="/no/such/socket",
                    log=log,
                    env={"EDGEAUTH_SECRET": SECRET},
                ),
            ):
                pass

        assert f"cannot listen on localhost:{port} (127.0.0.1): Address already" in log.read_text()

    @pytest.mark.parametrize(
        ("how", "text"),
        [("2>&-", "closed"), ("2>/dev/full", "full")],
    )
    def test_a_log_that_cannot_be_written_stops_nothing(self, tmp_path, how: str, text: str):
        address = f"{tmp_path}/{text}"
        options = ["serve", "--listen", f"unix:{address}"]
        with running(
            ["sh", "-c", f'exec "$@" {how}', "sh", sys.executable, COMMAND, *options],
            address=address,
            log=tmp_path / "log",
            env={"EDGEAUTH_SECRET": SECRET},
        ) as process:
            for _ in range(3):
                assert converse(address, question()).startswith(b"HTTP/1.1 403 ")
            process.send_signal(signal.SIGHUP)
            assert converse(address, question(signed())).startswith(b"HTTP/1.1 204 ")

            process.terminate()
            assert process.wait(20) == 0

    def test_a_log_that_nobody_reads_stops_nothing(self, tmp_path):
        address = f"{tmp_path}/socket"
        reader, writer = os.pipe()
        with running(
            [
                *("sh", "-c", f'exec "$@" 2>/proc/{os.getpid()}/fd/{writer}', "sh"),
                *(sys.executable, COMMAND, "serve", "--listen", f"unix:{address}"),
            ],
            address=address,
            log=tmp_path / "log",
            env={"EDGEAUTH_SECRET": SECRET},
        ) as process:
            os.set_blocking(writer, False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(writer, b"." * 1024)
            assert converse(address, question()).startswith(b"HTTP/1.1 403 ")
            process.send_signal(signal.SIGHUP)
            assert converse(address, question(signed())).startswith(b"HTTP/1.1 204 ")

            process.terminate()
            assert process.wait(20) == 0
        os.close(reader)
        os.close(writer)

    def test_the_lines_that_were_lost_are_counted(self, tmp_path):
        read_again = (
            "import fcntl, os, select, sys; from edgeauth.service import logs;"
            "reader, writer = os.pipe();"
            "log = logs.DroppingHandler(os.fdopen(writer, 'w'));"
            "import logging; logger = logging.getLogger('x'); logger.addHandler(log);"
            "os.write(writer, b'.' * fcntl.fcntl(writer, 1032));"  # F_GETPIPE_SZ
            "logger.error('one'); logger.error('two'); os.read(reader, 1 << 20);"
            "logger.error('three'); print(os.read(reader, 1000).decode())"
        )

        done = subprocess.run(
            [sys.executable, "-c", read_again],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )

        assert done.stdout.split("\n")[:2] == [
            "2 lines of this log are lost: nobody read standard error",
            "three",
        ]


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


BODY = ("Content-Length", "1000000")


class TestBodies:
    """A question has none, but may announce one, which may come or not."""

    @pytest.mark.parametrize("tcp", [False, True])
    @pytest.mark.parametrize("method", ["POST", "HEAD"])  # in place, and as uvicorn does it
    @pytest.mark.parametrize("announced", [BODY, ("Transfer-Encoding", "chunked")])
    def test_one_that_is_announced_ends_the_connection(self, tcp, method, announced):
        with serving(tcp=tcp) as service:
            sent = question(announced, signed(), *ORIGINAL, method=method, close=False)

            began = time.monotonic()
            (answer,) = answers(converse(service.address, sent), [method])

            assert (answer.status, answer.headers["connection"]) == (204, "close")
            assert time.monotonic() - began < 5

    @pytest.mark.parametrize("tcp", [False, True])
    def test_one_that_comes_does_not_cost_the_answer(self, tcp):
        with serving(tcp=tcp) as service:
            sent = question(("Content-Length", "500000"), *ORIGINAL, method="POST", close=False)

            for _ in range(20):
                (answer,) = answers(converse(service.address, sent + b"x" * 500_000), ["POST"])
                assert (answer.status, answer.body) == (403, b"Forbidden\n")

    def test_no_question_behind_it_is_answered(self):
        with serving() as service:
            sent = b"".join(
                [
                    question(signed(), *ORIGINAL, close=False),
                    question(("Content-Length", "3"), method="POST", close=False) + b"abc",
                    question(signed(), *ORIGINAL, close=False),
                ]
            )

            found = answers(converse(service.address, sent), ["GET", "POST", "GET"])

            assert [answer.status for answer in found] == [204, 403]

    def test_what_is_no_http_behind_a_question_is_refused_and_ends_it(self):
        with serving() as service:
            for questions in (1, 2, 3):  # in place; a task; a task, and one that waits for it
                sent = question(signed(), close=False) * questions + b"\0\r\n\r\n"

                assert b"HTTP/1.1 403 " in converse(service.address, sent)

    def test_a_length_of_zero_keeps_the_connection(self):
        with serving() as service, connect(service.address) as client:
            for _ in range(3):
                client.sendall(question(("Content-Length", "0"), signed(), *ORIGINAL, close=False))
                answer = client.recv(1000)
                assert answer.startswith(b"HTTP/1.1 204 ")
                assert b"close" not in answer

    def test_nginx_without_the_line_that_removes_it_gets_every_answer(self):
        slip = replace(
            NGINX,
            prepare=nginx(
                "nginx.conf",
                {'proxy_set_header Content-Length "";': ""},
            ),
        )
        with (
            short_folder() as folder,
            telling_application() as upstream,
            serving(folder=folder) as service,
            proxying(slip, folder, str(service.address), upstream) as proxy,
        ):
            for _ in range(10):
                sent = question(signed(), ("Content-Length", "5"), method="POST") + b"hello"
                (posted,) = proxy.send(sent, "POST")
                (got,) = proxy.send(question(signed()))
                (refused,) = proxy.send(question())
                assert (posted.status, got.status, refused.status) == (200, 200, 403)
                assert b'"body": "hello"' in posted.body

            text = service.log.read_text()
            assert text.count("the proxy announced a body") == 1
            assert 'proxy_set_header Content-Length "";' in text


class TestBounds:
    def test_a_body_that_drips_on_after_the_answer_is_cut_off(self):
        with serving() as service, connect(service.address) as client:
            client.sendall(question(BODY, method="POST", close=False))
            assert client.recv(1000).startswith(b"HTTP/1.1 403 ")

            # One byte each time that it looks.
            wait_until(lambda: not takes(client, b"x"), seconds=20, what="the end")

    def test_a_body_that_pours_on_after_the_answer_is_cut_off(self):
        with serving() as service, connect(service.address) as client:
            client.sendall(question(("Content-Length", "9" * 10), method="POST", close=False))
            assert client.recv(1000).startswith(b"HTTP/1.1 403 ")

            assert not all(takes(client, b"x" * 1024 * 1024) for _ in range(100))

    def test_few_of_them_are_held_at_a_time(self):
        with serving() as service, contextlib.ExitStack() as stack:
            worker = service.children()[0]
            before = opened(worker)
            for _ in range(400):
                client = stack.enter_context(connect(service.address))
                client.sendall(question(BODY, method="POST", close=False))
                assert client.recv(1000).startswith(b"HTTP/1.1 403 ")

            assert opened(worker) - before < 200
            assert service.ask(signed()).status == 204

    @pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
    def test_a_client_that_does_not_read_its_answers_is_let_go(self, loop: str):
        impatient = "from edgeauth.service import protocol; protocol.KEEP_ALIVE_SECONDS = 1"
        launcher = f"{impatient}; {with_loop(loop)}"
        with serving(launcher=launcher) as service, connect(service.address) as client:
            client.settimeout(0.1)
            with contextlib.suppress(TimeoutError, ConnectionError):
                while True:
                    client.sendall(question(close=False) * 1000)

            wait_until(lambda: is_closed(client), seconds=20, what="its end")

    @pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
    def test_running_out_of_descriptors_is_told_with_what_to_do(self, loop: str):
        launcher = (
            f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64));"
            f"{with_loop(loop)}"
        )
        with serving(launcher=launcher) as service:
            with contextlib.ExitStack() as stack:
                for _ in range(100):  # idle, all of them
                    with contextlib.suppress(OSError):
                        stack.enter_context(connect(service.address))
                wait_until(
                    lambda: (
                        "out of descriptors: this process may have 64" in service.log.read_text()
                    ),
                    what="the word about it",
                )
            assert "LimitNOFILE" in service.log.read_text()
            wait_until(lambda: asked(service.address), what="an answer")
            assert service.log.read_text().count("out of descriptors") == 1


def with_loop(name: str) -> str:
    """Python code that runs the command, whose workers have this event loop."""
    pytest.importorskip(name)
    return RUN if name == "uvloop" else f"import sys; sys.modules['uvloop'] = None; {RUN}"


def is_closed(client: socket.socket) -> bool:
    """Whether the other end is closed; asked without sending or reading anything."""
    poll = select.poll()
    poll.register(client, 0)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def takes(client: socket.socket, part: bytes) -> bool:
    """Whether the other end has not closed yet."""
    try:
        client.sendall(part)
    except (BrokenPipeError, ConnectionResetError):
        return False
    except TimeoutError:
        pass  # it reads nothing for now
    return True


def asked(address) -> bool:
    with contextlib.suppress(OSError):
        return converse(address, question(signed())).startswith(b"HTTP/1.1 204 ")
    return False

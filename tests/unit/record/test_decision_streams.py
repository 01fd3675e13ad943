"""Decisions of processes of their own: their streams, their users, and several at once."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.decisions import lines, summed_up

NOW = 1_700_000_000


@pytest.fixture
def file(tmp_path):
    return tmp_path / "decisions.jsonl"


ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def run_script(script, *arguments, cwd=None, stdout=subprocess.PIPE, stderr=subprocess.PIPE):
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=ENV,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        text=True,
        timeout=60,
        check=False,
    )


def test_several_processes_and_threads_never_mix_their_lines(file):
    script = (
        "import sys, threading\n"
        "from edgeauth import EdgeAuthScheme, Guard\n"
        "from support.requests import PlainRequest\n"
        "guard = Guard(EdgeAuthScheme(['x' * 16]), decisions=sys.argv[1])\n"
        "def run(): [guard.check(PlainRequest(path='/' + sys.argv[2] * 200)) for _ in range(500)]\n"
        "threads = [threading.Thread(target=run) for _ in range(2)]\n"
        "[t.start() for t in threads], [t.join() for t in threads]\n"
    )
    env = {**os.environ, "PYTHONPATH": str(next(p for p in sys.path if p.endswith("tests")))}
    command = [sys.executable, "-c", script, str(file)]
    running = [
        subprocess.Popen([*command, name], env=env, stderr=subprocess.DEVNULL) for name in "abc"
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(lines(file)) == 3000
    assert all(len(set(line["path"])) == 2 for line in lines(file))


AS_NOBODY = """
import os, sys
from edgeauth import ConfigurationError, EdgeAuthScheme, Guard
from support.requests import PlainRequest
# What it takes is imported, since the folder of Python may be root's.
Guard(EdgeAuthScheme(["x1y2" * 8]), decisions="/dev/null").check(PlainRequest())
os.setgroups([]), os.setgid(65534), os.setuid(65534)
try:
    guard = Guard(EdgeAuthScheme(["x1y2" * 8]), decisions=sys.argv[1])
    guard.start()
except ConfigurationError as error:
    print(error)
else:
    guard.check(PlainRequest())
    print("written", guard.lost_lines)
"""


@pytest.fixture
def open_folder():
    """A folder that every user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def as_nobody():
    if os.geteuid() != 0:
        pytest.skip("only root may become another user: run the tests as root")

    def run(path):
        done = run_script(AS_NOBODY, str(path))
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_check_as_root_leaves_no_file_that_the_app_cannot_write_to(open_folder, as_nobody):
    open_folder.chmod(0o777)
    site = """
import os, sys
import django
from django.conf import settings
from django.core.management import execute_from_command_line
settings.configure(
    SECRET_KEY="k", ROOT_URLCONF="support.django_urls", INSTALLED_APPS=["edgeauth.django"],
    MIDDLEWARE=["edgeauth.django.middleware.EdgeAuthMiddleware"],
    EDGEAUTH={"secret": "c2b3a1e09f7d48655a1b0c9d8e7f6a5b", "decisions": sys.argv[1]},
)
execute_from_command_line(["manage.py", "check", "--deploy", "--fail-level=CRITICAL"])
"""
    done = run_script(site, str(open_folder / "decisions"))
    assert done.returncode == 0, done.stderr
    assert "edgeauth.E001" not in done.stderr
    assert list(open_folder.iterdir()) == []
    assert as_nobody(open_folder / "decisions") == "written 0\n"


TO_A_STREAM = """
import logging, sys
logging.disable()  # it goes to standard error as well, and waits
from edgeauth import EdgeAuthScheme, Guard
from support.requests import PlainRequest
guard = Guard(EdgeAuthScheme(["x1y2" * 8]), decisions=sys.argv[1], exempt=["GET /"])
for _ in range(int(sys.argv[2])):
    guard.check(PlainRequest())
if guard.lost_lines:
    print(guard.lost_lines, flush=True)
"""


NAMES_OF_STDERR = ("/dev/stderr", "/dev/fd/2", "/proc/self/fd/2", "/proc/thread-self/fd/2", "link")


@pytest.mark.parametrize("name", NAMES_OF_STDERR)
def test_standard_error_may_be_a_socket_as_under_systemd(tmp_path, name):
    (tmp_path / "link").symlink_to("/dev/stderr")
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            done = run_script(TO_A_STREAM, name, "3", stderr=theirs, cwd=tmp_path)
        assert done.returncode == 0
        received = b"".join(iter(lambda: ours.recv(65_536), b""))
    written = [json.loads(line) for line in received.splitlines()]
    assert [line["reason"] for line in written] == ["exempt"] * 3


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("kind", ["pipe", "file", "terminal"])
def test_standard_output_may_be_anything(tmp_path, kind, name):
    if kind == "pipe":
        done = run_script(TO_A_STREAM, name, "2")
        written = done.stdout
    elif kind == "file":
        with (tmp_path / "out").open("wb") as out:
            done = run_script(TO_A_STREAM, name, "2", stdout=out)
        written = (tmp_path / "out").read_text()
    else:
        ours, theirs = pty.openpty()
        done = run_script(TO_A_STREAM, name, "2", stdout=theirs)
        os.close(theirs)
        written = os.read(ours, 65_536).decode()
        os.close(ours)
    assert done.returncode == 0
    assert [json.loads(line)["reason"] for line in written.splitlines()] == ["exempt"] * 2


def test_a_socket_that_nobody_empties_stops_no_request_and_mixes_no_lines():
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            done = run_script(TO_A_STREAM, "/dev/stderr", "20000", stderr=theirs)
        received = b"".join(iter(lambda: ours.recv(65_536), b""))
    lost = int(done.stdout)
    *whole, last = received.splitlines()
    assert all(line.startswith(b'{"time":') and line.endswith(b"}") for line in whole)
    assert len(whole) + last.endswith(b"}") == 20_000 - lost


def test_processes_on_a_full_disk_swallow_no_line_and_count_each(file):
    script = f"""
import resource, sys, time
from edgeauth import EdgeAuthScheme, Guard
from support.requests import PlainRequest
guard = Guard(EdgeAuthScheme(["x1y2" * 8]), decisions={str(file)!r}, exempt=["GET /"])
for turn in range(300):
    room = 20_000 + 10_000 * (turn // 30) if turn % 30 < 20 else 1 << 40
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, 1 << 40))
    guard.check(PlainRequest())
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 40, 1 << 40))
guard.check(PlainRequest())
print(guard.lost_lines)
"""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            env=ENV,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(3)
    ]
    lost = sum(int(process.communicate()[0]) for process in running)
    assert 0 < lost < 903
    summary = summed_up(file)
    assert summary.decisions == 903 - lost
    assert summary.missing == lost


def test_a_full_disk_refuses_nobody_and_is_told_once_a_minute(file):
    script = f"""
import logging, resource
logging.basicConfig(format="%(message)s")
from edgeauth import EdgeAuthScheme, Guard
from support.requests import PlainRequest
guard = Guard(EdgeAuthScheme(["x" * 16]), decisions={str(file)!r}, exempt=["GET /"])
resource.setrlimit(resource.RLIMIT_FSIZE, (250, 1 << 40))
for second in range(100):
    assert guard.check(PlainRequest(), now={NOW} + second).allowed
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 40, 1 << 40))
guard.check(PlainRequest(path="/after"), now={NOW} + 101)
print("all passed", guard.lost_lines)
"""
    env = {**os.environ, "PYTHONPATH": str(next(p for p in sys.path if p.endswith("tests")))}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout == "all passed 99\n"
    told = [line for line in done.stderr.splitlines() if "decisions file" in line]
    assert len(told) == 2
    assert "lines are lost so far" in told[0]
    # The half line has a line of its own; what follows can be read.
    assert json.loads(file.read_text().splitlines()[-1])["path"] == "/after"

"""Large files are read ahead in processes that fork, end, or have their own kind of threads."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from support.files import replace
from support.large_lists import large_list
from support.processes import free_port, running, wait_until
from support.vectors import SECRET

from edgeauth import sign

TESTS = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "list.json"
    path.write_text(large_list("192.0.2.0/24", size=2000))
    return path


def script(text, *arguments, seconds=60):
    """What a process of its own prints that runs *text*."""
    done = subprocess.run(
        [sys.executable, "-c", text, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BEGIN = """
import os, sys, time, threading
from support.files import replace
from pathlib import Path
from edgeauth import Guard
from support.large_lists import large_list
from support.vectors import SECRET
from support.watching import reason
file = Path(sys.argv[1])
live_guard = Guard.from_settings(
    {"secret": SECRET, "addresses": file, "max_age": 1e9, "watch_interval": 1}
)
assert reason(live_guard, SECRET) == "ok"
watched = live_guard._source._addresses
replace(file, large_list())
changed = time.monotonic()
while watched._begun is None:
    assert reason(live_guard, SECRET) == "ok"
    time.sleep(0.01)
"""
DECIDE = """
while reason(live_guard, SECRET) == "ok":
    time.sleep(0.01)
    assert time.monotonic() < changed + 10
took = time.monotonic() - changed
"""


def test_a_reading_that_a_fork_left_behind_is_made_by_the_child(file):
    fork = """
child = os.fork()
if not child:
    assert watched._begun.ahead.lost
"""
    end = """
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("both")
"""
    assert script(BEGIN + fork + DECIDE + end, file) == "both\n"


def test_no_thread_keeps_a_process_from_ending(file):
    end = """
assert not watched._begun.ahead.done
print("ends", flush=True)
"""
    started = time.monotonic()
    assert script(BEGIN + end, file) == "ends\n"
    assert time.monotonic() - started < 30


def test_under_gevent_a_large_file_is_read_too(file):
    pytest.importorskip("gevent")
    patch = "from gevent import monkey; monkey.patch_all()\n"
    end = "print('in time' if took < 4 else took)"
    assert script(patch + BEGIN + DECIDE + end, file).endswith("in time\n")


UWSGI_APP = """
from edgeauth.wsgi import EdgeAuthMiddleware

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"in\\n"]

app = EdgeAuthMiddleware(app)
"""


@pytest.mark.parametrize("threads", [(), ("--enable-threads", "--threads=4")], ids=["one", "some"])
def test_under_uwsgi_with_one_thread_and_with_some_a_large_file_is_read_too(tmp_path, threads):
    listed = tmp_path / "list.json"
    listed.write_text(large_list("127.0.0.0/8", size=20_000))
    (tmp_path / "site_under_test.py").write_text(UWSGI_APP)
    port = free_port()
    command = [
        Path(sys.executable).with_name("uwsgi"),
        f"--http-socket=127.0.0.1:{port}",
        "--module=site_under_test:app",
        "--master",
        "--need-app",
        "--die-on-term",
        f"--virtualenv={sys.prefix}",
        *threads,
    ]
    environ = {
        "EDGEAUTH_SECRET": SECRET,
        "EDGEAUTH_ADDRESSES": str(listed),
        "EDGEAUTH_WATCH_INTERVAL": "1",
        "EDGEAUTH_MAX_AGE": "1000000000",
        "PYTHONPATH": str(tmp_path),
    }
    value = sign(SECRET, pop="LHR", timestamp=1_700_000_000)

    def status():
        return httpx.get(f"http://127.0.0.1:{port}/", headers={"Edge-Auth": value}).status_code

    with running(
        command,
        address=("127.0.0.1", port),
        log=tmp_path / "log",
        cwd=tmp_path,
        env=environ,
        seconds=60,
    ):
        assert status() == 200
        replace(listed, large_list(size=20_000))
        changed = time.monotonic()
        wait_until(lambda: status() == 403, what="the new list")
        # The grace is 2 seconds; the rest is for a machine that does much else.
        assert time.monotonic() - changed < 5
        replace(listed, large_list("127.0.0.0/8", size=20_000))
        wait_until(lambda: status() == 200, what="the old list")

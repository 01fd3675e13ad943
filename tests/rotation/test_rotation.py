"""A hundred rotations under load: the grace that docs/rotation.md states is kept.

That is, once ``watch_interval`` and the time to settle are over, no request with a key that
was added is refused and none with a key that was removed is accepted, in any process.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
import threading
import time
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from support.files import Mount, replace
from support.processes import HOST, free_port, running, wait_until

from edgeauth import sign

TESTS = Path(__file__).parents[1]
INTERVAL = 0.02
GRACE = 2 * INTERVAL

GUNICORN = ("gunicorn", "--workers=4", "--bind=127.0.0.1:{port}")
SERVERS = {
    "asgi": (*GUNICORN, "--worker-class=uvicorn_worker.UvicornWorker", "rotation.asgi_app:app"),
    "wsgi": (*GUNICORN, "--preload", "rotation.wsgi_app:app"),
    "flask": (*GUNICORN, "--worker-class=gthread", "--threads=2", "rotation.flask_app:app"),
    "django": (*GUNICORN, "--preload", "rotation.django_site:app()"),
    "uvicorn": (
        "uvicorn",
        "--port={port}",
        "--no-access-log",
        "rotation.asgi_app:app",
    ),
}


class Answer(NamedTuple):
    status: int
    key_id: str


def secret(number):
    return f"the-secret-of-key-number-{number:04}"


def lines(*numbers):
    return "".join(f"{number}:{secret(number)}\n" for number in numbers)


@contextlib.contextmanager
def serving(name, tmp_path, **settings):
    port = free_port()
    settings = {"watch_interval": INTERVAL, **settings}
    with running(
        [sys.executable, "-m", *(part.format(port=port) for part in SERVERS[name])],
        address=(HOST, port),
        log=tmp_path / "log",
        cwd=tmp_path,
        env={
            "PYTHONPATH": str(TESTS),
            **{f"EDGEAUTH_{name.upper()}": str(value) for name, value in settings.items()},
        },
    ):
        yield port
    assert "Traceback" not in (tmp_path / "log").read_text(errors="replace")


def ask(port, number):
    """What the application says to a request that is signed with key *number*."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        value = sign(secret(number), pop="LHR")
        connection.request("GET", "/", headers={"Edge-Auth": value, "Connection": "close"})
        response = connection.getresponse()
        return Answer(response.status, response.read().decode())
    finally:
        connection.close()


class Edge:
    """Signs requests with one key, in two threads, until the block ends.

    Attributes:
        wrong: what was not accepted.
    """

    def __init__(self, port, number):
        self.wrong = []
        self.asked = count()
        self._port = port
        self._number = number
        self._in_use = [number, number]
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(place,)) for place in (0, 1)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _run(self, place):
        while not self._done.is_set():
            self._in_use[place] = number = self._number
            try:
                answer = ask(self._port, number)
            except OSError as error:
                answer = repr(error)
            next(self.asked)
            if answer != Answer(200, str(number)):
                self.wrong.append((number, answer))

    def switch(self, number):
        """Sign with key *number*; no request with the one before is on its way after this."""
        self._number = number
        wait_until(lambda: self._in_use == [number, number], what="a request with the new key")


def rotate(edge, port, write, first, rotations):
    """Rotate: the origin takes the new key, the edge switches, the origin drops the old.

    One write adds a key and drops the one before the key in use.
    """
    for number in range(first, first + rotations):
        write(number, number + 1)
        time.sleep(GRACE)
        removed = [ask(port, number - 1).status for _ in range(3)]
        assert removed == [403, 403, 403], f"key {number - 1} was removed"
        edge.switch(number + 1)
        assert not edge.wrong


@pytest.mark.parametrize(
    ("name", "rotations"),
    [("asgi", 100), ("wsgi", 100), ("flask", 100), ("django", 100), ("uvicorn", 20)],
)
def test_a_hundred_rotations_refuse_no_valid_request_and_accept_no_removed_key(
    name, rotations, tmp_path
):
    file = tmp_path / "secrets"
    replace(file, lines(0, 1))
    with serving(name, tmp_path, secrets_file=file) as port, Edge(port, 1) as edge:
        rotate(edge, port, lambda *numbers: replace(file, lines(*numbers)), 1, rotations)
    assert next(edge.asked) >= rotations
    assert not edge.wrong


def test_a_directory_that_is_mounted_as_kubernetes_does_rotates_as_well(tmp_path):
    def files(*numbers):
        return {str(number): secret(number) for number in numbers}

    mount = Mount(tmp_path / "keys", files(0, 1))
    with serving("wsgi", tmp_path, secrets_dir=mount.folder) as port, Edge(port, 1) as edge:
        rotate(edge, port, lambda *numbers: mount.swap(files(*numbers)), 1, 20)
    assert not edge.wrong


def test_no_fault_of_the_file_under_load_refuses_a_valid_request(tmp_path):
    file, log = tmp_path / "secrets", tmp_path / "log"
    replace(file, lines(0, 1))
    faults = {
        "has 0 bytes": lambda: file.write_text(lines(0) + "1:"),
        "cut off": lambda: file.write_text((lines(0) + lines(1))[:-10]),
        "no key": lambda: file.write_text(""),
        "not UTF-8": lambda: replace(file, b"\xff" * 100),
        "No such file": file.unlink,
    }
    # Longer than a busy machine keeps a writer waiting between two halves.
    interval = 0.25
    with (
        serving("wsgi", tmp_path, secrets_file=file, watch_interval=interval) as port,
        Edge(port, 1) as edge,
    ):
        for why, spoil in faults.items():
            spoil()
            wait_until(lambda why=why: why in log.read_text(), what=f"the line about {why}")
            replace(file, lines(0, 1))
        # Written in place, half of it first: never taken for the whole.
        with file.open("w") as half:
            half.write(lines(0))
            half.flush()
            half.write(lines(1, 2))
        time.sleep(2 * interval)
        edge.switch(2)
    assert not edge.wrong
    assert secret(1)[:10] not in log.read_text()


def test_an_address_list_that_is_replaced_under_load_is_in_force_after_the_same_grace(tmp_path):
    file, listed = tmp_path / "secrets", tmp_path / "list.json"
    replace(file, lines(1))

    def write(*networks):
        replace(listed, json.dumps({"addresses": networks, "ipv6_addresses": []}))
        time.sleep(GRACE)

    write("127.0.0.0/8")
    with serving("wsgi", tmp_path, secrets_file=file, addresses=listed) as port:
        for _ in range(10):
            with Edge(port, 1) as edge:
                write("192.0.2.0/24", "127.0.0.0/8")
                write("127.0.0.0/8")
            assert not edge.wrong
            write("192.0.2.0/24")
            assert {ask(port, 1).status for _ in range(4)} == {403}
            write("127.0.0.0/8")

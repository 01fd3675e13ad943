"""A body that comes drop by drop, or waits to be invited, at each server with one worker."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
from support.processes import HOST
from support.wire import Stream, connect

from bodies.servers import SERVERS, WSGI, signed
from edgeauth.body import SECONDS

LENGTH = "Content-Length: 100000"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def port(request, tmp_path_factory):
    with request.param.serving(tmp_path_factory.mktemp("slow"), "one") as port:
        yield port


# They have the body before they ask an application.
PATIENT = {"waitress", "cheroot", "daphne", "django-hypercorn"}


@pytest.fixture(
    scope="module",
    params=[server for server in SERVERS if server.name not in PATIENT],
    ids=lambda server: server.name,
)
def asking(request, tmp_path_factory):
    with request.param.serving(tmp_path_factory.mktemp("asking"), "one") as port:
        yield port


def head(*lines):
    return "\r\n".join(["POST / HTTP/1.1", f"Host: {HOST}", *lines, "", ""]).encode()


@contextlib.contextmanager
def dripping(port, framing, drop):
    """An unsigned upload of which a *drop* comes ten times a second, until the block ends."""
    ended = threading.Event()

    def drip():
        with contextlib.suppress(OSError):  # the server has had enough
            while not ended.wait(0.1):
                client.sendall(drop)

    with connect((HOST, port), seconds=8) as client:
        client.sendall(head(framing) + drop)
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield client
        finally:
            ended.set()
            thread.join()


FRAMINGS = pytest.mark.parametrize(
    ("framing", "drop"),
    [
        pytest.param(LENGTH, b"x", id="length"),
        pytest.param(CHUNKED, b"1\r\nx\r\n", id="chunks"),
        pytest.param(CHUNKED, b"0", id="the size of a chunk"),
    ],
)


@FRAMINGS
def test_drips_do_not_hold_a_worker_beyond_their_deadline(port, framing, drop):
    with dripping(port, framing, drop), dripping(port, framing, drop):
        started = time.monotonic()
        status = signed(port)
        took = time.monotonic() - started

    assert status == 200
    assert took < 2 * SECONDS + 2


@pytest.mark.parametrize(
    "server",
    [server for server in WSGI if server.name != "waitress"],
    ids=lambda server: server.name,
)
def test_a_drip_is_denied_at_its_deadline(server, tmp_path):
    with server.serving(tmp_path, "one") as port, dripping(port, LENGTH, b"x") as client:
        assert Stream(client).answer("POST").status == 403


def test_a_client_that_waits_to_be_invited_is_denied_at_once(asking):
    started = time.monotonic()
    with connect((HOST, asking), seconds=8) as client:
        client.sendall(head("Content-Length: 5", "Expect: 100-continue"))
        received = client.recv(65536)
        while b"403" not in received:
            more = client.recv(65536)
            assert more, received
            received += more
    assert time.monotonic() - started < SECONDS

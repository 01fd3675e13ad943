"""``edgeauth edge`` between peers that leave, reset or talk nonsense: no trace-back, no hang."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

import httpx
import pytest
from support.processes import HOST, accepts, free_port, running, stop, wait_until
from support.vectors import SECRET
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import serve

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def argv(port, upstream):
    return [
        *(sys.executable, "-m", "edgeauth", "edge"),
        *("--upstream", upstream, "--port", str(port)),
    ]


@contextlib.contextmanager
def stand_in(folder, upstream):
    """A stand-in POP that must still serve afterwards, and have no trace-back in its log."""
    port = free_port()
    log = folder / "edge.log"
    environ = {"EDGEAUTH_SECRET": SECRET}
    with running(argv(port, upstream), address=(HOST, port), log=log, env=environ) as process:
        yield (HOST, port), log
        assert process.poll() is None
        assert raw(port, b"GET http://absolute/ HTTP/1.1\r\nHost: a\r\n\r\n").startswith(
            b"HTTP/1.1 400 "
        )
    assert "Traceback" not in log.read_text()
    assert "never retrieved" not in log.read_text()


def raw(port, request):
    with socket.create_connection((HOST, port), timeout=10) as client:
        client.sendall(request)
        return client.recv(100)


@contextlib.contextmanager
def origin(serve_one):
    """An origin that gives each connection to *serve_one*, and what followed the first head."""

    def run():
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                threading.Thread(target=one, args=(peer,), daemon=True).start()

    def one(peer):
        with peer, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.recv(65536) or b"\r\n\r\n"
            serve_one(peer, head.partition(b"\r\n\r\n")[2])

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://{HOST}:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def reset(peer):
    """Close *peer* with a RST."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


@pytest.mark.parametrize("leave", [reset, socket.socket.close], ids=["reset", "close"])
def test_a_client_that_leaves_a_stream_is_let_go_and_the_origin_too(leave, tmp_path):
    left = threading.Event()

    def stream(peer, _rest):
        peer.sendall(CHUNKED)
        try:
            while True:
                peer.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        except OSError:
            left.set()

    with origin(stream) as upstream, stand_in(tmp_path, upstream) as (address, log):
        client = socket.create_connection(address, timeout=10)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(65536)
        leave(client)
        assert left.wait(20)
        wait_until(lambda: "the client left" in log.read_text())


@pytest.mark.parametrize("leave", [reset, socket.socket.close], ids=["reset", "close"])
@pytest.mark.parametrize("framing", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
def test_a_client_that_leaves_an_upload_is_let_go_and_the_origin_sees_no_whole_body(
    leave, framing, tmp_path
):
    ended = threading.Event()
    body = bytearray()

    def swallow(peer, rest):
        body.extend(rest)
        while part := peer.recv(65536):
            body.extend(part)
        ended.set()

    with origin(swallow) as upstream, stand_in(tmp_path, upstream) as (address, _log):
        client = socket.create_connection(address, timeout=10)
        client.sendall(f"POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode())
        client.sendall(b"5\r\nfirst\r\n")
        wait_until(lambda: b"first" in bytes(body))
        leave(client)
        assert ended.wait(20)
    assert not body.endswith(b"0\r\n\r\n")


def test_a_client_that_closes_its_half_after_an_upload_harms_nobody(tmp_path):
    def answer(peer, _rest):
        peer.sendall(ANSWER)

    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
    with (
        origin(answer) as upstream,
        stand_in(tmp_path, upstream) as (address, _log),
        socket.create_connection(address, timeout=10) as client,
    ):
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        # aiohttp's server takes the end of a client's half for the end of the client, so there
        # may be no answer; it must not be a wrong one.
        assert client.recv(65536)[:15] in {b"", b"HTTP/1.1 200 OK"}


@pytest.mark.parametrize(
    "before",
    [b"", b"HTTP/1.1 200 O", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
    ids=["nothing", "half a head", "nonsense", "a bad field"],
)
@pytest.mark.parametrize("end", [reset, socket.socket.close], ids=["reset", "close"])
@pytest.mark.parametrize("handshake", [False, True], ids=["request", "handshake"])
def test_an_origin_that_gives_no_answer_is_a_502(before, end, handshake, tmp_path):
    def serve_one(peer, _rest):
        peer.sendall(before)
        end(peer)

    request = HANDSHAKE if handshake else b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with origin(serve_one) as upstream, stand_in(tmp_path, upstream) as (address, _log):
        assert raw(address[1], request).startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize("end", [reset, socket.socket.close], ids=["reset", "close"])
def test_an_answer_that_breaks_off_breaks_off_and_is_told_in_one_line(end, tmp_path):
    arrived = threading.Event()

    def serve_one(peer, _rest):
        peer.sendall(CHUNKED + b"5\r\nfirst\r\n")
        arrived.wait(20)
        end(peer)

    with origin(serve_one) as upstream, stand_in(tmp_path, upstream) as (address, log):
        with httpx.stream("GET", f"http://{HOST}:{address[1]}/") as answer:
            parts = answer.iter_raw()
            assert next(parts) == b"first"
            arrived.set()
            with pytest.raises(httpx.HTTPError):
                list(parts)
        wait_until(lambda: "broke off" in log.read_text())


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nbad field\r\n\r\n", b"GET /\r\n\r\n"],
    ids=["TLS", "a bad field", "half a line"],
)
def test_a_client_that_talks_nonsense_is_answered_and_told_of_in_lines(sent, tmp_path):
    with stand_in(tmp_path, f"http://{HOST}:{free_port()}") as (address, _log):
        raw(address[1], sent + b"\r\n\r\n")


@contextlib.contextmanager
def websocket_origin(handler):
    with serve(handler, HOST, 0, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{HOST}:{server.socket.getsockname()[1]}"
        server.shutdown()
    thread.join(10)


@pytest.mark.parametrize("leave", [reset, socket.socket.close], ids=["reset", "close"])
def test_a_websocket_client_that_vanishes_is_let_go_and_so_is_the_origin(leave, tmp_path):
    left = threading.Event()

    def flood(peer):
        with contextlib.suppress(Exception):
            while True:
                peer.send(bytes(65536))
        left.set()

    with websocket_origin(flood) as upstream, stand_in(tmp_path, upstream) as (address, _log):
        client = socket.create_connection(address, timeout=10)
        client.sendall(HANDSHAKE)
        assert client.recv(65536).startswith(b"HTTP/1.1 101 ")
        leave(client)
        assert left.wait(30)


def test_a_websocket_client_that_vanishes_in_silence_closes_the_origin(tmp_path):
    left = threading.Event()

    def listen(peer):
        with contextlib.suppress(Exception):
            while True:
                peer.recv()
        left.set()

    with websocket_origin(listen) as upstream, stand_in(tmp_path, upstream) as (address, _log):
        client = socket.create_connection(address, timeout=10)
        client.sendall(HANDSHAKE)
        assert client.recv(65536).startswith(b"HTTP/1.1 101 ")
        client.close()
        assert left.wait(30)


def test_a_websocket_origin_that_vanishes_is_no_normal_end_to_the_client(tmp_path):
    def vanish(peer):
        peer.recv()
        peer.socket.shutdown(socket.SHUT_RDWR)

    with (
        websocket_origin(vanish) as upstream,
        stand_in(tmp_path, upstream) as (address, _log),
        connect(f"ws://{HOST}:{address[1]}/") as client,
    ):
        client.send("go")
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=20)
    assert closed.value.rcvd.code == 1001


@pytest.mark.parametrize("listening", ["127.0.0.1", "::1"])
def test_a_port_that_is_in_use_is_one_sentence(listening):
    family = socket.AF_INET6 if ":" in listening else socket.AF_INET
    with socket.create_server((listening, 0), family=family) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*argv(port, "http://127.0.0.1:1"), "--host", listening],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "EDGEAUTH_SECRET": SECRET},
            timeout=60,
        )
    assert done.returncode == 2
    error = done.stderr.splitlines()[-1]
    assert error.startswith("Error: cannot listen at ")
    assert error.endswith(f":{port}: another program does. Stop it, or name another --port")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly_though_a_stream_is_open(number, tmp_path):
    release = threading.Event()

    def stream(peer, _rest):
        peer.sendall(CHUNKED + b"5\r\nfirst\r\n")
        release.wait(60)

    port = free_port()
    log = tmp_path / "edge.log"
    with origin(stream) as upstream, log.open("wb") as output:
        process = subprocess.Popen(
            argv(port, upstream),
            stdout=output,
            stderr=output,
            env={**os.environ, "EDGEAUTH_SECRET": SECRET},
            start_new_session=True,
        )
        try:
            wait_until(lambda: accepts((HOST, port)))
            with socket.create_connection((HOST, port), timeout=10) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                assert client.recv(65536)
                process.send_signal(number)
                assert process.wait(30) == 0
        finally:
            release.set()
            stop(process)
    assert "Traceback" not in log.read_text()

"""One request of a probe: what is sent, and what is made of the answer."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest
from support.canned import canned
from support.processes import HOST, free_port
from support.programs import program

from edgeauth import ConfigurationError
from edgeauth.ops.probe.wire import Answer, Target, _receive, send

SENT = b"GET / HTTP/1.1\r\nHost: a\r\nA: \xff\x01\r\nA: 2\r\n\r\n"


def answer_to(answer, *, timeout=5):
    with canned(answer) as server:
        target = Target.parse(f"http://{HOST}:{server.port}/")
        got = send(target, SENT, timeout=timeout)
        assert server.heads == [SENT]
    return got


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", Answer(200)),
        (b"HTTP/1.0 403\r\n\r\n", Answer(403)),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\nA: b\r\n\r\nbody", Answer(403)),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Answer(200)),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", Answer(101)),
        (b"HTTP/1.1 302 Found\r\nLOCATION:  /a b\r\n\r\n", Answer(302, None, "/a b")),
        (b"HTTP/1.1 302 Found\r\nX-Location: /a\r\n\r\n", Answer(302)),
        (b"", Answer(None, "closed")),
        (b"HTTP/1.1 200 OK\r\n", Answer(None, "no-http")),
        (b"HTTP/1.1 600 What\r\n\r\n", Answer(None, "no-http", "the answer is not HTTP/1")),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Answer(None, "no-http", "the answer is not HTTP/1")),
    ],
    ids=str,
)
def test_the_bytes_go_out_as_they_are_and_the_final_status_comes_back(answer, expected):
    assert answer_to(answer) == expected


def test_a_server_that_says_nothing_costs_the_timeout_and_no_more():
    told = threading.Event()
    try:
        assert answer_to(lambda _: told.wait(30), timeout=0.3) == Answer(None, "timeout")
    finally:
        told.set()


def test_a_server_that_drips_cannot_hold_a_probe():
    told = threading.Event()

    def drip(stream):
        while not told.wait(0.05):
            stream.sendall(b"H")

    try:
        assert answer_to(drip, timeout=0.4) == Answer(None, "timeout")
    finally:
        told.set()


def test_no_time_is_left_means_that_nothing_is_read():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK")
        assert _receive(ours, time.monotonic() - 1) is None


def test_a_connection_that_is_reset_is_closed():
    def reset(stream):
        # With this option, closing throws away what is not yet sent and resets.
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert answer_to(reset) == Answer(None, "closed")


def test_a_head_without_end_is_not_read_to_its_end():
    def flood(stream):
        while True:
            stream.sendall(b"x" * 65536)

    got = answer_to(flood)
    assert (got.failure, "over 65536 bytes" in got.detail) == ("no-http", True)


def test_a_server_that_closes_before_it_read_everything_is_told_from_one_that_answers():
    with socket.create_server((HOST, 0)) as listening:

        def close_early():
            connection, _ = listening.accept()
            connection.recv(10)
            # With unread bytes, closing resets the connection.
            connection.close()

        thread = threading.Thread(target=close_early)
        thread.start()
        target = Target.parse(f"http://{HOST}:{listening.getsockname()[1]}/")
        assert send(target, b"x" * 20_000_000, timeout=5) == Answer(None, "closed")
        thread.join()


def test_a_server_that_reads_nothing_is_a_timeout():
    with socket.create_server((HOST, 0)) as listening:
        target = Target.parse(f"http://{HOST}:{listening.getsockname()[1]}/")
        assert send(target, b"x" * 50_000_000, timeout=0.5) == Answer(None, "timeout")


def test_a_port_where_nobody_listens_is_unreachable():
    got = send(Target.parse(f"http://{HOST}:{free_port()}/"), SENT, timeout=5)
    assert (got.status, got.failure) == (None, "unreachable")
    assert "refused" in got.detail


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for origin.example that no CA signed."""
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=origin.example", "-addext", "subjectAltName=DNS:origin.example"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    make = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run([*make, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "cert.pem")


def test_an_origin_is_reached_at_an_address_with_the_name_of_its_url(certificate):
    context, cacert = certificate
    with canned(tls=context) as server:
        target = Target.parse(
            "https://origin.example/a", connect=f"{HOST}:{server.port}", cacert=cacert
        )
        assert send(target, SENT, timeout=5) == Answer(200)


@pytest.mark.parametrize(
    ("url", "trusted"), [("https://origin.example/", False), ("https://other.example/", True)]
)
def test_a_certificate_that_is_not_trusted_or_of_another_name_is_no_origin(
    certificate, url, trusted
):
    context, cacert = certificate
    with canned(tls=context) as server:
        connect = f"{HOST}:{server.port}"
        target = Target.parse(url, connect=connect, cacert=cacert if trusted else None)
        got = send(target, SENT, timeout=5)
        assert (got.failure, got.detail[:4]) == ("unreachable", "TLS:")
        assert server.heads == []


@pytest.mark.parametrize(
    ("url", "options", "expected"),
    [
        ("http://a.example", {}, ("a.example", "/", ("a.example", 80))),
        ("http://a.example:81/b?c=d", {}, ("a.example:81", "/b?c=d", ("a.example", 81))),
        ("https://a.example/", {}, ("a.example", "/", ("a.example", 443))),
        ("http://[::1]:81/", {}, ("[::1]:81", "/", ("::1", 81))),
        ("http://a/", {"connect": "192.0.2.1:8"}, ("a", "/", ("192.0.2.1", 8))),
        ("http://a/", {"connect": "[2001:db8::1]:8"}, ("a", "/", ("2001:db8::1", 8))),
    ],
)
def test_a_url_says_where_to_connect_and_what_to_ask_for(url, options, expected):
    target = Target.parse(url, **options)
    assert (target.authority, target.path, target.address) == expected
    assert (target.tls is not None) == url.startswith("https")


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("origin.example", {}),
        ("ftp://origin.example/", {}),
        ("http:///", {}),
        ("http://user:password@origin.example/", {}),
        ("http://origin.example:99999/", {}),
        ("http://[::1/", {}),
        ("http://ä.example/", {}),
        ("http://origin.example/ä", {}),
        ("http://origin.example/a b", {}),
        ("http://a/", {"connect": "192.0.2.1"}),
        ("http://a/", {"connect": "192.0.2.1:x"}),
        ("http://a/", {"connect": ":80"}),
        ("https://a/", {"cacert": "/missing"}),
    ],
)
def test_what_names_no_origin_is_refused(url, options):
    with pytest.raises(ConfigurationError):
        Target.parse(url, **options)

"""What is dropped of a refused body: of which, how much, and for how long."""

from __future__ import annotations

import asyncio
import io
import socket
import struct
import sys
import time
import types

import pytest
import trio
from support.uploads import uploading
from support.vectors import SECRET
from trio.testing import MockClock

from edgeauth import EdgeAuthScheme, Guard, body
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.body import MOST, Upload, drop_messages, owed, owed_by_fields
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIGate


@pytest.mark.parametrize(
    ("length", "told", "bytes_"),
    [
        (None, {}, 0),
        ("", {}, 0),
        ("0", {}, 0),
        ("5", {}, 5),
        (b"5", {}, 5),
        ("-5", {}, 0),
        ("five", {}, 0),
        ("5", {"expects": True}, 0),
        (None, {"chunked": True}, MOST),
        (None, {"chunked": True, "expects": True}, 0),
        ("99999999999", {}, 99999999999),
    ],
)
def test_what_is_owed_is_what_the_request_announces(length, told, bytes_):
    assert owed(length, **{"chunked": False, "expects": False, **told}) == bytes_


def test_a_body_of_http_2_is_left_alone():
    assert owed_by_fields([(b"content-length", b"5")], "2") == 0
    assert owed_by_fields([(b"content-length", b"5")], "1.1") == 5


def test_the_fields_of_a_scope_tell_what_is_owed():
    assert owed_by_fields([], "1.1") == 0
    assert owed_by_fields([(b"transfer-encoding", b"chunked")], "1.0") == MOST
    expects = [(b"content-length", b"5"), (b"expect", b"100-continue")]
    assert owed_by_fields(expects, "1.1") == 0


def http_scope(*fields):
    return {"type": "http", "method": "POST", "path": "/", "headers": list(fields)}


def denied(scope, messages, run=asyncio.run):
    """What a gate sent, and how many of *messages* it received before it."""
    sent, received = [], []

    async def receive():
        if not messages:
            await (trio if run is trio.run else asyncio).sleep(10)
            pytest.fail("nobody ended the wait")
        received.append(messages.pop(0))
        return received[-1]

    async def send(message):
        sent.append((message, len(received)))

    gate = EdgeAuthMiddleware(None, Guard(EdgeAuthScheme([SECRET])))
    run(gate, scope, receive, send) if run is trio.run else run(gate(scope, receive, send))
    # A server closes after a body that it did not read: nobody may send the next request there.
    closes = (b"connection", b"close") in sent[0][0]["headers"]
    assert closes is (len(sent) > 2)
    assert [message["more_body"] for message, _ in sent[1:]] == [True, False][2 - len(sent[1:]) :]
    return [message.get("body") for message, _ in sent[1:]], [count for _, count in sent]


def part(size, *, more=True):
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


RUNS = pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])


@RUNS
def test_a_body_is_dropped_before_the_denial(run):
    messages = [part(5), part(5, more=False)]
    bodies, counts = denied(http_scope((b"content-length", b"10")), messages, run)
    assert (bodies, counts) == ([b"Forbidden\n"], [2, 2])


@RUNS
def test_a_body_that_does_not_end_is_denied_at_its_deadline(run, monkeypatch):
    monkeypatch.setattr("edgeauth.asgi.SECONDS", 0.05)
    bodies, counts = denied(http_scope((b"transfer-encoding", b"chunked")), [part(5)], run)
    assert (bodies, counts) == ([b"Forbidden", b"\n"], [1, 1, 1])


def test_a_body_has_a_second_and_the_last_byte_of_the_denial_waits_a_tenth():
    told = []

    async def send(message):
        told.append((round(trio.current_time() - began, 3), message.get("body")))

    async def main():
        nonlocal began
        began = trio.current_time()
        gate = EdgeAuthMiddleware(None, Guard(EdgeAuthScheme([SECRET])))
        await gate(http_scope((b"content-length", b"9")), trio.sleep_forever, send)

    began = 0.0
    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert told == [(1.0, None), (1.0, b"Forbidden"), (1.1, b"\n")]


def test_a_body_that_is_too_large_is_denied_first_and_dropped_in_part():
    messages = [part(MOST // 2) for _ in range(9)]
    bodies, counts = denied(http_scope((b"content-length", b"999999999")), messages)
    assert (bodies, counts) == ([b"Forbidden", b"\n"], [0, 0, 2])


def test_the_body_of_another_stream_than_that_of_the_denial_is_not_received():
    scope = http_scope((b"content-length", b"10"))
    bodies, counts = denied({**scope, "http_version": "2"}, [part(10, more=False)])
    assert (bodies, counts) == ([b"Forbidden\n"], [0, 0])


def test_the_largest_body_that_is_dropped_at_once_is_that_of_the_bound():
    for size, received in ((2 * 1024 * 1024, 1), (2 * 1024 * 1024 + 1, 0)):
        scope = http_scope((b"content-length", str(size).encode()))
        _, counts = denied(scope, [part(size, more=False)])
        assert counts[0] == received


def test_messages_without_end_and_bytes_are_too_much_at_some_time(monkeypatch):
    monkeypatch.setattr(body, "MOST", 3)
    messages = [{"type": "http.request", "more_body": True}] * 9
    _, counts = denied(http_scope((b"transfer-encoding", b"chunked")), messages)
    assert counts == [3, 3, 6]


def test_a_client_that_leaves_ends_its_body():
    _, counts = denied(http_scope((b"content-length", b"9")), [{"type": "http.disconnect"}])
    assert counts == [1, 1]


def test_on_an_unknown_event_loop_nothing_is_received(monkeypatch):
    monkeypatch.delitem(sys.modules, "trio")
    dropping = drop_messages(None, 1)
    with pytest.raises(StopIteration) as end:
        dropping.send(None)
    assert end.value.value is False


def deny(environ):
    gate = WSGIGate(None, Guard(EdgeAuthScheme([SECRET])))
    return gate(environ, lambda _status, _headers: None)


def test_a_body_is_read_from_the_connection_before_the_denial():
    with uploading(b"12345NEXT", CONTENT_LENGTH="5") as (environ, client):
        assert deny(environ) == [b"Forbidden\n"]
        assert environ["wsgi.input"].read(4) == b"NEXT"
        # Nobody has cut the connection meanwhile.
        client.sendall(b"AFTER")
        assert environ["wsgi.input"].read(5) == b"AFTER"


def test_a_body_is_read_from_the_connection_that_a_stream_holds():
    with uploading(b"12345NEXT", CONTENT_LENGTH="5") as (environ, _):
        stream = environ["wsgi.input"]
        environ["wsgi.input"] = types.SimpleNamespace(rfile=stream, read=stream.read)
        assert deny(environ) == [b"Forbidden\n"]
        assert stream.read(4) == b"NEXT"


class Bytewise(io.BytesIO):
    """Gives one byte a read, as a slow connection does."""

    def read(self, size=-1):
        return super().read(min(size, 1))


@pytest.mark.parametrize(
    ("stream", "length", "dropped"),
    [
        (io.BytesIO(b"12345"), 5, True),
        (Bytewise(b"12345"), 5, True),
        (io.BytesIO(b"x" * 2 * 1024 * 1024), 2 * 1024 * 1024, True),
        (io.BytesIO(b"x"), 2 * 1024 * 1024 + 1, False),
    ],
)
def test_the_socket_that_gunicorn_tells_is_the_connection(stream, length, dropped):
    client, server = socket.socketpair()
    with client, server:
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_LENGTH": str(length),
            "wsgi.input": stream,
            "gunicorn.socket": server,
        }
        answer = deny(environ)
        assert (answer == [b"Forbidden\n"]) is dropped
        assert (stream.tell() == length) is dropped


def test_a_slow_body_is_cut_denied_and_its_connection_ended(monkeypatch):
    monkeypatch.setattr(body, "SECONDS", 0.05)
    with uploading(b"1", CONTENT_LENGTH="5") as (environ, client):
        assert b"".join(deny(environ)) == b"Forbidden\n"
        assert client.recv(1) == b""


def test_a_large_body_is_dropped_in_part_between_the_denial_and_its_last_byte():
    with uploading(b"x" * 1000, CONTENT_LENGTH=str(MOST + 1)) as (environ, client):
        pieces = iter(deny(environ))
        assert next(pieces) == b"Forbidden"
        assert list(pieces) == [b"\n"]
        assert client.recv(1) == b""


@pytest.mark.parametrize(("most", "left"), [(10, 20), (11, 10)])
def test_of_a_body_without_end_no_more_is_read_than_the_bound(monkeypatch, most, left):
    monkeypatch.setattr(body, "MOST", most)
    monkeypatch.setattr(body, "_PIECE", 5)
    with uploading(
        b"x" * 40, HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input_terminated": True}
    ) as (environ, _):
        assert list(deny(environ)) == [b"Forbidden", b"\n"]
        assert len(environ["wsgi.input"].read(left)) == left
        assert environ["wsgi.input"].read(1) == b""


def test_a_client_that_leaves_ends_its_upload():
    with uploading(b"1", CONTENT_LENGTH="5") as (environ, client):
        client.shutdown(socket.SHUT_WR)
        assert deny(environ) == [b"Forbidden\n"]


def test_chunks_are_read_from_uwsgi_and_raw_from_nobody(monkeypatch):
    with uploading(b"raw", HTTP_TRANSFER_ENCODING="chunked") as (environ, _):
        assert list(deny(environ)) == [b"Forbidden", b"\n"]
        assert environ["wsgi.input"].read(3) == b"raw"
    chunks = [b"1", b"2", b""]
    uwsgi = types.SimpleNamespace(chunked_read=lambda: chunks.pop(0))
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)
    with uploading(b"raw", HTTP_TRANSFER_ENCODING="chunked") as (environ, _):
        assert deny(environ) == [b"Forbidden\n"]
    assert chunks == []


def test_a_body_in_memory_is_left_there():
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5", "wsgi.input": io.BytesIO(b"12345")}
    assert deny(environ) == [b"Forbidden\n"]
    assert environ["wsgi.input"].read() == b"12345"


def test_a_body_in_a_file_is_left_there(tmp_path):
    (tmp_path / "body").write_bytes(b"12345")
    with (tmp_path / "body").open("rb") as file:
        assert deny({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5", "wsgi.input": file}) == [
            b"Forbidden\n"
        ]
        assert file.read() == b"12345"


@pytest.mark.parametrize("module", ["granian._granian", "a2wsgi.wsgi", "granian.wsgi.body"])
def test_where_a_read_cannot_be_cut_short_none_is_tried_and_the_last_byte_waits(
    monkeypatch, module
):
    waited = []
    monkeypatch.setattr(time, "sleep", waited.append)
    stream = type("WSGIBody", (), {"__module__": module})()
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5", "wsgi.input": stream}
    assert list(deny(environ)) == [b"Forbidden", b"\n"]
    assert waited == [0.1]
    without = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "0", "wsgi.input": stream}
    assert deny(without) == [b"Forbidden\n"]
    assert Upload(environ).headers == []
    upload = Upload(environ)
    upload.drop()
    assert upload.headers == [("Connection", "close")]


def test_a_connection_that_was_reset_meanwhile_is_no_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    with server, server.makefile("rb") as stream:
        environ = {"CONTENT_LENGTH": "5", "wsgi.input": stream}
        assert list(Upload(environ).denied(b"Forbidden\n")) == [b"Forbidden", b"\n"]


def test_a_connection_that_has_ended_meanwhile_is_no_error():
    with uploading(b"x", CONTENT_LENGTH=str(MOST + 1)) as (environ, client):
        client.close()
        assert list(Upload(environ).denied(b"Forbidden\n")) == [b"Forbidden", b"\n"]


def test_a_body_whose_client_waits_for_a_go_ahead_is_not_read():
    with uploading(b"12345", CONTENT_LENGTH="5", HTTP_EXPECT="100-continue") as (environ, _):
        assert deny(environ) == [b"Forbidden\n"]
        assert environ["wsgi.input"].read(5) == b"12345"


def test_a_body_with_a_length_is_read_as_a_framework_reads_it():
    with uploading(b"12345", CONTENT_LENGTH="5") as (environ, _):
        asked = []

        def read(size):
            asked.append(size)
            return environ["wsgi.input"].read(size)

        upload = Upload(environ, read)
        upload.drop()
    assert (upload.ended, asked) == (True, [5])

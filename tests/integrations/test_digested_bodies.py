"""A body whose digest is signed reaches an application as it was signed, or not to its end."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from support.processes import HOST, wait_until
from support.servers import SERVERS
from support.service import short_folder
from support.wire import Stream, connect

from edgeauth.schemes.message_signatures import MessageSigner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.servers import Running
from support.signed_bodies import COMPONENTS, KEY, NOTES

BODY = b"pay=100\n" * 5000
DIGEST = hashlib.sha256(BODY).hexdigest().encode()
FORGED = BODY.replace(b"100", b"999")
LARGE = os.urandom(10 * 1024 * 1024)


class Origin:
    """A server with an application, and what that was handed."""

    def __init__(self, name: str, app: str, running: Running, notes: Path) -> None:
        self.name = name
        self.app = app
        self.address = running.address
        self._notes = notes
        self._seen = 0

    def handed(self, count: int) -> list[dict]:
        """What the application noted since this was asked before, when there are *count* notes."""
        # It may note a disconnect after its client has an answer.
        wait_until(lambda: len(self._lines()) >= self._seen + count, what="a note", seconds=10)
        new, self._seen = self._lines()[self._seen :], self._seen + count
        assert len(new) == count
        return [json.loads(line) for line in new]

    def _lines(self) -> list[str]:
        text = self._notes.read_text() if self._notes.exists() else ""
        return text.splitlines() if text.endswith("\n") else text.splitlines()[:-1]

    def logged(self) -> int:
        path = self._notes.with_suffix(".log")
        return path.read_text().count("reason='body'") if path.exists() else 0


def serving(name: str, app: str, **env: str) -> Iterator[Origin]:
    with short_folder() as folder:
        notes = folder / "notes"
        environ = {NOTES: str(notes), **env}
        with SERVERS[name].serving(f"support.body_apps:{app}", folder, env=environ) as running:
            yield Origin(name, app, running, notes)


def head(path: str, *framing: str, signed: bytes = BODY, algorithm: str = "sha-256") -> bytes:
    """The head of an upload, signed for a body."""
    value = b64encode(hashlib.new(algorithm.replace("-", ""), signed).digest()).decode()
    digest = ("Content-Digest", f"{algorithm}=:{value}:")
    fields = MessageSigner(KEY, components=COMPONENTS).sign("POST", path, HOST, fields=[digest])
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}", *framing]
    lines += [f"{name}: {value}" for name, value in (digest, *fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def chunks(body: bytes, size: int = 7000) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


def upload(
    origin: Origin, path: str, body: bytes, *, chunked=False, more=(), seconds=20, **of_the_head
):
    """The answer, on a connection that is closed then."""
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    sent = head(path, framing, "Connection: close", *more, **of_the_head)
    with connect(origin.address, seconds=seconds) as client:
        client.sendall(sent + (chunks(body) if chunked else body))
        return Stream(client).answer("POST")


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Origin]:
    yield from serving(request.param, SERVERS[request.param].kind)


# The status of any upload in chunks where a server does not take them, or does not tell a WSGI
# application where they end.
CHUNKS = dict.fromkeys(["hypercorn-wsgi", "twisted", "uwsgi", "tornado", "wsgiref", "a2wsgi"], 403)
# They close a connection after one answer.
ONE_EACH = {"gunicorn-sync", "uwsgi", "wsgiref"}
# They have the whole body before they ask an application.
PATIENT = {"daphne", "waitress", "twisted", "tornado"}
# They have it in memory, too.
BUFFERING = {"daphne", "hypercorn-wsgi", "tornado"}
# They do not say 100 Continue.
SILENT = {"uwsgi", "wsgiref"}
# What is written, and not returned, is lost there.
NO_WRITE = {"granian-wsgi", "hypercorn-wsgi"}


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_the_body_that_was_signed_arrives(server, algorithm):
    answer = upload(server, "/whole", BODY, algorithm=algorithm)

    assert (answer.status, answer.body) == (200, DIGEST)
    [handed] = server.handed(1)
    assert (handed["length"], handed["end"]) == (len(BODY), "end")


@pytest.mark.parametrize("body", [FORGED, BODY + b"x", BODY[:-1], b"x"])
def test_another_body_is_refused_and_does_not_arrive_to_its_end(server, body):
    logged = server.logged()
    answer = upload(server, "/whole", body)

    assert (answer.status, answer.body) == (403, b"Forbidden\n")
    [handed] = server.handed(1)
    assert handed["length"] < len(body)
    assert handed["end"] in {"disconnect", "error"}
    wait_until(lambda: server.logged() == logged + 1, seconds=10)


def test_a_body_that_is_gone_is_refused_before_the_application_is_asked(server):
    logged = server.logged()

    assert upload(server, "/ignore", b"").status == 403
    wait_until(lambda: server.logged() == logged + 1, seconds=10)
    assert upload(server, "/whole", b"", signed=b"").status == 200
    # And of the first one there is none.
    assert server.handed(1)[0]["end"] == "end"


def test_chunks_are_compared_as_well(server):
    logged = server.logged()
    good = upload(server, "/whole", BODY, chunked=True)
    forged = upload(server, "/whole", FORGED, chunked=True)

    assert forged.status == CHUNKS.get(server.name, 403)
    assert good.status == CHUNKS.get(server.name, 200)
    if server.name not in CHUNKS:
        assert good.body == DIGEST
        whole, cut = server.handed(2)
        assert (whole["end"], whole["length"]) == ("end", len(BODY))
        assert cut["end"] in {"disconnect", "error"}
        wait_until(lambda: server.logged() == logged + 1, seconds=10)


@pytest.mark.parametrize("path", ["/exact", "/lines"])
def test_the_end_is_held_back_however_it_is_read(server, path):
    if SERVERS[server.name].kind == "asgi":
        return
    assert upload(server, path, BODY).body == DIGEST
    assert upload(server, path, FORGED).status == 403
    assert [note["end"] for note in server.handed(2)] == ["end", "error"]


def test_a_connection_is_good_for_the_next_request_after_another_body(server):
    length = f"Content-Length: {len(BODY)}"
    with connect(server.address, seconds=20) as client:
        stream = Stream(client)
        statuses = []
        with contextlib.suppress(EOFError, OSError):
            for body in (BODY, FORGED, BODY):
                client.sendall(head("/whole", length) + body)
                statuses.append(stream.answer("POST").status)
    server.handed(len(statuses))
    assert statuses == ([200] if server.name in ONE_EACH else [200, 403, 200])


@pytest.mark.parametrize("path", ["/early", "/stream"])
def test_an_answer_that_has_begun_is_cut_off(server, path):
    if path == "/early" and server.name in NO_WRITE:
        return
    good = upload(server, path, BODY)
    assert good.body == b"begun " + DIGEST
    logged = server.logged()
    try:
        # Daphne and Tornado leave the connection open, without an end.
        forged = upload(server, path, FORGED, seconds=5)
    except (EOFError, OSError, http.client.IncompleteRead):
        pass
    else:
        # Some send nothing before the whole answer is there, and some end it by the connection.
        assert forged.status in {403, 500} or forged.body == b"begun "
    assert [note["end"] == "end" for note in server.handed(2)] == [True, False]
    wait_until(lambda: server.logged() == logged + 1, seconds=10)


def test_a_body_that_nobody_reads_is_not_compared(server):
    assert upload(server, "/ignore", FORGED).status == 200
    [handed] = server.handed(1)
    assert handed["length"] == 0


def test_a_client_that_leaves_midway_hands_nothing_over_to_the_end(server):
    with connect(server.address) as client:
        client.sendall(head("/whole", f"Content-Length: {len(BODY)}") + BODY[:-10])
    assert upload(server, "/whole", BODY).status == 200
    # A server that waits for the whole body does not even ask the application.
    notes = server.handed(1 if server.name in PATIENT else 2)
    assert [note["end"] for note in notes].count("end") == 1


def test_a_client_that_waits_to_be_invited_is(server):
    if server.name in SILENT:
        return
    sent = head("/whole", f"Content-Length: {len(BODY)}", "Expect: 100-continue")
    with connect(server.address, seconds=20) as client:
        client.sendall(sent)
        received = b""
        while not received.endswith(b"\r\n\r\n"):
            more = client.recv(1)
            assert more, received
            received += more
        assert b" 100 " in received
        client.sendall(BODY)
        answer = Stream(client).answer("POST")
    assert (answer.status, answer.body) == (200, DIGEST)
    server.handed(1)


def test_a_large_body_needs_no_more_memory_than_the_server_takes_for_it(server):
    upload(server, "/whole", BODY)
    upload(server, "/whole", LARGE, signed=LARGE)
    assert upload(server, "/whole", LARGE, signed=BODY).status == 403
    small, whole, cut = server.handed(3)
    assert (whole["end"], whole["length"]) == ("end", len(LARGE))
    if server.name not in BUFFERING and cut["peak"] is not None:
        assert (cut["peak"] - small["peak"]) * 1024 < len(LARGE) * 0.8
    assert cut["length"] < len(LARGE)


FRAMEWORKS = [
    ("gunicorn", "flask", ["/whole", "/exact", "/lines"]),
    ("uvicorn-h11", "starlette", ["/whole"]),
    ("gunicorn", "django_wsgi", ["/whole", "/exact", "/lines", "/body"]),
    ("gunicorn", "django_wsgi_gated", ["/whole", "/exact", "/lines", "/body"]),
    ("uvicorn-h11", "django_asgi", ["/whole", "/body", "/async/whole", "/async/body"]),
    ("hypercorn", "django_asgi_gated", ["/whole", "/body", "/async/whole", "/async/body"]),
]


@pytest.fixture(scope="module", params=FRAMEWORKS, ids=lambda found: f"{found[1]}-{found[0]}")
def framework(request: pytest.FixtureRequest) -> Iterator[tuple[Origin, list[str]]]:
    name, app, paths = request.param
    for origin in serving(name, app):
        yield origin, paths


def test_a_framework_is_handed_the_body_that_was_signed_alone(framework):
    origin, paths = framework
    for path in paths:
        logged = origin.logged()
        good, forged = (upload(origin, path, body) for body in (BODY, FORGED))
        assert (good.status, good.body) == (200, DIGEST), path
        assert (forged.status, forged.body) == (403, b"Forbidden\n"), path
        wait_until(lambda before=logged: origin.logged() == before + 1, seconds=10)
        assert upload(origin, path, b"").status == 403
        # Under ASGI Django itself reads each body to its end, before any view.
        reads_all = origin.app == "django_asgi_gated"
        assert upload(origin, "/ignore", FORGED).status == (403 if reads_all else 200)


def test_a_framework_that_would_take_chunks_for_nothing_gets_none(framework):
    origin, _ = framework
    takes_them = "django_wsgi" not in origin.app

    good, forged = (upload(origin, "/whole", body, chunked=True) for body in (BODY, FORGED))

    assert (good.status, good.body) == ((200, DIGEST) if takes_them else (403, b"Forbidden\n"))
    assert forged.status == 403


def test_files_that_are_uploaded_to_django_are_compared(framework):
    origin, _ = framework
    if "django" not in origin.app:
        return
    form = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n%b\r\n--x--\r\n'
    body, kind = form % BODY, "Content-Type: multipart/form-data; boundary=x"

    good = upload(origin, "/upload", body, signed=body, more=(kind,))
    forged = upload(origin, "/upload", form % FORGED, signed=body, more=(kind,))

    assert (good.status, good.body) == (200, DIGEST)
    assert forged.status == 403


def test_fastapi_reads_no_forged_data(framework):
    origin, _ = framework
    if origin.app != "starlette":
        return
    body, kind = b'{"pay": 100}', ("Content-Type: application/json",)

    assert upload(origin, "/data", body, signed=body, more=kind).status == 200
    assert upload(origin, "/data", b'{"pay": 999}', signed=body, more=kind).status == 403


@pytest.mark.parametrize(
    ("name", "app"),
    [("uvicorn-h11", "asgi"), ("gunicorn", "wsgi"), ("gunicorn", "django_wsgi")],
)
def test_report_only_mode_logs_another_body_and_hands_it_on(name, app):
    for origin in serving(name, app, REPORT_ONLY="1"):
        assert upload(origin, "/whole", FORGED).status == 200
        assert origin.handed(1)[0]["length"] == len(FORGED)
        wait_until(lambda found=origin: found.logged() == 1, seconds=10)

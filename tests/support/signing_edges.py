"""What holds for every edge that signs its requests, and an origin that takes each of them once."""

from __future__ import annotations

import contextlib
import json
import socketserver
import subprocess
import sys
import threading
from base64 import b64encode
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from support.odd_requests import OddRequest, odd_requests
from support.processes import HOST, Listening, free_port, running
from support.programs import program
from support.vectors import SECRET

#: A key as an edge keeps it.
HMAC_KEY = f"edge-hmac:{SECRET}"

_APPS = Path(__file__).parents[1] / "edge"
_JUNK = [
    [("Signature-Input", "junk"), ("Signature", "junk")],
    [("signature-input", 'edge=("@method");keyid="edge-hmac"'), ("signature", "edge=:AAAA:")],
    [("Signature-Input", 'bot=();tag="edge"'), ("Signature-Input", "x=1"), ("Signature", "bot=::")],
    [("Signature", "alone=:AAAA:"), ("Edge-Auth-Pass", "a pass")],
]


class Origin(NamedTuple):
    """A guarded origin, and what signs for it.

    Attributes:
        at: where it listens.
        private_key: one for Ed25519, as an edge keeps it.
        decisions: the file of its decisions.
    """

    at: Listening
    private_key: str
    decisions: Path

    def last(self) -> dict[str, Any]:
        """What it said of the last request."""
        return json.loads(self.decisions.read_text().splitlines()[-1])

    def asked_for(self, path: str) -> int:
        """How many requests for *path* there were."""
        rows = map(json.loads, self.decisions.read_text().splitlines())
        return sum(row["path"] == path for row in rows)


@contextlib.contextmanager
def signed_origin(folder: Path):
    """An origin that takes signatures of two keys: an HMAC key, and one made for it."""
    openssl = program("openssl")
    private = folder / "edge.key"
    argv = [openssl, "genpkey", "-algorithm", "ed25519", "-out", private]
    subprocess.run(argv, check=True, capture_output=True)
    argv = [openssl, "pkey", "-in", private, "-pubout", "-outform", "DER"]
    # The last 32 bytes are the key itself.
    public = subprocess.run(argv, check=True, capture_output=True).stdout[-32:]
    keys = folder / "keys"
    keys.write_text(f"{HMAC_KEY}\nedge-ed25519: ed25519:{b64encode(public).decode()}\n")
    decisions = folder / "decisions"
    env = {
        "EDGEAUTH_SCHEME": "message-signatures",
        "EDGEAUTH_SECRETS_FILE": str(keys),
        "EDGEAUTH_TAG": "edge",
        "EDGEAUTH_REPLAY": "memory",
        "EDGEAUTH_STRIP_HEADER": "false",
        "EDGEAUTH_DECISIONS": str(decisions),
    }
    port = free_port()
    log = folder / "origin.log"
    argv = [sys.executable, "-m", "uvicorn", "--app-dir", _APPS, "origin:app"]
    with running([*argv, "--port", str(port)], address=(HOST, port), log=log, env=env):
        yield Origin(Listening(port, log), f"edge-ed25519:\n{private.read_text()}", decisions)


class Answer(NamedTuple):
    """The status of an answer, and its body."""

    status: int
    body: bytes

    @property
    def report(self) -> dict[str, Any]:
        assert self.status == 200, self
        return json.loads(self.body)


def ask(
    port: int,
    method: str,
    target: str,
    fields=(),
    *,
    host: str = "shop.example",
    body: bytes | None = None,
) -> Answer:
    """The answer to one request, sent byte for byte, over a connection of its own."""
    with contextlib.closing(HTTPConnection(HOST, port, timeout=30)) as connection:
        return ask_over(connection, method, target, fields, host=host, body=body)


def ask_over(connection: HTTPConnection, method, target, fields, *, host, body) -> Answer:
    """As :func:`ask`, over a connection that stays."""
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in [("Host", host), *fields]:
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    return Answer(answer.status, answer.read())


def lines(report: dict[str, Any], name: str) -> list[str]:
    """The values of all fields with *name* that reached the origin."""
    return [value for field, value in report["headers"] if field == name]


def again(origin: Listening, report: dict[str, Any], **other: str) -> Answer:
    """Send to the origin what came through the edge once more, or with something *other*."""
    sent = {
        "method": report["method"],
        "target": report["target"],
        "host": lines(report, "host")[0],
    }
    sent |= other
    fields = [("Signature-Input", lines(report, "signature-input")[0])]
    fields += [("Signature", lines(report, "signature")[0])]
    return ask(origin.port, sent["method"], sent["target"], fields, host=sent["host"])


def statuses(edge: Listening, requests: list[OddRequest]) -> dict[int, list[OddRequest]]:
    """The *requests* by what was answered to them through the edge, over one connection."""
    found: dict[int, list[OddRequest]] = {}
    with contextlib.closing(HTTPConnection(HOST, edge.port, timeout=30)) as connection:
        for one in requests:
            body = b"" if one.method in {"POST", "PUT", "PATCH"} else None
            asked = (connection, one.method, one.target, one.fields)
            answer = ask_over(*asked, host=one.host, body=body)
            found.setdefault(answer.status, []).append(one)
    return found


@contextlib.contextmanager
def dying():
    """A server that reads a request and closes the connection: its port, and what it read."""
    seen: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            seen.append(self.request.recv(65536))

    with socketserver.TCPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1], seen
        server.shutdown()
        thread.join()


class SignsEachRequest:
    """Given the fixtures edge (Listening) and origin.

    An edge that itself refuses some requests says with which status, and is sent more of them.
    """

    odd = 1000
    own_refusals: tuple[int, ...] = ()

    @pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", b"a body")])
    def test_the_origin_accepts_what_came_through_and_refuses_the_same_a_second_time(
        self, edge, origin, method, body
    ):
        report = ask(edge.port, method, "/a%2Fb?c=1&c=%20", body=body).report
        assert (report["method"], report["target"]) == (method, "/a%2Fb?c=1&c=%20")
        assert report["body"] == (body or b"").decode()
        assert again(origin.at, report).status == 403
        assert origin.last()["reason"] == "replayed"
        assert ask(origin.at.port, method, "/a%2Fb?c=1&c=%20").status == 403

    @pytest.mark.parametrize(
        "other",
        [
            {"method": "DELETE"},
            {"target": "/a/b?c=1"},
            {"target": "/a%2fb?c=1"},
            {"target": "/a%2Fb"},
            {"target": "/a%2Fb?c=2"},
            {"host": "other.example"},
            {"host": "shop.example:8443"},
        ],
        ids=str,
    )
    def test_what_came_through_admits_no_other_request(self, edge, origin, other):
        report = ask(edge.port, "GET", "/a%2Fb?c=1").report
        assert again(origin.at, report, **other).status == 403
        assert origin.last()["reason"] == "bad-signature"

    def test_the_same_request_again_is_signed_anew(self, edge):
        reports = [ask(edge.port, "POST", "/", body=b"").report for _ in range(3)]
        assert len({lines(report, "signature")[0] for report in reports}) == 3

    @pytest.mark.parametrize("own", _JUNK)
    def test_the_origin_sees_only_the_signature_of_the_edge(self, edge, own):
        report = ask(edge.port, "GET", "/", own).report
        [signed] = lines(report, "signature-input")
        assert signed.startswith('edge=("@method" "@authority" "@path" "@query"')
        assert len(lines(report, "signature")) == 1
        assert not lines(report, "edge-auth-pass")

    @pytest.mark.parametrize(
        "fields",
        [
            [("Range", "bytes=0-1")],
            [("If-None-Match", '"a"'), ("If-Modified-Since", "Thu, 01 Jan 2026 00:00:00 GMT")],
        ],
        ids=["range", "conditional"],
    )
    def test_a_request_for_a_part_or_on_a_condition_is_signed_as_any(self, edge, fields):
        assert ask(edge.port, "GET", "/part", fields).status == 200

    def test_a_large_body_arrives_whole(self, edge):
        body = bytes(5_000_000)
        assert ask(edge.port, "POST", "/upload", body=body).body == b"5000000"

    def test_a_redirection_is_handed_on_and_not_followed(self, edge):
        assert ask(edge.port, "GET", "/moved").status == 302

    def test_the_origin_accepts_a_thousand_odd_requests(self, edge):
        by_status = statuses(edge, odd_requests(self.odd, 7, rare=False))
        assert set(by_status) <= {200, *self.own_refusals}, by_status
        assert len(by_status[200]) >= 1000


class CarriesWebSockets:
    """Of an edge that does."""

    def test_a_websocket_reaches_the_origin_signed_by_the_edge(self, edge, origin):
        own = {"Signature-Input": "junk", "Signature": "junk"}
        with connect(edge.url.replace("http", "ws"), additional_headers=own) as socket:
            socket.send("through the edge")
            assert socket.recv() == "through the edge"
        with pytest.raises(InvalidStatus) as refused, connect(origin.at.url.replace("http", "ws")):
            pass
        assert refused.value.response.status_code == 403

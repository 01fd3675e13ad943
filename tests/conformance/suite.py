"""The tests; a file for each target names the program and inherits them.

A program is anything whose ``serving(folder)`` yields a Target.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import pytest
from support.wire import connect

from conformance.quirks import expected_of
from conformance.rows import Row, all_rows, credential, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.targets import Program, Target


class Conformance:
    """Every row, against one running program."""

    program: ClassVar[Program]

    @pytest.fixture(scope="class")
    @classmethod
    def target(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
        with cls.program.serving(tmp_path_factory.mktemp("t")) as target:
            yield target

    @pytest.mark.parametrize("row", all_rows(), ids=lambda row: row.id)
    def test_the_same_bytes_get_the_same_verdict(self, row: Row, target: Target):
        outcomes = target.exchange(row.sent, row.methods)

        assert tuple(outcome.text for outcome in outcomes) == expected_of(row, target.server)
        for saw in (outcome.saw for outcome in outcomes if outcome.saw):
            assert not saw["credential_visible"]
            assert saw["other_headers_visible"] == (b"Test-Judge" in row.sent)
            if saw["reason"] == "exempt":
                # The path that the gate let through is the path that the application routes.
                assert saw["path"] in {"/healthz", "/mounted/healthz"}
            if row.identity:
                assert saw["identity"][:2] == list(row.identity)


class WebSocketConformance:
    """Handshakes, against one running program."""

    program: ClassVar[Program]
    target = Conformance.target

    def test_a_handshake_without_a_credential_gets_the_denial(self, target: Target):
        (outcome,) = target.exchange(handshake())

        assert outcome.text == "403 missing"

    def test_a_handshake_is_refused_where_the_server_lets_nobody_answer_it(self, target: Target):
        (reply,), reasons, _ = target.observe(handshake(b"Test-Server: plain"), ("GET",))

        assert (reply.status, reasons) == (403, ["missing"])

    def test_an_exemption_of_get_opens_no_websocket(self, target: Target):
        judge = {"exempt": ["GET /healthz"]}

        (outcome,) = target.exchange(handshake(target=b"/healthz", judge=judge))

        assert outcome.text == "403 missing"

    def test_a_handshake_with_a_credential_is_accepted(self, target: Target):
        with connect(target.address) as client, client.makefile("rb") as stream:
            client.sendall(handshake(credential()))
            assert stream.readline().startswith(b"HTTP/1.1 101 ")
            while stream.readline() != b"\r\n":
                pass
            saw = json.loads(read_frame(stream))
            client.sendall(frame(b"hello"))
            echo = read_frame(stream)

        assert (saw["reason"], saw["credential_visible"]) == ("ok", False)
        assert echo == b"hello"


class UnixSocketConformance:
    """A peer without an address, against one running program."""

    program: ClassVar[Program]
    target = Conformance.target

    @pytest.mark.parametrize(
        ("judge", "fields", "expected"),
        [
            pytest.param({}, (), "200 ok", id="no address is asked for"),
            pytest.param({"addresses": ["192.0.2.0/24"]}, (), "403 address", id="none to look up"),
            pytest.param(
                {"addresses": ["192.0.2.0/24"]},
                (b"X-Forwarded-For: 192.0.2.9",),
                "403 address",
                id="a proxy that nobody trusts",
            ),
            pytest.param(
                {"addresses": ["192.0.2.0/24"], "trusted_proxies": ["unix"]},
                (b"X-Forwarded-For: 192.0.2.9",),
                "200 ok",
                id="a trusted proxy",
            ),
            pytest.param(
                {"addresses": ["192.0.2.0/24"], "trusted_proxies": ["unix"]},
                (b"X-Forwarded-For: 192.0.2.9, 203.0.113.7",),
                "403 address",
                id="a stranger before a trusted proxy",
            ),
            pytest.param(
                {"addresses": ["192.0.2.0/24"], "trusted_proxies": ["unix"]},
                (),
                "403 address",
                id="a trusted proxy that says nothing",
            ),
        ],
    )
    def test_the_address_is_what_a_trusted_proxy_says(
        self, judge: dict[str, Any], fields: tuple[bytes, ...], expected: str, target: Target
    ):
        (outcome,) = target.exchange(request(credential(), *fields, judge=judge))

        assert outcome.text == expected

    def test_the_log_says_what_to_set(self, target: Target):
        sent = request(credential(), judge={"addresses": ["192.0.2.0/24"]})

        _, _, logged = target.observe(sent, ("GET",))

        assert b"add 'unix' to trusted_proxies" in logged


def handshake(*fields: bytes, target: bytes = b"/", judge: dict[str, Any] | None = None) -> bytes:
    """The request that opens a WebSocket (RFC 6455, 1.2)."""
    return request(
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *fields,
        target=target,
        judge=judge,
        close=False,
    )


def frame(text: bytes) -> bytes:
    """A short text message from a client: whole, and masked with zeros."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text


def read_frame(stream: BinaryIO) -> bytes:
    """A text message from a server: whole, unmasked, under 64 KiB."""
    kind, length = stream.read(2)
    assert kind == 0x81
    if length == 126:
        length = int.from_bytes(stream.read(2))
    return stream.read(length)

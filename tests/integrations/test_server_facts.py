"""What docs/servers.md says of each server, asked of the server."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.server_facts import APART, DROPPED, FACTS, JOINED, LAST, MERGED, REFUSED, UNREAD
from support.servers import SERVERS
from support.service import short_folder
from support.wire import converse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.wire import Address

_PAGE = Path(__file__).parents[2] / "docs" / "servers.md"

# What some server, framework or proxy takes the mount point from.
_MOUNT_FIELDS = (
    *("Daphne-Root-Path", "SCRIPT_NAME", "Script-Name", "X-Script-Name", "X-Forwarded-Prefix"),
    *("Root-Path", "X-Forwarded-Path", "UWSGI_SCRIPT_NAME", "HTTP_SCRIPT_NAME", "PATH_INFO"),
)


@dataclass
class Asked:
    """A running server whose application tells what it was told."""

    name: str
    address: Address

    def told(self, *fields: str, target: str = "/a", body: str = "") -> dict[str, Any] | None:
        """What the application was told of a request; None if it was not reached."""
        lines = [f"{'POST' if body else 'GET'} {target} HTTP/1.1", "Host: origin.example"]
        sent = "\r\n".join([*lines, "Connection: close", *fields, "", body]).encode()
        try:
            received = converse(self.address, sent, seconds=5).partition(b"\r\n\r\n")[2]
        except TimeoutError:
            return None
        return json.loads(received) if received.startswith(b"{") else None

    def field(self, *fields: str, body: str = "") -> str | None:
        """What the application sees as X-Note; None if it was not reached, empty if it was not."""
        told = self.told(*fields, body=body)
        if told is None:
            return None
        if "headers" in told:
            return "+".join(f"{n}={v}" for n, v in told["headers"] if n in {"x-note", "x_note"})
        return told.get("HTTP_X_NOTE", "")


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Asked]:
    name = request.param
    with (
        short_folder() as folder,
        SERVERS[name].serving(f"support.fact_apps:{SERVERS[name].kind}", folder) as running,
    ):
        yield Asked(name, running.address)


def test_a_field_with_an_underscore_is_what_the_table_says(server):
    told = {
        server.field("X-Note: real", "X_Note: twin"),
        server.field("X_Note: twin", "X-Note: real"),
    }

    assert (
        told
        == {
            APART: {"x-note=real+x_note=twin", "x_note=twin+x-note=real"},
            DROPPED: {"x-note=real"} if SERVERS[server.name].kind == "asgi" else {"real"},
            JOINED: {"real,twin", "twin,real"}
            if server.name != "uwsgi"
            else {"real, twin", "twin, real"},
            LAST: {"real", "twin"},
        }[FACTS[server.name].look_alike]
    )


def test_trailers_are_what_the_table_says(server):
    real = "x-note=real" if SERVERS[server.name].kind == "asgi" else "real"
    merged = "x-note=real+x-note=trailer" if SERVERS[server.name].kind == "asgi" else "real,trailer"

    seen = server.field(
        "X-Note: real",
        "Transfer-Encoding: chunked",
        body="5\r\nhello\r\n0\r\nX-Note: trailer\r\n\r\n",
    )

    expected = {MERGED: merged, DROPPED: real, REFUSED: None, UNREAD: None}
    assert seen == expected[FACTS[server.name].trailers]


def test_a_client_sets_the_mount_point_as_the_table_says(server):
    variable = "root_path" if SERVERS[server.name].kind == "asgi" else "SCRIPT_NAME"

    moved = [field for field in _MOUNT_FIELDS if (server.told(f"{field}: /a") or {}).get(variable)]

    assert moved == [field for field in [FACTS[server.name].mount] if field]


def test_the_target_is_told_as_the_table_says(server):
    told = server.told(target="/a%2fb") or {}

    targets = (told.get(name) for name in ("raw_path", "RAW_URI", "REQUEST_URI"))

    assert ("yes" if "/a%2fb" in targets else "no") == FACTS[server.name].target


@pytest.mark.parametrize("name", [name for name, server in SERVERS.items() if server.unix])
def test_a_unix_socket_is_told_as_the_table_says(name):
    with (
        short_folder() as folder,
        SERVERS[name].serving(
            f"support.fact_apps:{SERVERS[name].kind}", folder, unix=True
        ) as running,
    ):
        told = Asked(name, running.address).told()

    if FACTS[name].unix_peer == "-":
        # Twisted 26.10: an error of its own for each request.
        assert told is None
        return
    assert told is not None
    assert _peer(told) == FACTS[name].unix_peer
    assert _server(told, str(running.address)) == FACTS[name].unix_server


def test_every_server_is_in_the_table_and_the_page_has_it():
    page = _PAGE.read_text()

    assert list(FACTS) == list(SERVERS)
    for name in FACTS:
        assert row(name) in page


def row(name: str) -> str:
    """The line of docs/servers.md about a server."""
    facts = FACTS[name]
    peer = {None: "none", "-": "no such sockets", "": "empty"}.get(
        facts.unix_peer, f"`{facts.unix_peer}`"
    )
    cells = [
        facts.title,
        facts.look_alike,
        facts.trailers,
        f"`{facts.mount}`" if facts.mount else "no",
        facts.target,
        peer,
    ]
    return "| " + " | ".join(cells) + " |"


def _peer(told: dict[str, Any]) -> str | None:
    if "client" in told:
        return told["client"] and told["client"][0]
    return told.get("REMOTE_ADDR")


def _server(told: dict[str, Any], path: str) -> str | None:
    if "server" in told:
        parts = told["server"] and [part for part in told["server"] if part is not None]
    else:
        parts = [told[name] for name in ("SERVER_NAME", "SERVER_PORT") if name in told]
    if not parts:
        return None
    if parts == [*path[:2]]:
        return "PATH[0]:PATH[1]"
    text = ":".join(parts).replace(path, "PATH").replace("origin.example", "HOST")
    text = re.sub(rf"^{re.escape(socket.gethostname())}\b", "HOSTNAME", text)
    return re.sub(r"Cheroot/[\d.]+", "Cheroot", text)

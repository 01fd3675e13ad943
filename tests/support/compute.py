"""Compute programs under Viceroy, the vendor's local runtime."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import edgeauth
from support import edge_tools
from support.processes import HOST, Listening, free_port, running
from support.vectors import SECRET

if TYPE_CHECKING:
    from pathlib import Path

COMPUTE_JS = edge_tools.FASTLY / "compute-js"

# Viceroy compiles the whole JavaScript engine before it listens.
_START_SECONDS = 240


@contextlib.contextmanager
def viceroy(folder: Path, wasm: Path, origin: str, stores: str = ""):
    """Viceroy serving *wasm* with the backend ``origin``; *stores* is more TOML of it."""
    port = free_port()
    manifest = folder / f"fastly-{port}.toml"
    manifest.write_text(backend("origin", origin) + stores)
    log = folder / f"viceroy-{port}.log"
    argv = [edge_tools.viceroy(), "-C", manifest, "--addr", f"{HOST}:{port}", wasm]
    with running(argv, address=(HOST, port), log=log, cwd=folder, seconds=_START_SECONDS):
        yield Listening(port, log)


def backend(name: str, url: str) -> str:
    return f'[local_server.backends.{name}]\nurl = "{url}"\n'


def secret_store(name: str, secret: str) -> str:
    return f'[[local_server.secret_stores.{name}]]\nkey = "secret"\ndata = "{secret}"\n'


def config_store(name: str, secret: str) -> str:
    return (
        f'[local_server.config_stores.{name}]\nformat = "inline-toml"\n'
        f'[local_server.config_stores.{name}.contents]\nsecret = "{secret}"\n'
    )


class SignsForTheOrigin:
    """What holds for a program in either language, given the fixtures edge and origin."""

    @pytest.mark.parametrize(("method", "body"), [("GET", ""), ("POST", "a body")])
    def test_the_origin_accepts_what_came_through_and_refuses_it_past_the_edge(
        self, edge, origin, method, body
    ):
        answer = httpx.request(method, f"{edge.url}/a?b=1", content=body)
        assert answer.status_code == 200, answer.text
        report = answer.json()
        assert report["pop"] == "XXX"
        assert (report["method"], report["target"], report["body"]) == (method, "/a?b=1", body)
        assert httpx.request(method, f"{origin.url}/a?b=1", content=body).status_code == 403

    @pytest.mark.parametrize(
        "own",
        [
            pytest.param(edgeauth.sign(SECRET, pop="LHR"), id="valid"),
            pytest.param(edgeauth.sign(SECRET, pop="LHR", timestamp=1_700_000_000), id="stale"),
            pytest.param("let me in", id="junk"),
        ],
    )
    def test_the_origin_sees_only_the_credential_of_the_edge(self, edge, own):
        report = httpx.get(edge.url, headers=[("Edge-Auth", own), ("edge-auth", own)]).json()
        assert report["pop"] == "XXX"
        assert [name for name, _ in report["headers"]].count("edge-auth") == 1

    def test_a_pass_ends_at_the_edge(self, edge):
        report = httpx.get(edge.url, headers=[("Edge-Auth-Pass", "a"), ("edge-auth-pass", "b")])
        assert report.status_code == 200
        assert "edge-auth-pass" not in [name for name, _ in report.json()["headers"]]

    @pytest.mark.parametrize("own", ["", "let me in"], ids=["no credential", "junk"])
    def test_a_websocket_reaches_the_origin_signed_by_the_edge(self, edge, origin, own):
        headers = {"Edge-Auth": own} if own else {}
        with connect(edge.url.replace("http", "ws"), additional_headers=headers) as socket:
            socket.send("through the edge")
            assert socket.recv() == "through the edge"
        with pytest.raises(InvalidStatus) as refused, connect(origin.url.replace("http", "ws")):
            pass
        assert refused.value.response.status_code == 403

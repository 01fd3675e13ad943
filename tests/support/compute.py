"""Compute programs under Viceroy, the vendor's local runtime."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
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


def build_js(home: Path, script: str = "build") -> Path:
    """What ``npm run`` makes of the package in *home*."""
    (home / "node_modules").symlink_to(edge_tools.js_compute())
    env = {**os.environ, "NODE_NO_WARNINGS": "1"}
    argv = ["npm", "run", script, "--silent"]
    done = subprocess.run(argv, cwd=home, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "bin" / "main.wasm"


# Viceroy compiles the whole JavaScript engine before it listens.
_START_SECONDS = 240


@contextlib.contextmanager
def viceroy(folder: Path, wasm: Path, origin: str, stores: str = "", *, host: str = ""):
    """Viceroy serving *wasm* with the backend ``origin``; *stores* is more TOML of it.

    *host* overrides the Host of what is sent to the backend.
    """
    port = free_port()
    manifest = folder / f"fastly-{port}.toml"
    manifest.write_text(backend("origin", origin, host) + stores)
    log = folder / f"viceroy-{port}.log"
    argv = [edge_tools.viceroy(), "-C", manifest, "--addr", f"{HOST}:{port}", wasm]
    with running(argv, address=(HOST, port), log=log, cwd=folder, seconds=_START_SECONDS):
        yield Listening(port, log)


def backend(name: str, url: str, host: str = "") -> str:
    """A backend; *host* is the Host that it gets whatever the request has."""
    override = f'override_host = "{host}"\n' if host else ""
    return f'[local_server.backends.{name}]\nurl = "{url}"\n{override}'


def secret_store(name: str, secret: str, item: str = "secret") -> str:
    # A text of JSON is one of TOML: a key in PEM has several lines.
    data = json.dumps(secret)
    return f'[[local_server.secret_stores.{name}]]\nkey = "{item}"\ndata = {data}\n'


def config_store(name: str, secret: str, item: str = "secret") -> str:
    return (
        f'[local_server.config_stores.{name}]\nformat = "inline-toml"\n'
        f"[local_server.config_stores.{name}.contents]\n{item} = {json.dumps(secret)}\n"
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

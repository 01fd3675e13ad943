"""Compute programs under Viceroy, the vendor's local runtime."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest

import edgeauth
from support import edge_tools
from support.processes import HOST, Listening, free_port, running
from support.vectors import SECRET

if TYPE_CHECKING:
    from pathlib import Path

COMPUTE_JS = edge_tools.FASTLY / "compute-js"

# Viceroy compiles the whole JavaScript engine before it listens.
_START_SECONDS = 240


def build_js(folder: Path, sources: dict[str, str], main: str) -> Path:
    """The wasm of *main*, one of the *sources* (file name to text), built with js-compute."""
    home = folder / "program"
    home.mkdir()
    for name, text in sources.items():
        (home / name).write_text(text)
    modules = edge_tools.js_compute()
    (home / "node_modules").symlink_to(modules)
    shutil.copy(COMPUTE_JS / "package.json", home)
    compiler = modules / ".bin" / "js-compute-runtime"
    done = subprocess.run(
        [compiler, home / main, home / "main.wasm"],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "main.wasm"


@contextlib.contextmanager
def viceroy(folder: Path, wasm: Path, origin: str, stores: str = ""):
    """Viceroy serving *wasm* with the backend ``origin``; *stores* is TOML of a service."""
    port = free_port()
    manifest = folder / f"fastly-{port}.toml"
    manifest.write_text(f'[local_server.backends.origin]\nurl = "{origin}"\n{stores}')
    log = folder / f"viceroy-{port}.log"
    argv = [edge_tools.viceroy(), "-C", manifest, "--addr", f"{HOST}:{port}", wasm]
    with running(argv, address=(HOST, port), log=log, cwd=folder, seconds=_START_SECONDS):
        yield Listening(port, log)


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

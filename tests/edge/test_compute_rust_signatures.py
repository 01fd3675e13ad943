"""The Rust of a Compute service that signs each request (RFC 9421), and the program in Viceroy."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import astuple
from typing import TYPE_CHECKING

import pytest
from support import edge_tools
from support.compute import config_store, secret_store, viceroy
from support.processes import free_port
from support.rfc9421 import published_key
from support.signature_rows import base_rows, rows_by_ed25519, rows_by_hmac
from support.signing_edges import (
    HMAC_KEY,
    CarriesWebSockets,
    SignsEachRequest,
    ask,
    lines,
    signed_origin,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

CRATE = edge_tools.FASTLY / "compute-rust"


def test_a_thousand_odd_requests_are_signed_byte_for_byte_as_the_origin_would(tmp_path):
    rows = rows_by_hmac(1000, 1) + rows_by_ed25519(published_key("ed25519", "key"), 1000, 2)
    env = {
        **os.environ,
        "EDGEAUTH_REQUESTS": written(tmp_path / "requests", map(astuple, rows)),
        "EDGEAUTH_BASES": written(tmp_path / "bases", base_rows(1000, 6)),
        "CARGO_TARGET_DIR": str(edge_tools.TOOLS / "compute-rust"),
    }
    argv = [edge_tools.cargo(), "test", "--manifest-path", CRATE / "Cargo.toml"]
    argv += ["--test", "message_signatures"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test each_row_comes_out_byte_for_byte ... ok" in done.stdout


def written(file: Path, rows: Iterable[Sequence[object]]) -> str:
    """The name of *file*, now with *rows* as the crate's tests read them."""
    lines = ("\t".join(map(str, row)).replace("\n", "\\n") for row in rows)
    file.write_text("".join(f"{line}\n" for line in lines))
    return str(file)


@pytest.fixture(scope="module")
def wasm(tmp_path_factory):
    built = edge_tools.compute_rust(CRATE).with_name("message-signatures.wasm")
    return shutil.copy(built, tmp_path_factory.mktemp("wasm"))


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    with signed_origin(tmp_path_factory.mktemp("origin")) as started:
        yield started


@pytest.fixture(scope="module", params=["hmac-sha256", "ed25519"])
def edge(request, wasm, origin, tmp_path_factory):
    key = HMAC_KEY if request.param == "hmac-sha256" else origin.private_key
    folder = tmp_path_factory.mktemp("rust")
    with viceroy(folder, wasm, origin.at.url, secret_store("edge_auth", key, "key")) as started:
        yield started


class TestRust(SignsEachRequest, CarriesWebSockets):
    """The program with a key in the secret store."""


def test_a_head_reaches_the_origin_as_a_head(edge, origin):
    assert ask(edge.port, "HEAD", "/page").status == 200
    assert origin.last()["method"] == "HEAD"


def test_a_host_that_the_backend_overrides_is_what_is_signed(wasm, origin, tmp_path):
    stores = config_store("edge_auth", HMAC_KEY, "key")
    with viceroy(tmp_path, wasm, origin.at.url, stores, host="Origin.example:443") as started:
        report = ask(started.port, "GET", "/").report
    assert lines(report, "host") == ["Origin.example:443"]


@pytest.mark.parametrize("key", ["", "a-secret-without-an-id", "id:-----BEGIN PRIVATE KEY-----"])
def test_a_key_that_cannot_be_used_is_logged_and_the_origin_refuses(wasm, origin, tmp_path, key):
    stores = secret_store("edge_auth", key, "key")
    with viceroy(tmp_path, wasm, origin.at.url, stores) as started:
        assert ask(started.port, "GET", "/").status == 403
    assert origin.last()["reason"] == "missing"
    said = started.log.read_text()
    assert "no item key with id:secret or id: and a private key in a store edge_auth" in said
    assert not key or key not in said


def test_an_origin_that_is_away_is_an_error_of_the_edge_and_no_second_attempt(wasm, tmp_path):
    stores = secret_store("edge_auth", HMAC_KEY, "key")
    with viceroy(tmp_path, wasm, f"http://127.0.0.1:{free_port()}", stores) as started:
        assert ask(started.port, "GET", "/").status == 500

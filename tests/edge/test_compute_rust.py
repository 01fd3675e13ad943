"""The Rust of a Compute service: its signing function, and the program under Viceroy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import httpx
import pytest
from support import edge_tools
from support.compute import SignsForTheOrigin, config_store, secret_store, viceroy
from support.origin import origin_with
from support.snippets import snippet
from support.vectors import SECRET, signed

import edgeauth

CRATE = edge_tools.FASTLY / "compute-rust"
PACKAGE = "edgeauth-compute-rust-example"


def test_the_rows_of_the_vectors_come_out_byte_for_byte(tmp_path):
    cargo = edge_tools.cargo()
    lines = []
    for row in signed():
        value = edgeauth.sign(row.secret, timestamp=row.timestamp, pop=row.pop, encoding="base64")
        lines.append(f"{row.secret}\t{row.timestamp}\t{row.pop}\t{value}\n")
    (tmp_path / "rows").write_text("".join(lines))
    env = {
        **os.environ,
        "EDGEAUTH_VECTORS": str(tmp_path / "rows"),
        "CARGO_TARGET_DIR": str(edge_tools.TOOLS / "compute-rust"),
    }
    argv = [cargo, "test", "--manifest-path", CRATE / "Cargo.toml"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test the_rows_of_the_vectors_come_out_byte_for_byte ... ok" in done.stdout


@pytest.fixture(scope="module")
def wasm(tmp_path_factory):
    return shutil.copy(edge_tools.compute_rust(CRATE), tmp_path_factory.mktemp("wasm"))


@pytest.fixture(scope="module")
def edge(wasm, origin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rust")
    with viceroy(folder, wasm, origin.url, secret_store("edge_auth", SECRET)) as started:
        yield started


class TestRust(SignsForTheOrigin):
    """The program with a secret in the store."""


def test_without_a_secret_store_the_config_store_is_read(wasm, origin, tmp_path):
    with viceroy(tmp_path, wasm, origin.url, config_store("edge_auth", SECRET)) as started:
        assert httpx.get(started.url).json()["pop"] == "XXX"


@pytest.mark.parametrize(
    "stores", ["", secret_store("edge_auth", "")], ids=["no store", "an empty secret"]
)
def test_a_missing_secret_is_refused_at_the_origin_and_logged_by_both(
    wasm, origin, tmp_path, stores
):
    with viceroy(tmp_path, wasm, origin.url, stores) as started:
        assert httpx.get(started.url).status_code == 403
    assert "no item secret in a store edge_auth" in started.log.read_text()
    assert "is the secret set at the edge?" in origin.log.read_text()


def test_a_snippet_under_other_names_signs_with_them(tmp_path):
    printed = snippet("compute-rust", "--dictionary", "keys", "--header", "X-Origin-Key")
    crate = tmp_path / "crate"
    (crate / "src").mkdir(parents=True)
    shutil.copy(CRATE / "src" / "main.rs", crate / "src" / "main.rs")
    # Another name, or its wasm would take the place of the example's.
    manifest = (CRATE / "Cargo.toml").read_text().replace(PACKAGE, f"{PACKAGE}-renamed")
    (crate / "Cargo.toml").write_text(manifest)
    (crate / "src" / "lib.rs").write_text(printed)
    stores = secret_store("keys", SECRET)
    with (
        origin_with(tmp_path, EDGEAUTH_HEADER="X-Origin-Key") as origin,
        viceroy(tmp_path, edge_tools.compute_rust(crate), origin.url, stores) as started,
    ):
        assert httpx.get(started.url).json()["pop"] == "XXX"


def test_the_readme_names_the_pinned_version_of_the_sdk():
    pinned = re.search(r'^fastly = "=([^"]+)"$', (CRATE / "Cargo.toml").read_text(), re.MULTILINE)
    assert f"`fastly` {pinned[1]}" in (CRATE / "README.md").read_text()

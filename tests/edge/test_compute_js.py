"""The JavaScript of a Compute service, under Viceroy, in front of a guarded origin."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest
from support.compute import (
    COMPUTE_JS,
    SignsForTheOrigin,
    backend,
    build_js,
    config_store,
    secret_store,
    viceroy,
)
from support.origin import origin_with
from support.snippets import snippet
from support.vectors import SECRET, signed

import edgeauth

PROGRAM = Path(__file__).parent / "compute-js"
RENAMED = ["--header", "X-Origin-Key", "--dictionary", "settings"]


@pytest.fixture(scope="module")
def renamed_origin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("renamed")
    with origin_with(folder, EDGEAUTH_HEADER="X-Origin-Key") as started:
        yield started


@pytest.fixture(scope="module")
def edge(origin, renamed_origin, tmp_path_factory):
    """The example program with the secret in a secret store, and the others beside it."""
    home = tmp_path_factory.mktemp("js") / "package"
    shutil.copytree(COMPUTE_JS, home, ignore=shutil.ignore_patterns("node_modules", "bin"))
    for file in PROGRAM.iterdir():
        shutil.copy(file, home / "src")
    (home / "src" / "renamed.js").write_text(snippet("compute-js", *RENAMED))
    (home / "src" / "nowhere.js").write_text(snippet("compute-js", "--dictionary", "nowhere"))
    manifest = home / "package.json"
    manifest.write_text(manifest.read_text().replace("src/index.js", "src/program.js"))
    stores = (
        secret_store("edge_auth", SECRET)
        + config_store("settings", SECRET)
        + backend("renamed", renamed_origin.url)
    )
    with viceroy(home, build_js(home), origin.url, stores) as started:
        yield started


class TestJavaScript(SignsForTheOrigin):
    """The program with a secret in the store."""


def test_the_example_builds_as_it_is(tmp_path):
    home = tmp_path / "package"
    shutil.copytree(COMPUTE_JS, home, ignore=shutil.ignore_patterns("node_modules", "bin"))
    assert build_js(home).read_bytes().startswith(b"\0asm")


def test_a_snippet_under_other_names_reads_the_config_store_and_signs(edge, renamed_origin):
    own = {"X-Origin-Key": "let me in"}
    report = httpx.get(f"{edge.url}/renamed", headers=own).json()
    assert report["pop"] == "XXX"
    names = [name for name, _ in report["headers"]]
    assert names.count("x-origin-key") == 1
    assert httpx.get(f"{renamed_origin.url}/renamed", headers=own).status_code == 403


def test_a_missing_secret_is_refused_at_the_origin_and_logged_by_both(edge, origin):
    assert httpx.get(f"{edge.url}/nowhere").status_code == 403
    assert "no item secret in a store nowhere" in edge.log.read_text()
    assert "is the secret set at the edge?" in origin.log.read_text()


@pytest.mark.parametrize("row", signed(), ids=lambda row: row.id)
def test_the_rows_of_the_vectors_come_out_byte_for_byte(edge, row):
    given = {"secret": row.secret, "timestamp": row.timestamp, "pop": row.pop}
    value = edgeauth.sign(row.secret, timestamp=row.timestamp, pop=row.pop)
    assert httpx.post(f"{edge.url}/sign", json=given).text == value

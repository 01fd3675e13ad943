"""The JavaScript of a Compute service, under Viceroy, in front of a guarded origin."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from support.compute import (
    COMPUTE_JS,
    SignsForTheOrigin,
    build_js,
    config_store,
    secret_store,
    viceroy,
)
from support.vectors import SECRET, signed

import edgeauth
from edgeauth.cli import main

VARIANTS = Path(__file__).parent / "compute-js" / "variants.js"


@pytest.fixture(scope="module")
def edge(origin, tmp_path_factory):
    """The example program as it is, with the secret in a secret store."""
    folder = tmp_path_factory.mktemp("js")
    sources = {file.name: file.read_text() for file in (COMPUTE_JS / "src").iterdir()}
    wasm = build_js(folder, sources, "index.js")
    with viceroy(folder, wasm, origin.url, secret_store("edge_auth", SECRET)) as started:
        yield started


@pytest.fixture(scope="module")
def variants(origin, tmp_path_factory):
    """What ``edgeauth snippet`` prints for other names, with a config store or none."""
    folder = tmp_path_factory.mktemp("js-variants")
    sources = {
        "variants.js": VARIANTS.read_text(),
        "config-store.js": snippet("settings"),
        "nowhere.js": snippet("nowhere"),
    }
    wasm = build_js(folder, sources, "variants.js")
    with viceroy(folder, wasm, origin.url, config_store("settings", SECRET)) as started:
        yield started


def snippet(dictionary: str) -> str:
    done = CliRunner().invoke(main, ["snippet", "compute-js", "--dictionary", dictionary])
    assert done.exit_code == 0, done.output
    return done.output


class TestJavaScript(SignsForTheOrigin):
    """The program with a secret in the store."""


def test_without_a_secret_store_the_config_store_is_read(variants):
    assert httpx.get(f"{variants.url}/config").json()["pop"] == "XXX"


def test_a_missing_secret_is_refused_at_the_origin_and_logged_by_both(variants, origin):
    assert httpx.get(f"{variants.url}/nowhere").status_code == 403
    assert "no item secret in a store nowhere" in variants.log.read_text()
    assert "is the secret set at the edge?" in origin.log.read_text()


@pytest.mark.parametrize("row", signed(), ids=lambda row: row.id)
def test_the_rows_of_the_vectors_come_out_byte_for_byte(variants, row):
    given = {"secret": row.secret, "timestamp": row.timestamp, "pop": row.pop}
    value = edgeauth.sign(row.secret, timestamp=row.timestamp, pop=row.pop)
    assert httpx.post(f"{variants.url}/sign", json=given).text == value

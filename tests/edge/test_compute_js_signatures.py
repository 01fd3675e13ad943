"""The JavaScript of a Compute service that signs each request (RFC 9421), under Viceroy."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest
from support import edge_tools
from support.compute import COMPUTE_JS, backend, build_js, config_store, secret_store, viceroy
from support.rfc9421 import published_key
from support.signature_rows import rows_by_ed25519, rows_by_hmac
from support.signing_edges import (
    HMAC_KEY,
    CarriesWebSockets,
    SignsEachRequest,
    again,
    ask,
    lines,
    signed_origin,
)
from support.snippets import snippet

CORE = edge_tools.INTEGRATIONS / "javascript" / "message-signatures.mjs"
PROGRAM = Path(__file__).parent / "compute-js"
ED25519 = [("X-Key", "ed25519")]


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    with signed_origin(tmp_path_factory.mktemp("origin")) as started:
        yield started


def package(folder: Path) -> Path:
    """A copy of the example, with the core that all JavaScript edges share."""
    home = folder / "package"
    shutil.copytree(COMPUTE_JS, home, ignore=shutil.ignore_patterns("node_modules", "bin"))
    shutil.copy(CORE, home / "src")
    return home


@pytest.fixture(scope="module")
def edge(origin, tmp_path_factory):
    """The example program with a key for HMAC in a secret store, and the others beside it."""
    home = package(tmp_path_factory.mktemp("js"))
    for file in PROGRAM.iterdir():
        shutil.copy(file, home / "src")
    for name, store in {"ed25519": "keys", "nowhere": "nowhere"}.items():
        printed = snippet("compute-js", "--dictionary", store, EDGEAUTH_SCHEME="message-signatures")
        (home / "src" / f"{name}.js").write_text(printed)
    manifest = home / "package.json"
    changed = manifest.read_text().replace("src/index-message-signatures.js", "src/signatures.js")
    manifest.write_text(changed)
    more = (
        secret_store("edge_auth", HMAC_KEY, "key")
        + config_store("keys", origin.private_key, "key")
        + backend("overridden", origin.at.url, host="Origin.example:443")
    )
    wasm = build_js(home, "build:message-signatures")
    with viceroy(home, wasm, origin.at.url, more) as started:
        yield started


class TestJavaScript(SignsEachRequest, CarriesWebSockets):
    """The program with a key for HMAC."""


def test_the_example_builds_as_it_is(tmp_path):
    wasm = build_js(package(tmp_path), "build:message-signatures")
    assert wasm.read_bytes().startswith(b"\0asm")


def test_a_thousand_odd_requests_are_signed_byte_for_byte_as_the_origin_would(edge):
    # Fewer with the private key, which takes its time; the same code makes what is signed.
    rows = rows_by_hmac(1000, 3) + rows_by_ed25519(published_key("ed25519", "key"), 300, 4)
    answer = httpx.post(f"{edge.url}/rows", json=[asdict(row) for row in rows], timeout=120)
    assert answer.status_code == 200, (answer.text[:300], edge.log.read_text()[-2000:])
    wanted = [[row.base, row.input, row.signature] for row in rows]
    assert [pair for pair in zip(answer.json(), wanted, strict=True) if pair[0] != pair[1]] == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_with_a_private_key_the_origin_accepts_a_request_once(edge, origin, method):
    body = b"a body" if method == "POST" else None
    report = ask(edge.port, method, "/a%2Fb?c", ED25519, body=body).report
    assert 'keyid="edge-ed25519"' in lines(report, "signature-input")[0]
    assert again(origin.at, report).status == 403
    assert origin.last()["reason"] == "replayed"
    assert again(origin.at, report, target="/a/b?c").status == 403
    assert origin.last()["reason"] == "bad-signature"


def test_a_head_reaches_the_origin_as_a_head(edge, origin):
    assert ask(edge.port, "HEAD", "/page").status == 200
    assert origin.last()["method"] == "HEAD"


def test_each_attempt_is_signed_anew(edge):
    first, second = ask(edge.port, "GET", "/twice").report
    assert lines(first, "signature") != lines(second, "signature")


def test_a_host_that_the_backend_overrides_is_what_is_signed(edge):
    report = ask(edge.port, "GET", "/overridden").report
    assert lines(report, "host") == ["Origin.example:443"]


def test_a_missing_key_is_logged_and_the_origin_refuses(edge, origin):
    assert ask(edge.port, "GET", "/nowhere").status == 403
    assert origin.last()["reason"] == "missing"
    assert "store nowhere, item key: no key" in edge.log.read_text()

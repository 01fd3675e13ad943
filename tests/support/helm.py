"""The chart, rendered by Helm; what Kubernetes takes."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml

from support.edge_tools import INTEGRATIONS, TOOLS
from support.programs import missing

if TYPE_CHECKING:
    from pathlib import Path

CHART = INTEGRATIONS / "helm" / "edgeauth"
# The oldest that has the sleep of preStop by itself, and the newest whose schemas there are.
VERSIONS = ("1.30", kubernetes_validate.latest_version())
VARIANTS = sorted(path.stem.removesuffix("-values") for path in (CHART / "ci").iterdir())


def values_of(variant: str) -> Path:
    """The file of values in the chart's folder ci."""
    return CHART / "ci" / f"{variant}-values.yaml"


def helm_program() -> str:
    own = TOOLS / "helm" / "bin" / "helm"
    found = str(own) if own.exists() else shutil.which("helm")
    if not found:
        missing(f"{own} is missing: make kubernetes-tools")
    return found


def helm(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """What Helm says. It knows no cluster and reads no settings of who runs the tests."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HELM_")}
    return subprocess.run(
        [helm_program(), *words], env=environ, capture_output=True, text=True, check=False
    )


def rendered(variant: str, *options: str) -> list[dict[str, Any]]:
    """The documents of a release called edgeauth in the namespace edgeauth."""
    words = ["template", "edgeauth", CHART, "--namespace", "edgeauth", "-f", values_of(variant)]
    done = helm(*words, *options)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def validate(document: dict[str, Any]) -> None:
    """By the schemas of Kubernetes, where a field that does not exist is an error."""
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            pytest.fail(f"{document['kind']}, {version}: {error.message} at {list(error.path)}")

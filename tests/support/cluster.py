"""``kubectl`` and ``helm`` without a cluster, for pages that are followed.

What would be sent is made by the real programs and kept in a folder, which stands for the
cluster. What only a cluster can tell is not told.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

Document = dict[str, Any]

# Where the folder is, and the real programs.
FOLDER, KUBECTL, HELM = "CLUSTER_FOLDER", "CLUSTER_KUBECTL", "CLUSTER_HELM"


def install(folder: Path, kubectl: str, helm: str) -> dict[str, str]:
    """Makes the two programs in *folder*/bin; the variables that they need."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("kubectl", "helm"):
        path = programs / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} -m support.cluster {name} "$@"\n')
        path.chmod(0o755)
    (folder / "cluster").mkdir()
    return {
        "PATH": os.pathsep.join(
            [str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]
        ),
        "PYTHONPATH": str(Path(__file__).parents[1]),
        FOLDER: str(folder / "cluster"),
        KUBECTL: kubectl,
        HELM: helm,
    }


def stored(folder: Path) -> list[Document]:
    """What the cluster in *folder* has in the end."""
    return [json.loads(path.read_text()) for path in sorted((folder / "cluster").glob("*.json"))]


def sent(folder: Path) -> list[Document]:
    """All that was ever sent to it."""
    return [json.loads(line) for line in (folder / "cluster" / "sent").read_text().splitlines()]


def main(words: list[str]) -> None:
    match words:
        case ["kubectl", "create", *_] if "--dry-run=client" in words:
            subprocess.run([os.environ[KUBECTL], *words[1:]], check=True)
        case ["kubectl", "create", *_]:
            made = _of(os.environ[KUBECTL], *words[1:], "--dry-run=client", "--output=yaml")
            apply(yaml.safe_load_all(made))
        case ["kubectl", "apply", "--filename", file]:
            apply(yaml.safe_load_all(Path(file).read_text()))
        case ["kubectl", "rollout", "status", "--namespace", namespace, named]:
            kind, _, name = named.partition("/")
            if not _path(kind, namespace, name).exists():
                sys.exit(f"there is no {named}")
            click.echo(f'{kind} "{name}" successfully rolled out')
        case ["kubectl", "logs" | "exec", "--namespace", "edgeauth", *_]:
            pass
        case ["helm", "install" | "upgrade", name, *rest]:
            documents = yaml.safe_load_all(_of(os.environ[HELM], "template", name, *rest))
            click.echo(f"NAME: {name}")
            apply(document for document in documents if document)
        case _:
            sys.exit(f"what would a cluster do with {words}?")


def apply(documents: Iterable[Document]) -> None:
    """Keeps each, and says so as kubectl does."""
    for document in documents:
        kind, meta = document["kind"].lower(), document["metadata"]
        group = document["apiVersion"].rpartition("/")[0]
        meta.pop("creationTimestamp", None)  # null, where nothing was created yet
        path = _path(kind, meta.get("namespace", ""), meta["name"])
        done = "configured" if path.exists() else "created"
        text = json.dumps(document)
        path.write_text(text)
        with (path.parent / "sent").open("a") as log:
            log.write(f"{text}\n")
        click.echo(f"{kind}{'.' if group else ''}{group}/{meta['name']} {done}")


def _path(kind: str, namespace: str, name: str) -> Path:
    return Path(os.environ[FOLDER], f"{kind}-{namespace}-{name}.json")


def _of(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main(sys.argv[1:])

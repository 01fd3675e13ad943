"""The README of each folder of an edge says of every file what runs it."""

from __future__ import annotations

import re
import subprocess

import pytest
from support.edge_tools import FASTLY, INTEGRATIONS, REPOSITORY

ROW = re.compile(r"^\| (?P<files>`.+?) \| (?P<run_by>.+?) \| `(?P<test>[^`]+)` \|$", re.MULTILINE)


def committed(folder) -> set[str]:
    """Every file of *folder* but the README, as Git knows it: builds leave files behind."""
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
    return {file for file in done.stdout.splitlines() if (folder / file).exists()} - {"README.md"}


def named(folder, files: str) -> set[str]:
    """The files that a cell of the table names, or that are in the folders it names."""
    found = set()
    for name in re.findall(r"`([^`]+)`", files):
        place = folder / name
        below = [place] if place.is_file() else place.rglob("*")
        found |= {str(file.relative_to(folder)) for file in below}
    return found


EDGES = sorted(path for path in FASTLY.iterdir() if path.is_dir())
EDGES += [INTEGRATIONS / name for name in ("javascript", "cloudflare", "lambda-edge", "nginx-edge")]


@pytest.mark.parametrize("folder", EDGES, ids=lambda path: path.name)
def test_every_file_is_in_the_table_of_what_is_tested_and_with_what(folder):
    _, _, section = (folder / "README.md").read_text().partition("## What is tested")
    rows = list(ROW.finditer(section))
    assert set().union(*(named(folder, row["files"]) for row in rows)) == committed(folder)
    for row in rows:
        assert (REPOSITORY / row["test"]).is_file()


def test_there_is_no_file_beside_the_folders():
    assert [path.name for path in FASTLY.iterdir() if path.is_file()] == []

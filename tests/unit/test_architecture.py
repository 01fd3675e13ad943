"""ARCHITECTURE.md is a map of the package that is there."""

from __future__ import annotations

import re
from pathlib import Path

import edgeauth

PACKAGE = Path(edgeauth.__file__).parent
PAGE = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text("utf-8")
TABLE = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
NAMED = set(re.findall(r"`([a-z_]+(?:\.py|/))`", TABLE))


def test_every_file_and_folder_of_the_package_is_on_the_map_and_nothing_else():
    there = {path.name for path in PACKAGE.glob("*.py")}
    there |= {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    # What Python itself asks for, and the installed copy of integrations/.
    assert there - {"__init__.py", "__main__.py", "_integrations/"} == NAMED

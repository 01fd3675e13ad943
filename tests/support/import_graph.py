"""Who imports whom in the package, read from the source.

Imports count wherever they stand: in a function, and for type checkers alone. So does the name of
a tool in a string, by which it would be imported on its first use.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from count_lines import sources

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Arrow = tuple[str, str]

_TOOLS = "edgeauth.ops"


def modules(package: Path) -> dict[str, Path]:
    """Every module of *package* by its name."""
    return {
        ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in sources(package)
    }


def imported_by(source: str) -> set[str]:
    """The names that *source* imports: modules, and what is taken from them."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and str(node.value).startswith(_TOOLS):
            found.add(str(node.value).partition(":")[0].rstrip("."))
    return found


def arrows(package: Path) -> set[Arrow]:
    """(importer, imported) for every import of one module of *package* by another."""
    there = modules(package)
    found = set()
    for importer, path in there.items():
        for name in imported_by(path.read_text("utf-8")):
            module = name if name in there else name.rpartition(".")[0]
            if module in there and module != importer:
                found.add((importer, module))
    return found


def circle(drawn: Iterable[Arrow]) -> list[str]:
    """One circle of the drawing, from a module back to it; empty if there is none."""
    graph: dict[str, set[str]] = {}
    for importer, imported in drawn:
        graph.setdefault(importer, set()).add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []

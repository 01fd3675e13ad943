"""``make count``: how much there is to read on each shelf, and which file is on which.

ARCHITECTURE.md says which file is on which shelf; the lines are counted here. A line counts if it
has code on it: blank lines, comments and docstrings do not.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "ARCHITECTURE.md"
PACKAGE = ROOT / "edgeauth"
TRUST_BASE = "The trust base: 1 to 3"
ONE_KIND = "The same with the one kind {}"

# What a kind of scheme is in, by its name; as schemes/registry.py has it.
_KIND = re.compile(r'"([a-z0-9-]+)": \("edgeauth\.schemes\.(\w+)"')

_NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def shelves(page: str) -> dict[str, list[str]]:
    """The shelves that *page* names, from the lowest, and the files and folders on each.

    A folder ends with a slash. A shelf is a heading ``### 1. The name``, what is on it the first
    column of its table.
    """
    found: dict[str, list[str]] = {}
    for part in re.split(r"^### \d\. ", page, flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        table, _, _ = rest.partition("\n#")
        cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
        found[name] = [file for cell in cells for file in re.findall(r"`([^`]+)`", cell)]
    return found


def sources(package: Path) -> list[Path]:
    """The files of *package*; the wheel's copy of integrations/ is none of it."""
    files = sorted(package.rglob("*.py"))
    return [path for path in files if path.relative_to(package).parts[0] != "_integrations"]


def shelf_of(file: str, on: dict[str, list[str]]) -> str:
    """The shelf of *file* (``schemes/base.py``): that of the longest entry that fits it.

    Raises:
        LookupError: it is on none.
    """
    fits = [
        (len(entry), shelf)
        for shelf, entries in on.items()
        for entry in entries
        if entry == file or (entry.endswith("/") and file.startswith(entry))
    ]
    if not fits:
        raise LookupError(f"edgeauth/{file} is on no shelf of {PAGE.name}")
    return max(fits)[1]


def code_lines(source: str) -> int:
    """The lines of *source* that have code on them."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            lines.difference_update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return len(lines)


def count(package: Path, on: dict[str, list[str]]) -> dict[str, tuple[int, int]]:
    """For each shelf its files and their lines of code."""
    found = dict.fromkeys(on, (0, 0))
    for path in sources(package):
        shelf = shelf_of(path.relative_to(package).as_posix(), on)
        files, lines = found[shelf]
        found[shelf] = files + 1, lines + code_lines(path.read_text("utf-8"))
    return found


def trust_base(counted: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Files and lines of what a request meets in an application: the first three shelves."""
    files, lines = zip(*list(counted.values())[:3], strict=True)
    return sum(files), sum(lines)


def with_one_kind(
    package: Path, whole: tuple[int, int], kinds: tuple[str, ...]
) -> dict[str, tuple[int, int]]:
    """What is left of the *whole* trust base where one of *kinds* is used and no other."""
    rooms = dict(_KIND.findall((package / "schemes" / "registry.py").read_text("utf-8")))
    sizes = {}
    for kind, name in rooms.items():
        room = package / "schemes" / name
        paths = sorted(room.rglob("*.py")) if room.is_dir() else [room.with_suffix(".py")]
        sizes[kind] = len(paths), sum(code_lines(path.read_text("utf-8")) for path in paths)
    found = {}
    for kind in kinds:
        others = [size for other, size in sizes.items() if other != kind]
        files, lines = (sum(of) for of in zip(*others, strict=True))
        found[ONE_KIND.format(kind)] = whole[0] - files, whole[1] - lines
    return found


def table(package: Path = PACKAGE) -> dict[str, tuple[int, int]]:
    """All rows: files and lines of each shelf, of the trust base, and of that with one kind."""
    counted = count(package, shelves(PAGE.read_text("utf-8")))
    whole = trust_base(counted)
    one = with_one_kind(package, whole, ("edge-auth", "message-signatures"))
    return {**counted, TRUST_BASE: whole, **one}


def main() -> int:
    """Print the table that ARCHITECTURE.md has."""
    print("| shelf | files | lines of code |\n|---|---|---|")
    for shelf, (files, lines) in table().items():
        print(f"| {shelf} | {files} | {lines:,} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The figures that the documentation quotes, from RESULTS.md: ``make figures`` rewrites them.

A figure is followed by a comment that names its row, which no reader sees::

    0.82<!-- RESULTS.md: edgeauth for ASGI, verdict attached -->

It is the ratio of the row of that label, as RESULTS.md has it. The tables of
RESULTS-report.md and RESULTS-reading.md, which ``make bench-report`` and ``make bench-reading``
write, are quoted as a whole.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
REPORT = ROOT / "benchmarks" / "RESULTS-report.md"
READING = ROOT / "benchmarks" / "RESULTS-reading.md"

# What stands before the comment may be anything but white space, so that a figure which was
# mistyped is found too.
_FIGURE = re.compile(r"([^\s|(]*)<!-- RESULTS\.md: (.+?) -->")
_TABLES = {
    file: re.compile(rf"^    {column} .*\n(?:    .*\n)+", re.MULTILINE)
    for file, column in ((REPORT, "decisions"), (READING, "networks"))
}
_ROW = re.compile(r"^\| ([^|]+?) \| ([-0-9.]+) \|", re.MULTILINE)


def pages() -> list[Path]:
    """Where figures are quoted."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def results() -> dict[str, str]:
    """The ratio of each row of RESULTS.md by its label.

    Raises:
        ValueError: two rows have the same label.
    """
    rows = _ROW.findall(RESULTS.read_text("utf-8"))
    found = dict(rows)
    if len(found) < len(rows):
        raise ValueError("two rows of RESULTS.md have the same label")
    return found


def tables() -> list[str]:
    """The tables that are quoted as a whole."""
    found = (pattern.findall(file.read_text("utf-8")) for file, pattern in _TABLES.items())
    return [table for (table,) in found]


def with_figures(text: str) -> str:
    """*text* with each figure as the results have it.

    Raises:
        KeyError: a figure names no row.
    """
    ratios = results()
    text = _FIGURE.sub(lambda m: f"{ratios[m[2]]}<!-- RESULTS.md: {m[2]} -->", text)
    for table, pattern in zip(tables(), _TABLES.values(), strict=True):
        text = pattern.sub(table, text)
    return text


def rewrite() -> None:
    for page in pages():
        page.write_text(with_figures(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    rewrite()

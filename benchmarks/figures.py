"""The figures that the documentation quotes, from RESULTS.md: ``make figures`` rewrites them.

A figure is followed by a comment that names its row, which no reader sees::

    0.82<!-- RESULTS.md: edgeauth for ASGI, verdict attached -->

It is the ratio of the row of that label, as RESULTS.md has it. The table of
RESULTS-report.md, which ``make bench-report`` writes, is quoted as a whole.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
REPORT = ROOT / "benchmarks" / "RESULTS-report.md"

# What stands before the comment may be anything but white space, so that a figure which was
# mistyped is found too.
_FIGURE = re.compile(r"([^\s|(]*)<!-- RESULTS\.md: (.+?) -->")
_TABLE = re.compile(r"^    decisions .*\n(?:    .*\n)+", re.MULTILINE)
_ROW = re.compile(r"^\| ([^|]+?) \| ([-0-9.]+) \|", re.MULTILINE)


def pages() -> list[Path]:
    """Where figures are quoted."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


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


def with_figures(text: str) -> str:
    """*text* with each figure as the results have it.

    Raises:
        KeyError: a figure names no row.
    """
    ratios = results()
    (table,) = _TABLE.findall(REPORT.read_text("utf-8"))
    text = _FIGURE.sub(lambda m: f"{ratios[m[2]]}<!-- RESULTS.md: {m[2]} -->", text)
    return _TABLE.sub(table, text)


def rewrite() -> None:
    for page in pages():
        page.write_text(with_figures(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    rewrite()

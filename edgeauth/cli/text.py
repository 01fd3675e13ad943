"""Text for a terminal: escaped and aligned."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def escaped(text: str | bytes) -> str:
    """*text* in printable ASCII: nothing in it can steer a terminal or forge a line."""
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    return "".join(char if " " <= char <= "~" else ascii(char)[1:-1] for char in text)


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """*rows* as lines with aligned columns."""
    rows = list(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]

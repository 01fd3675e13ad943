"""Text for a terminal: aligned, or to be pasted."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


# A longer cell does not move those of the other lines.
_WIDE = 48


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """*rows* as lines with aligned columns."""
    rows = list(rows)
    widths = [
        max((len(cell) for cell in column if len(cell) <= _WIDE), default=0)
        for column in zip(*rows, strict=True)
    ]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def curl_command(
    lines: Iterable[str], url: str, method: str = "GET", body: str | None = None
) -> str:
    """A curl command for a POSIX shell that sends the header *lines* to *url*.

    Args:
        lines: each ``Name: value``.
        url: what to request.
        method: of the request.
        body: the file of its body, if it has one.

    Raises:
        click.UsageError: *url* is no URL of HTTP.
    """
    if not url.startswith(("http://", "https://")) or not url.isprintable() or " " in url:
        raise click.UsageError("--curl: write a URL that begins with http:// or https://")
    # Without --globoff curl reads [] and {} in a URL as patterns.
    words = ["curl", "--globoff"]
    if method == "HEAD":
        words.append("--head")
    elif method != "GET" or body is not None:
        words += ["--request", method]
    for line in lines:
        words += ["--header", line]
    if body is not None:
        words += ["--data-binary", f"@{body}"]
    return shlex.join([*words, url])

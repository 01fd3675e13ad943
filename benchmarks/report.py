"""Tables, a plot and RESULTS.md from what was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Row:
    """One line: what it is, what it cost, and its ratio to what the group compares with."""

    label: str
    seconds: float | None
    ratio: float | None
    limit: float | None = None
    # Most limits are upper bounds; a share that must be kept is a lower one.
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        if self.limit is None or self.ratio is None:
            return None
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit

    def cells(self) -> tuple[str, str, str, str]:
        cost = "" if self.seconds is None else in_words(self.seconds)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        bound = "" if self.limit is None else f"{'≥' if self.at_least else '≤'} {self.limit:g}"
        verdict = {None: "", True: "holds", False: "FAILS"}[self.holds]
        return self.label, ratio, cost, f"{bound} {verdict}".strip()


@dataclass(frozen=True)
class Group:
    """Rows that were measured side by side."""

    title: str
    unit: str
    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())

    def header(self) -> tuple[str, str, str, str]:
        return self.title, f"ratio to {self.unit}", "CPU time", "must hold"


def in_words(seconds: float) -> str:
    if seconds >= 1e-3:  # noqa: PLR2004
        return f"{seconds * 1e3:.0f} ms"
    return f"{seconds * 1e6:.2f} µs"


def show(group: Group) -> None:
    table = Table(*group.header(), title_justify="left")
    for row in group.rows:
        # The name of an extra stands in brackets, as rich's markup does.
        table.add_row(*map(escape, row.cells()), style="bold red" if row.holds is False else "")
    console = Console()
    console.print(table)
    for note in group.notes:
        console.print(note, style="dim", markup=False)


def write(groups: Sequence[Group], packages: Sequence[str]) -> None:
    """RESULTS.md and results.svg beside this file."""
    lines = [
        "# Results of `make bench`",
        "",
        "Written by the command itself. Ratios come first: all rows of a table were measured side",
        "by side in one run, and a ratio is the median over the rounds. Times are CPU time.",
        "",
        machine(packages),
        "",
        "![ratios](results.svg)",
    ]
    for group in groups:
        header = group.header()
        lines += ["", f"## {group.title}", "", "| " + " | ".join(("", *header[1:])) + " |"]
        lines.append("|---|---:|---:|---|")
        lines += ["| " + " | ".join(row.cells()) + " |" for row in group.rows]
        for note in group.notes:
            lines += ["", note]
    (FOLDER / "RESULTS.md").write_text("\n".join(lines) + "\n", "utf-8")
    _plot(groups)


def machine(packages: Sequence[str]) -> str:
    """The day, the machine and the versions, in a sentence."""
    versions = "".join(f", {name} {importlib.metadata.version(name)}" for name in packages)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores of {_processor()}, "
        f"{platform.system()} {platform.machine()}, {platform.python_implementation()} "
        f"{platform.python_version()}{versions}."
    )


def _processor() -> str:
    """The model. Linux: proc(5)."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    return model[1] if model else "an unknown model"


def _plot(groups: Sequence[Group]) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, needed at the very end

    mpl.use("svg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    # A group that was not measured has no rows.
    shown = [(g, [row for row in g.rows if row.ratio is not None]) for g in groups if g.rows]
    heights = [len(rows) + 1 for _, rows in shown]
    # One date and no random ids, so that a plot changes only when its figures do.
    with plt.rc_context({"svg.hashsalt": "edgeauth", "svg.fonttype": "none", "font.size": 9}):
        figure, axes = plt.subplots(
            len(shown), 1, figsize=(9, 0.32 * sum(heights)), height_ratios=heights, squeeze=False
        )
        for (group, rows), axis in zip(shown, axes[:, 0], strict=True):
            labels = [row.label.replace("`", "") for row in rows][::-1]
            bars = axis.barh(labels, [row.ratio for row in rows][::-1], color="#4477aa")
            axis.bar_label(bars, fmt="%.2f", padding=3)
            axis.set_title(f"{group.title}, as a ratio to {group.unit}", loc="left")
            axis.spines[["top", "right"]].set_visible(False)
            axis.margins(x=0.12)
        figure.tight_layout()
        figure.savefig(FOLDER / "results.svg", metadata={"Date": None})

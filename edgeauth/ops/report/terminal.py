"""The report on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from edgeauth.ops.report.tables import overview, tables

if TYPE_CHECKING:
    from edgeauth.ops.report.conclusion import Conclusion
    from edgeauth.ops.report.summary import Summary

# Where there is no terminal to ask, such as in a pipe.
_WIDTH = 110


def print_report(summary: Summary, conclusion: Conclusion) -> None:
    """Print *summary* to standard output, in colour where that is a terminal."""
    console = _console()
    # Text objects throughout: rich reads markup in plain strings.
    console.print(Text(conclusion.sentence, style="bold green" if conclusion.safe else "bold red"))
    for note in conclusion.notes:
        console.print(Text(f"Note: {note}", style="yellow"))
    console.print()
    console.print(Text("   ".join(f"{name} {value}" for name, value in overview(summary))))
    for table in tables(summary):
        drawn = RichTable(title=Text(table.title), title_justify="left", title_style="bold")
        for place, column in enumerate(table.columns):
            number = place in table.numbers
            drawn.add_column(
                column, justify="right" if number else "left", no_wrap=number, overflow="fold"
            )
        for row in table.rows:
            refused = "refused" in row or "NO" in row
            drawn.add_row(*map(Text, row), style="red" if refused else "")
        console.print()
        console.print(drawn)


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)

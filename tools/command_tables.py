"""``make options``: the tables of docs/command-line.md, from what the commands say themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from marked_tables import MarkedTables

from edgeauth.ops.cli import main
from edgeauth.ops.cli.help import (
    COMPLETION,
    OF_ALL,
    STARTUP_FILES,
    commands,
    exit_statuses,
    json_members,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import click

PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"


def all_commands() -> list[tuple[str, click.Command]]:
    """Every command that does something, by its words."""
    # A context as the program has one: a bare one would know no -h, and Click remembers that.
    return [*commands(main.make_context("edgeauth", [], resilient_parsing=True))]


def exit_status() -> Iterator[str]:
    yield from _rows("command", "0", "1", "2", "130", "141")
    others = [OF_ALL[status] for status in (2, 130, 141)]
    yield _row("every one", "done", "", *others)
    for name, command in all_commands():
        meanings = exit_statuses(command)
        if 1 in meanings:
            yield _row(f"`{name}`", meanings[0], meanings[1], "", "", "")


def json_objects() -> Iterator[str]:
    yield from _rows("command", "member", "what it is")
    for name, command in all_commands():
        members = json_members(command).items()
        for place, (member, meaning) in enumerate(members):
            yield _row(f"`{name}`" if place == 0 else "", f"`{member}`", meaning)


def completion() -> Iterator[str]:
    yield from _rows("shell", "line", "file for all sessions")
    for shell, line in COMPLETION.items():
        yield _row(shell, f"`{line.replace('|', chr(92) + '|')}`", f"`{STARTUP_FILES[shell]}`")


ROWS: dict[str, Callable[[], Iterable[str]]] = {
    "exit statuses": exit_status,
    "json objects": json_objects,
    "completion": completion,
}
TABLES = MarkedTables("table of", lambda name: "".join(ROWS[name]()))


def _rows(*head: str) -> Iterator[str]:
    yield _row(*head)
    yield f"{'|---' * len(head)}|\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(TABLES.written_into(PAGE.read_text("utf-8")), "utf-8")
    print(f"{PAGE.name}: {', '.join(ROWS)}")

"""What a command found, as one JSON object for programs: the option ``--json``.

Each command that prints a result names the members of its object here. Its help, ``edgeauth help
json`` and the table of docs/command-line.md are made of them; what is named stays.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class JsonOption(click.Option):
    """The flag ``--json``.

    Attributes:
        members: the name of each member of the object, and what it is.
    """

    def __init__(self, names: Sequence[str], *, members: Mapping[str, str]) -> None:
        told = f"Print one JSON object, for programs: {', '.join(members)}."
        super().__init__(names, is_flag=True, help=told)
        self.members = members


def json_option(members: Mapping[str, str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command ``--json``, as the argument ``as_json``; *members* as of its option."""
    return click.option("--json", "as_json", cls=JsonOption, members=members)


def print_json(document: Mapping[str, Any]) -> None:
    """Print the object."""
    click.echo(json.dumps(document))

"""The fields of a line of the file of decisions."""

from __future__ import annotations

import typing

from edgeauth._record import decision_file
from generated.words import words


def markdown(line: str) -> str:
    """A row a field of *line*, a class of :mod:`edgeauth._record.decision_file`."""
    hints = typing.get_type_hints(getattr(decision_file, line), include_extras=True)
    rows = [
        f"| `{name}` | {words(hint.__origin__, none='null')} | {hint.__metadata__[0]} |"
        for name, hint in hints.items()
    ]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows])

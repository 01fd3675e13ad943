"""Tables of pages that are written from the code: a mark, an empty line, and the rows.

A mark is ``<!-- WORDS NAME -->``; the words say what the tables are of.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class MarkedTables:
    """The tables of one sort.

    Args:
        words: of their marks.
        table: the rows of the table of a name, each with its line end.
    """

    def __init__(self, words: str, table: Callable[[str], str]) -> None:
        self._pattern = re.compile(rf"(<!-- {words} ([a-z0-9 -]+) -->\n\n)(?:\|.*\n)+")
        self._table = table

    def written_into(self, page: str) -> str:
        """*page* with the present rows of each table that it has."""
        return self._pattern.sub(lambda match: match[1] + self._table(match[2]), page)

    def of(self, page: str) -> list[str]:
        """The names of the tables that *page* has."""
        return [match[2] for match in self._pattern.finditer(page)]

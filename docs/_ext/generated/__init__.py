"""What pages say that the code says already: a mark in a page becomes what the code says now.

A mark is ``<!-- generated: NAME ARGUMENT -->`` on a line of its own; the file of that name here
has the function ``markdown``, which is given the argument.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_MARK = re.compile(r"^<!-- generated: ([a-z_]+)(?: (\S+))? -->$", re.MULTILINE)


def setup(app: Sphinx) -> dict[str, bool]:
    """Read by Sphinx."""
    app.connect("source-read", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx, _docname: str, source: list[str]) -> None:
    def written(mark: re.Match[str]) -> str:
        # The code may have changed since the page was read last.
        app.env.note_reread()
        return str(import_module(f"{__name__}.{mark[1]}").markdown(*filter(None, [mark[2]])))

    source[0] = _MARK.sub(written, source[0])

"""``make options``: the options of each kind of scheme, as tables in docs/schemes/README.md.

They come from the kinds themselves, so the page cannot say anything else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from marked_tables import MarkedTables

from edgeauth.schemes.registry import built_in_kinds, scheme_class

PAGE = Path(__file__).parents[1] / "docs" / "schemes" / "README.md"


def table(kind: str) -> str:
    """The table of the options of *kind*."""
    rows = [
        f"| `{option.name}` | {_text(option.default)} | {option.doc.replace('|', chr(92) + '|')} |"
        for option in scheme_class(kind).OPTIONS
    ]
    return "\n".join(["| name | default | meaning |", "|---|---|---|", *rows, ""])


def _text(default: Any) -> str:  # noqa: ANN401 - of any option
    if default is None or default in ((), {}):
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, (tuple, list)):
        return ", ".join(f"`{item}`" for item in default)
    return f"`{default}`" if isinstance(default, str) else str(default)


TABLES = MarkedTables("options of", table)


if __name__ == "__main__":
    PAGE.write_text(TABLES.written_into(PAGE.read_text("utf-8")), "utf-8")
    print(f"{PAGE.name}: {', '.join(built_in_kinds())}")

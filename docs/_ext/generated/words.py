"""Types and values as a table says them to people."""

from __future__ import annotations

import types
import typing
from typing import Any

_WORDS = {bool: "`true` or `false`", int: "whole number", float: "number", str: "text"}


def words(kind: Any, *, none: str) -> str:  # noqa: ANN401 - any type
    """A type; *none* is how None is written."""
    if isinstance(kind, types.UnionType):
        parts = [
            f"`{none}`" if one is types.NoneType else words(one, none=none) for one in kind.__args__
        ]
        return " or ".join(parts)
    if typing.get_origin(kind) is tuple:
        return "list"
    return _WORDS.get(kind, "table")


def shown(value: object) -> str:
    """A value as somebody would write it."""
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, list)):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value}`"

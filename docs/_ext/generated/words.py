"""Types and values as a table says them to people."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any

_WORDS = {
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    str: "text",
    tuple: "list",
    Mapping: "table",
    dict: "table",
}


def words(kind: Any, *, none: str) -> str:  # noqa: ANN401 - any type
    """A type; *none* is how None is written."""
    if isinstance(kind, types.UnionType):
        parts = [
            f"`{none}`" if one is types.NoneType else words(one, none=none) for one in kind.__args__
        ]
        return " or ".join(parts)
    return _WORDS[typing.get_origin(kind) or kind]


def shown(value: object) -> str:
    """A value as somebody would write it."""
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, list)):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value}`"

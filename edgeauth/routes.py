"""What an operator may write for a method and for a path: one of each, never a pattern."""

from __future__ import annotations

import re

_METHOD = re.compile(r"[A-Z]{1,32}")


def is_method(text: str) -> bool:
    """Whether *text* is a method in the letters that requests carry."""
    return bool(_METHOD.fullmatch(text))


def is_exact_path(text: str) -> bool:
    """Whether *text* is one path: from the root, without pattern, query, fragment or space."""
    return text.startswith("/") and text.isprintable() and not set(text) & set("*?# ")

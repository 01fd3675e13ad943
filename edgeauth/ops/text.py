"""Escapes text from outside for a terminal."""

from __future__ import annotations


def escaped(text: str | bytes) -> str:
    """*text* in printable ASCII: nothing in it can steer a terminal or forge a line."""
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    return "".join(char if " " <= char <= "~" else ascii(char)[1:-1] for char in text)

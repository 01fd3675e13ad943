"""What each part of a value is told as."""

from __future__ import annotations

from edgeauth.ops.schemes.diagnosis import Field, Finding
from edgeauth.ops.text import escaped

Part = tuple[Field, list[Finding]]

_SHORT = 24


def shortened(raw: bytes) -> str:
    """*raw* as printable text, its middle left out where it is long."""
    text = escaped(raw)
    return text if len(text) <= _SHORT else f"{text[:10]}...{text[-4:]}"

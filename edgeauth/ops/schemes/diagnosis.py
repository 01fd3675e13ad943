"""What is found about a credential, in words for the person who runs the origin."""

from __future__ import annotations

from typing import NamedTuple


class Field(NamedTuple):
    """One part of a credential.

    Attributes:
        name: of the part, such as ``timestamp``; ``value`` where it has no parts.
        seen: what was received, escaped and shortened.
        ok: whether this part alone is as it must be.
        note: what it means.
    """

    name: str
    seen: str
    ok: bool
    note: str


class Finding(NamedTuple):
    """One thing that an operator should know: a stable code, and a sentence."""

    code: str
    text: str


class Diagnosis(NamedTuple):
    """The parts of a credential, and what was found about them."""

    fields: tuple[Field, ...]
    findings: tuple[Finding, ...]

"""A finding: what every check returns."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One problem of a set-up.

    Attributes:
        id: stable, for programs.
        severity: ``error`` for what refuses the edge or admits others; else ``warning``.
        seen: what was found. Holds no secret.
        advice: what to do.
    """

    id: str
    severity: Literal["error", "warning"]
    seen: str
    advice: str

"""The reasons of a verdict."""

from __future__ import annotations

from edgeauth.reasons import REASONS


def markdown() -> str:
    """A row a reason, in the order in which a guard can come to them."""
    rows = [
        f"| `{reason.code}` | {'yes' if reason.admits else 'no'} | {reason.meaning} |"
        for reason in REASONS.values()
    ]
    return "\n".join(["| code | lets in | what it tells |", "|---|---|---|", *rows])

"""What the loaded applications answer: the id of the key that the request proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeauth import Verdict


def answer(verdict: Verdict) -> bytes:
    assert verdict.identity is not None
    return verdict.identity.key_id.encode()

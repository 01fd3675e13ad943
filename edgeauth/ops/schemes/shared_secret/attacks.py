"""What somebody without the secret may send in its place."""

from __future__ import annotations

import secrets as random
from typing import TYPE_CHECKING

from edgeauth.ops.schemes.probe_rows import Plan, Row, bad, constant

if TYPE_CHECKING:
    from edgeauth.schemes.shared_secret import SharedSecretScheme

# What an empty or missing secret turns into.
_KNOWN = (("null-secret", "the secret (null)", b"(null)"),)
_LONG = 16_000


def attacks(scheme: SharedSecretScheme, plan: Plan) -> list[Row]:
    """Values that are no secret: random ones, known ones, long ones."""
    header = scheme.header
    guessed = "a value that is no secret is accepted: it is not compared"
    known = "whoever guesses can send it: put a secret of your own on both sides"
    odd = "bytes that are no header value get past the gate, or break it"
    value = random.token_hex(32).encode()
    return [
        bad(plan, "forged", "a random secret", guessed, constant((header, value))),
        bad(plan, "long", "a value of 16 kB", odd, constant((header, b"a" * _LONG))),
        *(bad(plan, id_, what, known, constant((header, sent))) for id_, what, sent in _KNOWN),
    ]

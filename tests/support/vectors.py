"""The rows of tests/vectors/*.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import edgeauth

_FOLDER = Path(__file__).parents[1] / "vectors"
_DOCUMENT = json.loads((_FOLDER / "edge-auth.json").read_text("utf-8"))

# Of the tests: no settings take the published ones of the vectors.
SECRET = "9bd1c6f0a7e84e25b3f7c1d09e5a4826"
OLDER_SECRET = "1c7fe2805b3a4d96a0d4e8b72f6c9513"
VECTOR_SECRET: str = _DOCUMENT["secret"]
OLDER_VECTOR_SECRET: str = _DOCUMENT["older_secret"]
PASS_SECRET = "a-secret-that-signs-the-passes"

# The clock of the vectors.
NOW = 1_700_000_000


@dataclass(frozen=True)
class Row:
    """One header value, and what a verifier with *options* says of it at *now*."""

    id: str
    note: str
    value: str
    now: int
    options: dict[str, Any]
    result: str | dict[str, Any]
    secrets: tuple[str, ...]

    @property
    def raw(self) -> bytes:
        return self.value.encode()


def rows() -> list[Row]:
    found = []
    for entry in _DOCUMENT["rows"]:
        options = dict(entry["options"])
        secrets = tuple(options.pop("secrets", [VECTOR_SECRET]))
        found.append(Row(**{**entry, "options": options, "secrets": secrets}))
    return found


@dataclass(frozen=True)
class Signed:
    """What a signer is given to make an accepted row."""

    id: str
    secret: str
    timestamp: int
    pop: str


def signed() -> list[Signed]:
    """The inputs of the accepted rows, each once: every signer makes the bytes of edgeauth.sign."""
    found: dict[tuple[str, int, str], Signed] = {}
    for row in rows():
        if not isinstance(row.result, dict) or row.result["pop"] is None:
            continue
        timestamp, pop = row.result["timestamp"], row.result["pop"]
        for secret in row.secrets:
            made = edgeauth.sign(secret, timestamp=timestamp, pop=pop).rpartition("0x")[2]
            made64 = edgeauth.sign(secret, timestamp=timestamp, pop=pop, encoding="base64")
            if row.value.endswith((made, made64.rpartition(" ")[2])):
                found.setdefault((secret, timestamp, pop), Signed(row.id, secret, timestamp, pop))
    return list(found.values())

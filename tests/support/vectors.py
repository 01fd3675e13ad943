"""The rows of tests/vectors/*.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "vectors"
_DOCUMENT = json.loads((_FOLDER / "edge-auth.json").read_text("utf-8"))

SECRET: str = _DOCUMENT["secret"]
OLDER_SECRET: str = _DOCUMENT["older_secret"]


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
        secrets = tuple(options.pop("secrets", [SECRET]))
        found.append(Row(**{**entry, "options": options, "secrets": secrets}))
    return found

"""What every key has, of whatever kind: a name that may be logged, and dates."""

from __future__ import annotations

import math
import re
from typing import Any

from edgeauth.errors import ConfigurationError

# Ids go to logs, metrics and response headers, so they are plain and short.
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class NamedKey:
    """A key under a name that may be logged, with the dates between which it verifies.

    Attributes:
        id: 1 to 64 letters, digits, dots, dashes or underscores.
        not_before: Unix seconds from which the key verifies, or minus infinity.
        not_after: Unix seconds until which (inclusive) it verifies, or infinity.
        dated: whether it has a date.
    """

    __slots__ = ("dated", "id", "not_after", "not_before")

    def __init__(self, key_id: str, not_before: float | None, not_after: float | None) -> None:
        self.id = checked_id(key_id)
        self.not_before = -math.inf if not_before is None else not_before
        self.not_after = math.inf if not_after is None else not_after
        if not self.not_before <= self.not_after:
            raise ConfigurationError(
                f"key {key_id!r}: not_before {not_before} must not be later than "
                f"not_after {not_after}"
            )
        self.dated = self.not_before > -math.inf or self.not_after < math.inf

    def valid_at(self, now: float) -> bool:
        """Whether *now* (Unix seconds) lies between not_before and not_after, inclusive."""
        return self.not_before <= now <= self.not_after


def checked_id(key_id: Any) -> str:  # noqa: ANN401 - this is what finds out
    """*key_id*, if a key can have it.

    Raises:
        ConfigurationError: it cannot.
    """
    if not isinstance(key_id, str) or not KEY_ID.fullmatch(key_id):
        raise ConfigurationError(
            "a key id must be 1 to 64 letters, digits, dots, dashes or underscores"
        )
    return key_id

"""Where requests are kept that broke a promise."""

from __future__ import annotations

from pathlib import Path

FOUND = Path(__file__).parents[2] / ".fuzz" / "differential"

"""Which keys the edge signs with, as the decisions or the metrics of the origin tell it.

Two sources know every accepted request: the file of decisions (one JSON object a line, with
``time`` in Unix seconds and ``key``), and the metrics of ``edgeauth serve``
(``edgeauth_verified_total`` with the label ``key_id``).
"""

from __future__ import annotations

import json
import math
import re
import urllib.request
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError

if TYPE_CHECKING:
    import os

_MAX_METRICS_BYTES = 16 << 20
_TIMEOUT_SECONDS = 10
_VERIFIED = re.compile(r"edgeauth_verified(?:_total)?\{([^}]*)\} ([0-9.e+]+)(?: .*)?", re.ASCII)
_KEY_ID = re.compile(r'(?:^|,)key_id="([A-Za-z0-9._-]+)"')


def seen_in_decisions(path: str | os.PathLike[str], *, since: float) -> Counter[str]:
    """How many requests each key signed since then, by a file of decisions.

    Lines that are no decisions, or have no key, are left out.

    Args:
        path: the file.
        since: Unix seconds.

    Raises:
        ConfigurationError: it cannot be read.
    """
    seen: Counter[str] = Counter()
    try:
        with Path(path).open("rb") as lines:
            for line in lines:
                seen.update(_signer(line, since))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a usable path"
        raise ConfigurationError(f"decisions file {str(path)!r} cannot be read: {why}") from None
    return seen


def _signer(line: bytes, since: float) -> list[str]:
    try:
        decision = json.loads(line)
        key, moment = decision["key"], decision["time"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    is_time = isinstance(moment, (int, float)) and math.isfinite(moment)
    return [key] if isinstance(key, str) and is_time and moment >= since else []


def verified_by_metrics(url: str) -> Counter[str]:
    """The counters of verified requests by key, as Prometheus would scrape them.

    Args:
        url: ``http://127.0.0.1:9100/metrics``, or ``https``.

    Raises:
        ConfigurationError: it cannot be fetched, or has no metrics.
    """
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError(f"metrics {url!r}: write a URL that begins with http://")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - checked above
            raw = answer.read(_MAX_METRICS_BYTES)
    except (OSError, ValueError, HTTPException) as error:
        # A refusal, a status of an error and a wrong certificate are OSErrors.
        why = getattr(error, "reason", None) or error
        raise ConfigurationError(f"metrics {url!r} cannot be fetched: {why}") from None
    text = raw.decode("utf-8", "replace")
    if "edgeauth_" not in text:
        raise ConfigurationError(
            f"metrics {url!r} has none of edgeauth: is that the admin listener of edgeauth serve?"
        )
    return _count_verified(text)


def _count_verified(text: str) -> Counter[str]:
    seen: Counter[str] = Counter()
    for line in text.splitlines():
        match = _VERIFIED.fullmatch(line)
        key = _KEY_ID.search(match[1]) if match else None
        if match and key:
            seen[key[1]] += int(float(match[2]))
    return seen

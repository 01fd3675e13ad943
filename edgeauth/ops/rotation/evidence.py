"""Reads from the origin's decisions or metrics which keys the edge signs with.

Two sources know every accepted request: the file of decisions, and the metrics of
``edgeauth serve`` (``edgeauth_verified_total`` with the label ``key_id``). A request that was
refused, or passed only because the mode is report-only, is no evidence: somebody may have
signed an old value while trying the new key.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import ConfigurationError
from edgeauth.ops.http_get import http_get
from edgeauth.ops.report.reading import DAMAGED, Decision, Lost, is_enough, opened
from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    import os

_MAX_METRICS_BYTES = 16 << 20
_CLOCKS_DIFFER_SECONDS = 5.0
_VERIFIED = re.compile(r"edgeauth_verified(?:_total)?\{([^}]*)\} (\S+)(?: .*)?", re.ASCII)
_KEY_ID = re.compile(r'(?:^|,)key_id="([A-Za-z0-9._-]+)"')
# The counter of signers for which the service has no counter left.
_OTHER = re.compile(r'(?=.*key_id="other")(?=.*pop="other")')
# More than any counter holds, and safe to calculate with.
_MAX_COUNT = 1e18
_MAX_WHY = 300
_MAX_NUMBER = 40


class AcceptedRequests(NamedTuple):
    """How many requests were accepted.

    Attributes:
        by_key: the requests of each key.
        gap: a sentence on why some may be missing; None if all are there.
    """

    by_key: Counter[str]
    gap: str | None = None


def accepted_in_decisions(
    path: str | os.PathLike[str], *, since: float, now: float
) -> AcceptedRequests:
    """Count in a file of decisions the accepted requests that each key signed.

    Args:
        path: the file, plain or compressed with gzip.
        since: leave out requests before this time, in Unix seconds.
        now: the present, in Unix seconds.

    Raises:
        ConfigurationError: it cannot be read.
    """
    seen: Counter[str] = Counter()
    read = missing = 0
    damaged = False
    last = 0.0
    with opened(str(path)) as lines:
        for line in lines:
            if isinstance(line, Decision):
                read += 1
                last = max(last, line.time)
                if line.accepted and line.key is not None and line.time >= since:
                    seen[line.key] += 1
            else:
                missing += line.lines if isinstance(line, Lost) else 1
                damaged = damaged or line is DAMAGED
    gap = None
    if damaged or not is_enough(read, missing):
        gap = f"{missing:,} of {read + missing:,} lines are missing or cannot be read."
    elif last > now + _CLOCKS_DIFFER_SECONDS:
        gap = "The decisions are of the future, by the clock of this machine."
    return AcceptedRequests(seen, gap)


class VerifiedCounts(NamedTuple):
    """The counters of verified requests.

    Attributes:
        by_key: the counter of each key.
        other: the counter of signers that have no counter of their own.
    """

    by_key: Counter[str]
    other: int

    def since(self, before: VerifiedCounts) -> AcceptedRequests:
        """The requests that were counted after *before*.

        A counter that went down was restarted, so all of it is new.
        """
        seen = Counter(
            {key: _growth(before.by_key[key], count) for key, count in self.by_key.items()}
        )
        gap = None
        if _growth(before.other, self.other):
            gap = "The service has too many keys, POPs and holders of passes to tell them apart."
        return AcceptedRequests(seen, gap)


def verified_by_metrics(url: str) -> VerifiedCounts:
    """The counters of verified requests by key, as Prometheus would scrape them.

    Args:
        url: ``http://127.0.0.1:9100/metrics``, or ``https``.

    Raises:
        ConfigurationError: it cannot be fetched, or has no metrics.
    """
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError(f"metrics {url!r}: write a URL that begins with http://")
    try:
        response = http_get(url, most=_MAX_METRICS_BYTES)
    except (OSError, ValueError, HTTPException) as error:
        raise _not_fetched(url, str(getattr(error, "reason", None) or error)) from None
    if response.status != HTTPStatus.OK:
        raise _not_fetched(url, f"{response.status} {response.reason}")
    if len(response.body) > _MAX_METRICS_BYTES:
        raise ConfigurationError(f"metrics {url!a} are over {_MAX_METRICS_BYTES} bytes")
    text = response.body.decode("utf-8", "replace")
    if "edgeauth_" not in text:
        raise ConfigurationError(
            f"metrics {url!a} has none of edgeauth: is that the admin listener of edgeauth serve?"
        )
    return _count_verified(text)


def _not_fetched(url: str, why: str) -> ConfigurationError:
    # The reason may hold what a server sent.
    return ConfigurationError(f"metrics {url!a} cannot be fetched: {escaped(why)[:_MAX_WHY]}")


def _count_verified(text: str) -> VerifiedCounts:
    counters, other = Counter[str](), 0
    for line in text.split("\n"):
        match = _VERIFIED.fullmatch(line)
        if match is None:
            continue
        key = _KEY_ID.search(match[1])
        if _OTHER.match(match[1]):
            other += _count(match[2])
        elif key:
            counters[key[1]] += _count(match[2])
    return VerifiedCounts(counters, other)


def _count(text: str) -> int:
    try:
        count = float(text)
    except ValueError:
        count = math.nan
    # Skipping it would hide a key that is in use.
    if not 0 <= count <= _MAX_COUNT:
        raise ConfigurationError(f"metrics: {text[:_MAX_NUMBER]!a} is no count of requests")
    return int(count)


def _growth(before: int, after: int) -> int:
    return after - before if after >= before else after

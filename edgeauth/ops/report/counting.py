"""Counters whose memory does not grow with what strangers send."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

T = TypeVar("T", bound="Hashable")

_KEEP = 1000
_MAX_BUCKETS = 240
_KEEP_IN_A_SPAN = 16
# Spans that people read easily, in seconds; each divides the next.
_SPANS = (60, 300, 900, 3600, 14_400, 86_400)

# Below so many tenths of a second, ages are rounded to so many.
_STEPS = ((100, 1), (1000, 10), (10_000, 100), (100_000, 1000))


class BoundedCounter(Generic[T]):
    """Counts by key. When there are too many keys, the rarest are put together.

    The sum is always exact. A key's count is exact while there were never more than
    twice *keep* keys; after that it is a lower bound, and the rest is in ``other``.
    """

    def __init__(self, keep: int = _KEEP) -> None:
        self.other = 0
        self._keep = keep
        self._counts: Counter[T] = Counter()

    def add(self, key: T) -> None:
        counts = self._counts
        if key in counts:
            counts[key] += 1
            return
        counts[key] = 1
        self._prune()

    def merge(self, other: BoundedCounter[T]) -> None:
        """Add what *other* counted."""
        self.other += other.other
        self._counts.update(other._counts)
        self._prune()

    def _prune(self) -> None:
        counts = self._counts
        if len(counts) > 2 * self._keep:
            kept = counts.most_common(self._keep)
            self.other += counts.total() - sum(count for _, count in kept)
            self._counts = Counter(dict(kept))

    def __getitem__(self, key: T) -> int:
        return self._counts[key]

    @property
    def total(self) -> int:
        return self._counts.total() + self.other

    def top(self, rows: int | None) -> tuple[list[tuple[T, int]], int]:
        """The most frequent keys (None: all), and the sum of all others."""
        kept = self._counts.most_common(rows)
        return kept, self.total - sum(count for _, count in kept)


class Span:
    """What came in one span of time.

    Attributes:
        accepted: requests.
        reasons: refused requests by reason.
        senders: refused requests by who sent them, of which there are few kinds.
        networks: those from elsewhere by network.
        keys: authentic requests by key.
    """

    def __init__(self) -> None:
        self.accepted = 0
        self.reasons: BoundedCounter[str] = BoundedCounter(_KEEP_IN_A_SPAN)
        self.senders: Counter[str] = Counter()
        self.networks: BoundedCounter[str] = BoundedCounter(_KEEP_IN_A_SPAN)
        self.keys: BoundedCounter[str] = BoundedCounter(_KEEP_IN_A_SPAN)

    def merge(self, other: Span) -> None:
        self.accepted += other.accepted
        self.reasons.merge(other.reasons)
        self.senders.update(other.senders)
        self.networks.merge(other.networks)
        self.keys.merge(other.keys)


class Timeline:
    """Requests over time, in at most *most* spans of one length."""

    def __init__(self, most: int = _MAX_BUCKETS) -> None:
        self.span = _SPANS[0]
        self._most = most
        self._buckets: dict[int, Span] = {}
        self._first, self._last = 0, -1

    def add(
        self,
        time: float,
        *,
        accepted: bool,
        reason: str = "",
        sender: str = "",
        network: str | None = None,
        key: str | None = None,
    ) -> None:
        place = int(time) // self.span
        bucket = self._buckets.get(place)
        if bucket is None:
            bucket = self._buckets[place] = Span()
        if accepted:
            bucket.accepted += 1
        else:
            bucket.reasons.add(reason)
            bucket.senders[sender] += 1
            if network is not None:
                bucket.networks.add(network)
        if key is not None:
            bucket.keys.add(key)
        # Outside the spans so far: this time extends the timeline.
        if not self._first <= place <= self._last:
            self._first, self._last = min(self._buckets), max(self._buckets)
            self._fit()

    def _fit(self) -> None:
        while self._last - self._first >= self._most:
            wider = next((span for span in _SPANS if span > self.span), self.span * 2)
            times = wider // self.span
            merged: dict[int, Span] = {}
            for place, bucket in self._buckets.items():
                merged.setdefault(place // times, Span()).merge(bucket)
            self.span, self._buckets = wider, merged
            self._first, self._last = min(merged), max(merged)

    def coarser(self, most: int) -> Timeline:
        """The same requests in at most *most* spans."""
        made = Timeline(most)
        made.span, made._buckets = self.span, self._buckets
        made._first, made._last = self._first, self._last
        made._fit()
        return made

    def spans(self) -> Iterator[tuple[int, Span]]:
        """The start (Unix seconds) of each span and what came in it, empty ones included."""
        for place in range(self._first, self._last + 1):
            yield place * self.span, self._buckets.get(place) or Span()

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Start (Unix seconds), accepted and refused of each span, empty ones included."""
        for start, span in self.spans():
            yield start, span.accepted, span.reasons.total

    def longest_gap(self) -> tuple[float, float]:
        """The start and end (Unix seconds) of the longest gap; 0, 0 if there is none.

        Exact to the length of a span.
        """
        longest = (0, 0)
        for before, after in pairwise(sorted(self._buckets)):
            gap = (before + 1) * self.span, after * self.span
            if gap[1] - gap[0] > longest[1] - longest[0]:
                longest = gap
        return longest


class Ages:
    """Ages of authentic credentials, to a tenth of a second, an hour at most either way."""

    LIMIT = 3600

    def __init__(self) -> None:
        self.total = 0
        self._tenths: Counter[int] = Counter()

    def add(self, age: float) -> None:
        self.total += 1
        self._tenths[self._rounded(round(max(-self.LIMIT, min(self.LIMIT, age)) * 10))] += 1

    def _rounded(self, tenths: int) -> int:
        return tenths

    def percentile(self, percent: float) -> float:
        """The age that *percent* of all do not exceed (nearest rank)."""
        wanted = max(1, -(-self.total * percent // 100))
        seen = 0
        for tenths in sorted(self._tenths):
            seen += self._tenths[tenths]
            if seen >= wanted:
                return tenths / 10
        raise ValueError("there are no ages")

    def outside(self, low: float, high: float) -> int:
        """How many are below *low* or above *high* seconds."""
        return sum(count for age, count in self if not low <= age <= high)

    def __iter__(self) -> Iterator[tuple[float, int]]:
        for tenths in sorted(self._tenths):
            yield tenths / 10, self._tenths[tenths]


class RoundedAges(Ages):
    """Ages to two digits or so, for one of many POPs: never more than 600 numbers."""

    def _rounded(self, tenths: int) -> int:
        step = next(step for limit, step in _STEPS if abs(tenths) < limit)
        return round(tenths / step) * step

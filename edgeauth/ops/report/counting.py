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
# Spans that people read easily, in seconds; each divides the next.
_SPANS = (60, 300, 900, 3600, 14_400, 86_400)


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
        if len(counts) > 2 * self._keep:
            kept = counts.most_common(self._keep)
            self.other += counts.total() - sum(count for _, count in kept)
            self._counts = Counter(dict(kept))

    def __getitem__(self, key: T) -> int:
        return self._counts[key]

    @property
    def total(self) -> int:
        return self._counts.total() + self.other

    def top(self, rows: int) -> tuple[list[tuple[T, int]], int]:
        """The most frequent keys, and the sum of all others."""
        kept = self._counts.most_common(rows)
        return kept, self.total - sum(count for _, count in kept)


class Timeline:
    """Accepted and refused requests over time, in at most 240 spans of one length."""

    def __init__(self) -> None:
        self.span = _SPANS[0]
        self._buckets: dict[int, list[int]] = {}
        self._first, self._last = 0, -1

    def add(self, time: float, *, accepted: bool) -> None:
        place = int(time) // self.span
        bucket = self._buckets.get(place)
        if bucket is None:
            bucket = self._buckets[place] = [0, 0]
        bucket[not accepted] += 1
        # Outside the spans so far: this time extends the timeline.
        if not self._first <= place <= self._last:
            self._first, self._last = min(self._buckets), max(self._buckets)
            while self._last - self._first >= _MAX_BUCKETS:
                self._coarsen()

    def _coarsen(self) -> None:
        wider = next((span for span in _SPANS if span > self.span), self.span * 2)
        times = wider // self.span
        merged: dict[int, list[int]] = {}
        for place, (accepted, refused) in self._buckets.items():
            bucket = merged.setdefault(place // times, [0, 0])
            bucket[0] += accepted
            bucket[1] += refused
        self.span, self._buckets = wider, merged
        self._first, self._last = min(merged), max(merged)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Start (Unix seconds), accepted and refused of each span, empty ones included."""
        for place in range(self._first, self._last + 1):
            accepted, refused = self._buckets.get(place, (0, 0))
            yield place * self.span, accepted, refused

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
        self._tenths[round(max(-self.LIMIT, min(self.LIMIT, age)) * 10)] += 1

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

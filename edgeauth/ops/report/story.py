"""What was refused, and which keys signed, over time: as rows for tables and pictures alike."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.ops.report.counting import Ages, BoundedCounter, Span, Timeline

# As many as people tell apart by colour, beside the others in grey.
_MOST = 4
_EDGE, _PROXY = "the edge", "unknown"


class Series(NamedTuple):
    """Numbers of requests over time.

    Attributes:
        length: of a span, in seconds.
        names: what is counted, in printable ASCII.
        has_others: whether the last name stands for all that have none.
        rows: start of a span (Unix seconds), accepted requests, and the number of each name.
    """

    length: int
    names: tuple[str, ...]
    has_others: bool
    rows: tuple[tuple[int, int, tuple[int, ...]], ...]

    @property
    def totals(self) -> list[int]:
        """The sum of each name."""
        return [
            sum(counts[place] for _, _, counts in self.rows) for place in range(len(self.names))
        ]


def by_reason(timeline: Timeline, most: int) -> Series:
    """Refused requests by reason, in at most *most* spans."""
    return _series(timeline.coarser(most), lambda span: _counts(span.reasons), "other reasons")


def by_sender(timeline: Timeline, most: int) -> Series:
    """Refused requests by who sent them: the edge, a proxy or nobody known, or a network."""

    def counts(span: Span) -> Counter[str | None]:
        found = _counts(span.networks)
        found[_EDGE], found[_PROXY] = span.senders["edge"], span.senders["unknown"]
        return found

    # A flood of strangers does not displace the edge.
    return _series(timeline.coarser(most), counts, "other networks", first=(_EDGE, _PROXY))


def by_key(timeline: Timeline, most: int) -> Series:
    """Authentic requests by key."""
    return _series(timeline.coarser(most), lambda span: _counts(span.keys), "other keys")


class PopAges(NamedTuple):
    """Ages of one POP's signatures, in seconds: 5 in 100, half and 95 in 100 are at most so old."""

    pop: str
    total: int
    low: float
    half: float
    high: float
    oldest: float


def slowest(pops: dict[str, Ages], most: int) -> list[PopAges]:
    """The POPs whose signatures are the oldest, those first; names in printable ASCII."""
    found = [
        PopAges(escaped(pop), ages.total, *map(ages.percentile, (5, 50, 95, 100)))
        for pop, ages in pops.items()
    ]
    return sorted(found, key=lambda each: (-each.half, -each.high, each.pop))[:most]


def _counts(counter: BoundedCounter[str]) -> Counter[str | None]:
    """All counts; None stands for what was put together."""
    rows, _ = counter.top(None)
    found: Counter[str | None] = Counter(dict(rows))
    found[None] = counter.other
    return found


def _series(
    timeline: Timeline,
    counts: Callable[[Span], Counter[str | None]],
    others: str,
    first: tuple[str, ...] = (),
) -> Series:
    spans = [(start, span.accepted, counts(span)) for start, span in timeline.spans()]
    totals: Counter[str | None] = Counter()
    for _, _, found in spans:
        totals.update(found)
    ranked = [name for name, count in totals.most_common() if count and name not in (*first, None)]
    shown = [*(name for name in first if totals[name]), *ranked][:_MOST]
    has_others = totals.total() > sum(totals[name] for name in shown)
    rows = []
    for start, accepted, found in spans:
        numbers = [found[name] for name in shown]
        rest = [found.total() - sum(numbers)] if has_others else []
        rows.append((start, accepted, (*numbers, *rest)))
    names = (*(escaped(name or "") for name in shown), *([others] if has_others else []))
    return Series(timeline.span, names, has_others, tuple(rows))

"""The plots of the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edgeauth.errors import seconds
from edgeauth.ops.html_page import bar, line, picture, text
from edgeauth.ops.report.story import by_key, by_reason, by_sender, slowest
from edgeauth.ops.report.tables import ROWS, moment
from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from edgeauth.ops.report.story import Series
    from edgeauth.ops.report.summary import Summary

_TOP, _PLOT_HEIGHT = 18, 200
_FLOOR = _TOP + _PLOT_HEIGHT
_HEIGHT = _FLOOR + 44
_LANE, _LANE_BAR = 50, 26
_AGE_BARS = 160
# In seconds.
_AGE_WIDTHS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60)
# A phone has room for bars of so many spans.
_TIMES = 72


def timeline(summary: Summary) -> str:
    """Accepted and refused requests over time, one bar above the other."""
    spans = list(summary.timeline)
    rows = [(start, counts) for start, *counts in spans]
    return _stacked(
        "timeline",
        f"Requests in each {_length(summary.timeline.span)}, by the time in UTC",
        rows,
        {
            "accepted": f"accepted {summary.accepted:,}",
            "refused": f"refused when enforced {summary.refusals:,}",
        },
        _enforced(summary, spans[0][0], summary.timeline.span * len(spans)),
    )


def refused_by_reason(summary: Summary) -> str:
    """Refused requests over time, by reason."""
    return _refused(summary, "reasons-over-time", by_reason(summary.timeline, _TIMES), "reason")


def refused_by_sender(summary: Summary) -> str:
    """Refused requests over time, by who sent them."""
    by = "who sent them: the edge, a proxy or an address that is not known, or a network elsewhere"
    return _refused(summary, "senders-over-time", by_sender(summary.timeline, _TIMES), by)


def _refused(summary: Summary, name: str, series: Series, by: str) -> str:
    rows = [(start, counts) for start, _, counts in series.rows]
    peak, counts = max(rows, key=lambda row: sum(row[1]))
    length = _length(series.length)
    return _stacked(
        name,
        f"Refused requests in each {length}, by {by}. Most were refused in the {length} from "
        f"{moment(peak)[:16]} UTC: {sum(counts):,}",
        rows,
        _legend(series),
        _enforced(summary, rows[0][0], series.length * len(rows)),
    )


def keys(summary: Summary) -> str:
    """Which keys signed over time: of a rotation, the new one comes and the old one goes."""
    series = by_key(summary.timeline, _TIMES)
    step = 100 / len(series.rows)
    drawn = []
    # The oldest at the top, so that a rotation goes down.
    order = sorted(
        range(len(series.names)),
        key=lambda key: next((start for start, _, counts in series.rows if counts[key]), 0),
    )
    for lane, key in enumerate(order):
        name, total = series.names[key], series.totals[key]
        floor = (lane + 1) * _LANE
        drawn.append(text(0, floor - _LANE_BAR - 6, f"{name}: {total:,}", "start"))
        drawn.append(line("grid", 0, floor, 100, floor))
        for place, (_, _, counts) in enumerate(series.rows):
            # One request of a million is seen as well.
            share = counts[key] and max(1.5, counts[key] / sum(counts) * _LANE_BAR)
            drawn.append(bar("accepted", place * step, floor - share, step, share))
    height = len(series.names) * _LANE + 24
    return picture(
        "keys",
        f"Share of each key in the authentic requests of each {_length(series.length)}, by the "
        "time in UTC",
        [*drawn, *_times([start for start, _, _ in series.rows], height - 6)],
        height,
        wide=True,
    )


def reasons(summary: Summary) -> str:
    """How many requests were refused, by reason; a logarithmic scale, so that 1 is seen."""
    rows, other = summary.reasons[False].top(8)
    rows += [("other", other)] if other else []
    highest = math.log10(rows[0][1] + 1)
    row_height = 38
    drawn = []
    for place, (reason, count) in enumerate(rows):
        top = place * row_height
        width = math.log10(count + 1) / highest * 100
        drawn.append(text(0, top + 14, escaped(reason), "start"))
        drawn.append(text(100, top + 14, f"{count:,}", "end"))
        drawn.append(bar("refused", 0, top + 19, width, 12))
    title = "Refused requests by reason; the scale is logarithmic"
    return picture("reasons", title, drawn, row_height * len(rows), wide=True)


def ages(summary: Summary) -> str:
    """How old signatures are, with the window; a logarithmic scale, so that the tail is seen."""
    low, high = -summary.max_future, summary.max_age
    margin = (high - low) * 0.15 or 1.0
    # What lies far outside is one bar at the end of the picture.
    first = min(low, max(summary.ages.percentile(0.01), low - 4 * margin)) - margin
    last = max(high, min(summary.ages.percentile(100), high + 4 * margin)) + margin
    # A width that makes 0, and a window of whole seconds, begin a bar.
    least = (last - first) / _AGE_BARS
    width = next((width for width in _AGE_WIDTHS if width >= least), least)
    first, last = math.floor(first / width) * width, math.ceil(last / width) * width
    bars = [0] * round((last - first) / width)
    for age, count in summary.ages:
        bars[max(0, min(len(bars) - 1, int((age - first) / width + 1e-9)))] += count
    highest = math.log10(max(bars) + 1)

    def across(age: float) -> float:
        return (age - first) / (last - first) * 100

    window = bar("window", across(low), _TOP, across(high) - across(low), _PLOT_HEIGHT)
    step = 100 / len(bars)
    drawn = []
    for place, count in enumerate(bars):
        inside = low - 1e-9 <= first + place * width < high
        height = math.log10(count + 1) / highest * _PLOT_HEIGHT
        kind = "accepted" if inside else "refused"
        drawn.append(bar(kind, place * step, _FLOOR - height, step * 0.9, height))
    powers = [10.0**power for power in range(int(highest) + 1)]
    marks = []
    for age, anchor, name in ((low, "end", "-max_future"), (high, "middle", "max_age")):
        at = across(age)
        marks.append(line("limit", at, _TOP, at, _FLOOR))
        marks.append(text(at, _FLOOR + 18, f"{seconds(age)} s", anchor))
        marks.append(text(at, _FLOOR + 36, name, anchor))
    marks.append(text(across(0), _FLOOR + 18, "0 s", "start", shift=6) if low < 0 else "")
    return picture(
        "ages",
        f"Requests by the age of their signature; the window is {seconds(low)} to "
        f"{seconds(high)} s. The scale is logarithmic",
        [window, *_scale(powers, lambda n: math.log10(n + 1) / highest), *drawn, *marks],
        _HEIGHT,
    )


def pop_ages(summary: Summary) -> str:
    """The median age of each POP's signatures, and what nine in ten are between."""
    shown = slowest(summary.pop_ages, ROWS)
    first = min(0, *(each.low for each in shown))
    last = max(1, *(each.high for each in shown))
    step = next((s for s in (0.5, 1, 2, 5, 10, 20, 60) if (last - first) / s <= 5), 600)  # noqa: PLR2004
    last = math.ceil(last / step) * step

    def across(age: float) -> float:
        return (age - first) / (last - first) * 100

    floor = len(shown) * 38
    drawn = []
    for number in range(math.ceil(first / step), round(last / step) + 1):
        at = across(number * step)
        drawn.append(line("grid", at, 0, at, floor + 4))
        anchor = "middle" if at < 99 else "end"  # noqa: PLR2004 - percent
        drawn.append(text(at, floor + 20, f"{seconds(number * step)} s", anchor))
    for place, (pop, _, low, half, high, _) in enumerate(shown):
        top = place * 38
        words = f"{pop}: {seconds(half)} s ({seconds(low)} to {seconds(high)} s)"
        drawn.append(text(0, top + 14, words, "start"))
        drawn.append(bar("range", across(low), top + 20, across(high) - across(low), 10))
        drawn.append(bar("median", across(half) - 0.4, top + 17, 0.8, 16))
    return picture(
        "pop-ages",
        "Age of signatures by POP: half are younger than the mark, nine in ten are in the bar",
        drawn,
        floor + 26,
        wide=True,
    )


def _stacked(
    name: str,
    title: str,
    rows: Sequence[tuple[int, Sequence[int]]],
    legend: dict[str, str],
    marks: Iterable[str],
) -> str:
    highest = max(sum(counts) for _, counts in rows)
    step = 100 / len(rows)
    bars = []
    for place, (_, counts) in enumerate(rows):
        floor = float(_FLOOR)
        for kind, count in zip(legend, counts, strict=True):
            height = count / highest * _PLOT_HEIGHT
            floor -= height
            bars.append(bar(kind, place * step, floor, step, height))
    scale = _scale({0, highest // 2, highest}, lambda count: count / highest)
    times = _times([start for start, _ in rows], _FLOOR + 18)
    drawn = [*scale, *bars, *marks, *times]
    return picture(name, title, drawn, _FLOOR + 26, legend.items())


def _enforced(summary: Summary, first: float, length: float) -> list[str]:
    """Where the mode was enforce for the first time that somebody noticed."""
    if summary.enforced_from is None:
        return []
    at = (summary.enforced_from - first) / length * 100
    anchor, shift = ("start", 5) if at < 50 else ("end", -5)  # noqa: PLR2004 - percent
    return [
        line("limit", at, 0, at, _FLOOR),
        text(at, 11, "refused for real from here", anchor, shift=shift),
    ]


def _legend(series: Series) -> dict[str, str]:
    """The kind of each name's bars, and what it stands for."""
    kinds = [f"series-{place}" for place in range(len(series.names))]
    if series.has_others:
        kinds[-1] = "rest"
    words = [f"{name} {total:,}" for name, total in zip(series.names, series.totals, strict=True)]
    return dict(zip(kinds, words, strict=True))


def _times(starts: Sequence[int], y: float) -> list[str]:
    """The first time, the last, and one between where there is room, below what begins then."""
    middle = len(starts) // 2
    shown = [text(0, y, moment(starts[0])[5:16], "start")]
    if 0 < middle < len(starts) - 1:
        at = 100 * middle / len(starts)
        shown.append(text(at, y, moment(starts[middle])[5:16], "middle", kind="between"))
        shown.append(text(100, y, moment(starts[-1])[5:16], "end"))
    return shown


def _length(span: int) -> str:
    for name, size in (("day", 86_400), ("hour", 3600)):
        if span >= size and span % size == 0:
            return name if span == size else f"{span // size} {name}s"
    return "minute" if span == 60 else f"{span // 60} minutes"  # noqa: PLR2004


def _scale(values: Iterable[float], height: Callable[[float], float]) -> list[str]:
    lines = []
    for value in values:
        y = _FLOOR - height(value) * _PLOT_HEIGHT
        lines.append(line("grid", 0, y, 100, y))
        lines.append(text(0, y + 4, f"{value:,.0f}", "end", shift=-8))
    return lines

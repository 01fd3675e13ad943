"""The plots of the page, as SVG that takes its colours from the page's style."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from edgeauth.errors import seconds
from edgeauth.ops.report.tables import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgeauth.ops.report.summary import Summary

_WIDTH, _HEIGHT = 920, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 16, 40
_PLOT_WIDTH = _WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT = _HEIGHT - _TOP - _BOTTOM
_FLOOR = _TOP + _PLOT_HEIGHT
_AGE_BARS = 160
# In seconds.
_AGE_WIDTHS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60)
_TIME_LABELS = 5


def timeline(summary: Summary) -> str:
    """Accepted and refused requests over time, one bar above the other."""
    spans = list(summary.timeline)
    highest = max(accepted + refused for _, accepted, refused in spans)
    step = _PLOT_WIDTH / len(spans)
    bars = []
    for place, (_, accepted, refused) in enumerate(spans):
        left = _LEFT + place * step
        low = accepted / highest * _PLOT_HEIGHT
        high = refused / highest * _PLOT_HEIGHT
        bars.append(_bar("accepted", left, _FLOOR - low, step, low))
        bars.append(_bar("refused", left, _FLOOR - low - high, step, high))
    labels = []
    for number in range(_TIME_LABELS):
        place = round(number * (len(spans) - 1) / (_TIME_LABELS - 1))
        anchor = ("start", "middle", "end")[(number > 0) + (number == _TIME_LABELS - 1)]
        at = _LEFT + _PLOT_WIDTH * number / (_TIME_LABELS - 1)
        labels.append(_text(at, _HEIGHT - 14, moment(spans[place][0])[5:16], anchor))
        if len(spans) == 1:
            break
    span = summary.timeline.span
    per = f"{span // 60} min" if span < 7200 else f"{span / 3600:.0f} h"  # noqa: PLR2004
    return _svg(
        "timeline",
        f"Requests in each {per}, accepted and refused, by the time in UTC",
        [*_scale([0, highest / 2, highest], lambda count: count / highest), *bars, *labels],
    )


def reasons(summary: Summary) -> str:
    """How many requests were refused, by reason; a logarithmic scale, so that 1 is seen."""
    rows, other = summary.reasons[False].top(8)
    rows += [("other", other)] if other else []
    highest = math.log10(rows[0][1] + 1)
    line, left = 28, 130
    drawn = []
    for place, (reason, count) in enumerate(rows):
        top = 8 + place * line
        width = math.log10(count + 1) / highest * (_WIDTH - left - 120)
        drawn.append(_text(left - 10, top + 15, reason, "end"))
        drawn.append(_bar("refused", left, top, width, line - 8))
        drawn.append(_text(left + width + 8, top + 15, f"{count:,}", "start"))
    title = "Refused requests by reason; the scale is logarithmic"
    return _svg("reasons", title, drawn, height=16 + line * len(rows))


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
        return _LEFT + (age - first) / (last - first) * _PLOT_WIDTH

    window = _bar("window", across(low), _TOP, across(high) - across(low), _PLOT_HEIGHT)
    step = _PLOT_WIDTH / len(bars)
    drawn = []
    for place, count in enumerate(bars):
        inside = low - 1e-9 <= first + place * width < high
        height = math.log10(count + 1) / highest * _PLOT_HEIGHT
        kind = "accepted" if inside else "refused"
        drawn.append(_bar(kind, _LEFT + place * step, _FLOOR - height, step * 0.9, height))
    powers = [10.0**power for power in range(int(highest) + 1)]
    marks = []
    for age, anchor, name in ((low, "end", "-max_future"), (high, "start", "max_age")):
        at = across(age)
        marks.append(f'<line class="limit" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{_FLOOR}"/>')
        shift = 6 if anchor == "start" else -6
        marks.append(_text(at + shift, _TOP + 12, name, anchor))
        marks.append(_text(at, _HEIGHT - 14, f"{seconds(age)} s", "middle"))
    marks.append(_text(across(0) + 6, _HEIGHT - 14, "0 s", "start") if low < 0 else "")
    return _svg(
        "ages",
        f"Requests by the age of their signature; the window is {seconds(low)} to "
        f"{seconds(high)} s. The scale is logarithmic",
        [window, *_scale(powers, lambda n: math.log10(n + 1) / highest), *drawn, *marks],
    )


def _svg(name: str, title: str, drawn: Iterable[str], height: int = _HEIGHT) -> str:
    return (
        f'<figure><figcaption id="plot-{name}">{escape(title)}</figcaption>'
        f'<svg role="img" aria-labelledby="plot-{name}" viewBox="0 0 {_WIDTH} {height}">'
        f"{''.join(drawn)}</svg></figure>"
    )


def _scale(values: Iterable[float], height: Callable[[float], float]) -> list[str]:
    lines = []
    for value in values:
        y = _FLOOR - height(value) * _PLOT_HEIGHT
        lines.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        lines.append(_text(_LEFT - 8, y + 4, f"{value:,.0f}", "end"))
    return lines


def _bar(kind: str, x: float, y: float, width: float, height: float) -> str:
    if height <= 0 or width <= 0:
        return ""
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.2f}" height="{height:.1f}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'

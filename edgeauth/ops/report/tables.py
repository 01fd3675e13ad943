"""The figures as tables of text, laid out once for every output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edgeauth.errors import seconds
from edgeauth.ops.report.story import by_reason, by_sender, slowest
from edgeauth.ops.text import escaped
from edgeauth.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth.ops.report.counting import BoundedCounter
    from edgeauth.ops.report.story import Series
    from edgeauth.ops.report.summary import Summary

ROWS = 10
_ROWS_OF_STRANGERS = 4
PERCENTILES = (0.1, 1, 50, 90, 99, 99.9, 100)

_SENDERS = {
    "edge": "the edge",
    "unknown": "unknown",
    "elsewhere": "elsewhere",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of printable ASCII.

    Attributes:
        name: for programs.
        columns: their titles; those in ``numbers`` are aligned to the right.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    numbers: frozenset[int]
    rows: tuple[tuple[str, ...], ...]


def tables(summary: Summary) -> list[Table]:
    """All tables of the report, without those that would be empty."""
    made = [
        _reasons(summary),
        _over_time("reasons-over-time", "reason", by_reason(summary.timeline, ROWS)),
        _over_time("senders-over-time", "sender", by_sender(summary.timeline, ROWS)),
        _refused(summary),
        _by(summary.networks, "networks", "By network of the peer", "network"),
        _by(summary.pops, "pops", "By signing POP", "POP"),
        *_schemes(summary),
        _ages(summary),
        _pop_ages(summary),
        _keys(summary),
    ]
    return [table for table in made if table.rows]


def moment(time: float) -> str:
    """A time (Unix seconds) for people, in UTC."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _reasons(summary: Summary) -> Table:
    rows = []
    for accepted in (True, False):
        top, other = summary.reasons[accepted].top(ROWS)
        result = "accepted" if accepted else "refused"
        for reason, count in [*top, *([("other", other)] if other else [])]:
            share = f"{count / summary.decisions:.2%}"
            rows.append((escaped(reason), result, f"{count:,}", share, _meaning(reason)))
    return Table(
        "reasons",
        "By reason",
        ("reason", "when enforced", "requests", "share", "meaning"),
        frozenset({2, 3}),
        tuple(rows),
    )


def _meaning(code: str) -> str:
    reason = REASONS.get(code)
    return "" if reason is None else reason.meaning


def _over_time(name: str, by: str, series: Series) -> Table:
    """Without rows where nothing was refused."""
    rows = series.rows if series.names else ()
    shown = 10 if series.length % 86_400 == 0 else 16
    return Table(
        name,
        f"Refused when enforced, over time by {by}",
        ("from (UTC)", "accepted", *series.names),
        frozenset(range(1, len(series.names) + 2)),
        tuple((moment(start)[:shown], *(f"{n:,}" for n in (yes, *no))) for start, yes, no in rows),
    )


def _refused(summary: Summary) -> Table:
    rows = []
    for sender, counter in summary.refused.items():
        # For strangers the reasons matter; the paths that they guess do not.
        top, other = counter.top(_ROWS_OF_STRANGERS if sender == "elsewhere" else ROWS)
        for (reason, method, path), count in top:
            cells = (_SENDERS[sender], f"{escaped(method)} {escaped(path)}", escaped(reason))
            rows.append((*cells, f"{count:,}"))
        if other:
            rows.append((_SENDERS[sender], "other paths", "", f"{other:,}"))
    return Table(
        "refused",
        "Refused when enforced, by path",
        ("came from", "path", "reason", "requests"),
        frozenset({3}),
        tuple(rows),
    )


def _by(counters: dict[bool, BoundedCounter[str]], name: str, title: str, column: str) -> Table:
    accepted, refused = counters[True], counters[False]
    # The most refused first, then the most frequent.
    names = dict.fromkeys(key for key, _ in [*refused.top(ROWS)[0], *accepted.top(ROWS)[0]])
    shown = list(names)[:ROWS]
    rows = [(escaped(key), accepted[key], refused[key]) for key in shown]
    others = (
        accepted.total - sum(row[1] for row in rows),
        refused.total - sum(row[2] for row in rows),
    )
    if any(others):
        rows.append(("other", *others))
    return Table(
        name,
        title,
        (column, "accepted", "refused"),
        frozenset({1, 2}),
        tuple((key, f"{yes:,}", f"{no:,}") for key, yes, no in rows),
    )


def _schemes(summary: Summary) -> list[Table]:
    """What each kind of credential was used for, where there were several or are accepted."""
    table = _by(summary.schemes, "schemes", "Authentic, by scheme", "scheme")
    seen = {row[0] for row in table.rows}
    # That nobody uses the old one any more is what an operator wants to read.
    kinds = dict.fromkeys(summary.kinds) if len(summary.kinds) > 1 else {}
    unused = tuple((kind, "0", "0") for kind in kinds if kind not in seen)
    table = replace(table, rows=(*table.rows, *unused))
    return [table] if len(table.rows) > 1 else []


def _ages(summary: Summary) -> Table:
    ages = summary.ages
    low, high = -summary.max_future, summary.max_age
    rows: list[tuple[str, ...]] = []
    if ages.total:
        for percent in PERCENTILES:
            age = ages.percentile(percent)
            label = "oldest" if percent == PERCENTILES[-1] else f"{percent:g} %"
            rows.append((label, f"{seconds(age)} s", "yes" if low <= age <= high else "NO"))
        outside = ages.outside(low, high)
        window = f"{seconds(low)} to {seconds(high)} s"
        rows.append((f"outside {window}", f"{outside:,}", "" if not outside else "NO"))
    return Table(
        "ages",
        f"Age of authentic signatures ({ages.total:,})",
        ("percentile", "age at most", "in the window"),
        frozenset({1}),
        tuple(rows),
    )


def _pop_ages(summary: Summary) -> Table:
    rows = (
        (each.pop, f"{each.total:,}", *(f"{seconds(age)} s" for age in each[2:]))
        for each in slowest(summary.pop_ages, ROWS)
    )
    return Table(
        "pop-ages",
        "Age of authentic signatures by POP",
        ("POP", "signatures", "5 % at most", "half at most", "95 % at most", "oldest"),
        frozenset(range(1, 6)),
        tuple(rows),
    )


def _keys(summary: Summary) -> Table:
    rows = (
        (escaped(key), f"{seen.count:,}", moment(seen.first), moment(seen.last))
        for key, seen in sorted(summary.keys.items(), key=lambda item: item[1].last)
    )
    return Table(
        "keys",
        "Keys seen (UTC)",
        ("key", "requests", "first", "last"),
        frozenset({1}),
        tuple(rows)[-ROWS:],
    )


def overview(summary: Summary) -> Iterable[tuple[str, str]]:
    """The totals, each with its name."""
    yield "decisions", f"{summary.decisions:,}"
    yield "accepted", f"{summary.accepted:,}"
    yield "refused when enforced", f"{summary.refusals:,}"
    if summary.first is not None and summary.last is not None:
        yield "from (UTC)", moment(summary.first)
        yield "to (UTC)", moment(summary.last)
    yield "lines not read", f"{summary.malformed.total:,}"
    yield "lines lost by the app", f"{summary.lost:,}"

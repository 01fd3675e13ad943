"""Concludes from a summary whether it is safe to enforce."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeauth.errors import seconds
from edgeauth.ops.report.reading import MAY_BE_MISSING, is_enough
from edgeauth.ops.report.tables import moment
from edgeauth.ops.text import escaped
from edgeauth.reasons import REPLAYED

if TYPE_CHECKING:
    from edgeauth.ops.report.summary import Summary

_DAY = 86_400
_NEAR_THE_EDGE = 0.8
# A gap is reported if at least this many decisions are expected in it.
_EXPECTED_IN_A_GAP = 50
_CLOCKS_DIFFER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Whether it is safe to enforce.

    Attributes:
        safe: whether nothing in the file speaks against enforcing.
        sentence: the conclusion in words.
        notes: what an operator should know before acting on it.
    """

    safe: bool
    sentence: str
    notes: tuple[str, ...]


def conclude(summary: Summary, now: float | None = None) -> Conclusion:
    """Judge *summary* at *now* (Unix seconds; None: the present).

    Refusing strangers is the purpose of the gate. What counts are requests that came from the
    edge, or may have come from it, and were refused. Missing lines may be such requests, so a
    file with many missing lines is no evidence.
    """
    notes = tuple(_notes(summary, time.time() if now is None else now))
    problem = _problem(summary)
    if problem is not None:
        return Conclusion(safe=False, sentence=problem, notes=notes)
    signed, strangers = summary.reasons[True]["ok"], summary.refused["elsewhere"].total
    tail = f"; the {strangers:,} that would be refused came from elsewhere" if strangers else ""
    sentence = f"Safe to enforce, by these lines: all {signed:,} signed requests pass{tail}."
    return Conclusion(safe=True, sentence=sentence, notes=notes)


def _problem(summary: Summary) -> str | None:
    """The worst objection to enforcing, or why no conclusion is possible."""
    edge, unknown = summary.refused["edge"].total, summary.refused["unknown"].total
    problem = None
    if not summary.decisions:
        problem = "Nothing can be said: no decision was read."
    elif not summary.accepted:
        problem = (
            "Not safe to enforce: not one request was accepted. Does the edge sign, and with "
            "the same secret?"
        )
    elif edge:
        problem = (
            f"Not safe to enforce: {_count(edge, 'request')} from the edge would be refused, "
            f"most often {_most_frequent(summary, 'edge')}."
        )
    elif unknown:
        problem = (
            f"Not proven safe: {_count(unknown, 'request')} would be refused whose address is "
            f"that of a proxy or none, most often {_most_frequent(summary, 'unknown')}. Name "
            "the proxies in trusted_proxies, or look at each of the paths below."
        )
    elif summary.damaged:
        problem = (
            f"Nothing can be said: {escaped(summary.damaged[0])} is damaged, and nobody knows "
            "what is missing."
        )
    elif not is_enough(summary.decisions, summary.missing):
        problem = (
            f"Nothing can be said: of {_count(summary.decisions + summary.missing, 'line')} "
            f"{summary.missing:,} are missing; {MAY_BE_MISSING:.0%} may be."
        )
    elif not summary.reasons[True]["ok"]:
        problem = (
            "Nothing can be said: no signed request was read. Those that were accepted were "
            "exempt, or came with a pass."
        )
    return problem


def _notes(summary: Summary, now: float) -> list[str]:
    notes = []
    if summary.first is not None and summary.last is not None:
        length = summary.last - summary.first
        if length < _DAY:
            notes.append(
                f"The lines cover {length / 3600:.1f} hours. Jobs that run once a day or a week "
                "are not in them: wait for a week before you enforce."
            )
        start, end = summary.timeline.longest_gap()
        if length and summary.decisions * (end - start) / length >= _EXPECTED_IN_A_GAP:
            notes.append(
                f"There is no line from {moment(start)} to {moment(end)} (UTC): was the app "
                "down, or are lines in another file?"
            )
        if summary.last > now + _CLOCKS_DIFFER_SECONDS:
            notes.append(
                f"The last line is {seconds(summary.last - now)} s in the future by the clock of "
                "this machine: one of the clocks is wrong."
            )
    if summary.enforced_refusals:
        notes.append(
            "Refused for real, since the mode was enforce by then: "
            f"{_count(summary.enforced_refusals, 'request')}."
        )
    notes += _about_replays(summary)
    if summary.ages.total:
        late = summary.ages.percentile(99.9)
        if _NEAR_THE_EDGE * summary.max_age < late <= summary.max_age:
            notes.append(
                f"1 in 1,000 is {seconds(late)} s old or older, near max_age "
                f"({seconds(summary.max_age)} s): look at the clocks, or at queues on the way."
            )
    if summary.malformed.total:
        name, number, why = summary.examples[0]
        notes.append(
            f"{_count(summary.malformed.total, 'line')} could not be read and are not counted; "
            f"the first is line {number} of {escaped(name)}: {why}."
        )
    if summary.lost:
        notes.append(
            f"{_count(summary.lost, 'line')} could not be written by the app, which says so in the "
            "file, and are not counted: was the disk full?"
        )
    return notes


def _about_replays(summary: Summary) -> list[str]:
    replays = summary.reasons[False][REPLAYED.code]
    if not replays:
        return []
    told = (
        f"{_count(replays, 'request')} had a credential that was used before: copies by whoever "
        "saw it, or retries that were not signed anew. Look where they came from."
    )
    return [told]


def _most_frequent(summary: Summary, sender: str) -> str:
    rows, _ = summary.refused[sender].top(1)  # type: ignore[index]
    reason, method, path = rows[0][0]
    return f"{escaped(reason)} at {escaped(method)} {escaped(path)}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")

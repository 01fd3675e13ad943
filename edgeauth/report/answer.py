"""Is it safe to enforce? One sentence, and what it leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeauth.errors import seconds
from edgeauth.escaping import escaped

if TYPE_CHECKING:
    from edgeauth.report.summary import Summary

_DAY = 86_400
_NEAR_THE_EDGE = 0.8


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer.

    Attributes:
        safe: whether nothing in the file speaks against enforcing.
        sentence: the answer in words.
        notes: what an operator should know before acting on it.
    """

    safe: bool
    sentence: str
    notes: tuple[str, ...]


def answer(summary: Summary) -> Answer:
    """Judge *summary*.

    Strangers who are refused are what the gate is for. What counts is requests that came
    from the edge, or may have, and were refused all the same.
    """
    edge, unknown = summary.refused["edge"].total, summary.refused["unknown"].total
    strangers = summary.refused["elsewhere"].total
    signed = summary.reasons[True]["ok"]
    notes = tuple(_notes(summary))
    if not summary.decisions:
        return Answer(
            safe=False, sentence="Nothing can be said: no decision was read.", notes=notes
        )
    if not summary.accepted:
        sentence = (
            "Not safe to enforce: not one request was accepted. Does the edge sign, and with "
            "the same secret?"
        )
        return Answer(safe=False, sentence=sentence, notes=notes)
    if edge:
        sentence = (
            f"Not safe to enforce: {_count(edge, 'request')} from the edge would be refused, "
            f"most often {_most_frequent(summary, 'edge')}."
        )
        return Answer(safe=False, sentence=sentence, notes=notes)
    if unknown:
        sentence = (
            f"Not proven safe: {_count(unknown, 'request')} would be refused whose address is "
            f"that of a proxy or none, most often {_most_frequent(summary, 'unknown')}. Name "
            "the proxies in trusted_proxies, or look at each of the paths below."
        )
        return Answer(safe=False, sentence=sentence, notes=notes)
    tail = f"; the {strangers:,} that would be refused came from elsewhere" if strangers else ""
    sentence = f"Safe to enforce, by these lines: all {signed:,} signed requests pass{tail}."
    return Answer(safe=True, sentence=sentence, notes=notes)


def _notes(summary: Summary) -> list[str]:
    notes = []
    if summary.first is not None and summary.last is not None:
        length = summary.last - summary.first
        if length < _DAY:
            notes.append(
                f"The lines cover {length / 3600:.1f} hours. Jobs that run once a day or a week "
                "are not in them: wait for a week before you enforce."
            )
    if summary.enforced_refusals:
        notes.append(
            "Refused for real, since the mode was enforce by then: "
            f"{_count(summary.enforced_refusals, 'request')}."
        )
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
    return notes


def _most_frequent(summary: Summary, sender: str) -> str:
    rows, _ = summary.refused[sender].top(1)  # type: ignore[index]
    reason, method, path = rows[0][0]
    return f"{escaped(reason)} at {escaped(method)} {escaped(path)}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")

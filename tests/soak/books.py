"""Three accounts of the same requests, and whether they agree.

    answers    what the clients got: each decision is there once; where a fault left a
               request without its answer, it may be there or not
    lines      the file of decisions, in which nearly every request has a path of its own
    metrics    the counters of the decision service

The load stands still while they are compared, so nothing is on its way.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from edgeauth.ops.report.reading import Malformed, parse
from soak.traffic import Line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# How many examples of each mistake are shown.
_SHOWN = 5


def lines_from(decisions: Path, start: int) -> tuple[list[bytes], int]:
    """The lines of the file from *start*, and where it ends.

    An empty one is none: a process that saw another's line stand half written for some
    milliseconds, as on a machine with too much to do, began its own on a new line.
    """
    with decisions.open("rb") as file:
        file.seek(start)
        return [line for line in file if not line.isspace()], file.tell()


@dataclass
class Tally:
    """What clients know of their requests.

    Attributes:
        sent: by kind.
        answers: by kind and what came of it: a status, ``nothing`` or ``lost``.
        least, most: between them is how often each decision was made.
        unreadable: how often, at least and at most, something was sent that is no HTTP.
        wrong: what came of a request and must not.
        lost: connections that ended without an answer, while there was a fault.
        undecided: requests that nobody could decide about: nginx answered 500.
    """

    sent: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    least: Counter[Line] = field(default_factory=Counter)
    most: Counter[Line] = field(default_factory=Counter)
    unreadable: list[int] = field(default_factory=lambda: [0, 0])
    wrong: list[str] = field(default_factory=list)
    lost: int = 0
    undecided: int = 0

    def add(self, other: Tally) -> None:
        for mine, theirs in (
            (self.sent, other.sent),
            (self.answers, other.answers),
            (self.least, other.least),
            (self.most, other.most),
        ):
            mine.update(theirs)
        self.unreadable = [a + b for a, b in zip(self.unreadable, other.unreadable, strict=True)]
        self.wrong += other.wrong
        self.lost += other.lost
        self.undecided += other.undecided

    def answered(self, *words: str) -> int:
        return sum(count for (_, word), count in self.answers.items() if word in words)


@dataclass
class Comparison:
    """What was found when the load stood still.

    Attributes:
        tally: of the clients.
        lines: how many decisions there are in the file.
        beyond: how many of them were made though no answer says so.
        metrics: how many decisions were counted, or None where nothing counts.
        problems: what does not agree.
    """

    tally: Tally
    lines: int
    beyond: int
    metrics: int | None
    problems: list[str]


class Books:
    """The accounts of one set-up.

    Args:
        decisions: the file.
        scrape: reads the metrics' text, or None where there are none.
    """

    def __init__(self, decisions: Path, scrape: Callable[[], str] | None) -> None:
        self._decisions = decisions
        self._scrape = scrape
        self._read = 0
        self._before = self._count()

    def forget_metrics(self) -> None:
        """The process that counted is another one now: count from here."""
        self._before = self._count()

    def compare(self, tally: Tally, *, kills: int = 0, counted: bool = True) -> Comparison:
        """Compare what happened since the last time.

        Args:
            tally: of the clients.
            kills: how many deciding processes were killed. Each may have written the line
                of one decision that it had no time to count.
            counted: False where the process that counted has ended.
        """
        lines, problems = self._new_lines()
        problems = [*problems, *tally.wrong[:_SHOWN]]
        if len(tally.wrong) > _SHOWN:
            problems.append(f"and {len(tally.wrong) - _SHOWN} more wrong answers")
        problems += _outside(lines, tally)
        metrics = None
        if counted and self._scrape is not None:
            now = self._count()
            delta, self._before = now - self._before, now
            metrics = sum(n for (name, *_), n in delta.items() if name == "decision")
            problems += _uncounted(lines, tally, delta, kills)
        return Comparison(
            tally=tally,
            lines=lines.total(),
            beyond=lines.total() - tally.least.total(),
            metrics=metrics,
            problems=problems,
        )

    def _new_lines(self) -> tuple[Counter[Line], list[str]]:
        new, self._read = lines_from(self._decisions, self._read)
        found: Counter[Line] = Counter()
        problems = []
        for raw in new:
            line = parse(raw)
            if isinstance(line, Malformed):
                problems.append(f"a line of the decisions is {line.why}: {raw[:80]!r}")
            else:
                found[
                    Line(line.method, line.path, line.reason, line.accepted, line.key, line.pop)
                ] += 1
        return found, problems[:_SHOWN]

    def _count(self) -> Counter[tuple[str, ...]]:
        """All counters, each under a word for what it counts and its labels."""
        counts: Counter[tuple[str, ...]] = Counter()
        if self._scrape is None:
            return counts
        for family in text_string_to_metric_families(self._scrape()):
            for sample in family.samples:
                labels, value = sample.labels, int(sample.value)
                if sample.name == "edgeauth_decisions_total":
                    counts["decision", labels["result"], labels["reason"]] += value
                elif sample.name == "edgeauth_verified_total":
                    counts["signer", labels["key_id"], labels["pop"]] += value
                elif sample.name == "edgeauth_decision_seconds_count":
                    counts["timed",] += value
                elif sample.name == "edgeauth_age_seconds_bucket" and labels["le"] == "+Inf":
                    counts["aged",] += value
        return counts


def _outside(lines: Counter[Line], tally: Tally) -> list[str]:
    """The decisions that were made too seldom or too often."""
    problems = []
    for line in lines.keys() | tally.most.keys():
        least, most, found = tally.least[line], tally.most[line], lines[line]
        if not least <= found <= most:
            bounds = str(least) if least == most else f"{least} to {most}"
            problems.append(f"{found} lines, {bounds} expected, of {tuple(line)}")
    shown = sorted(problems)[:_SHOWN]
    if len(problems) > _SHOWN:
        shown.append(f"and {len(problems) - _SHOWN} more decisions of which the number is wrong")
    return shown


def _uncounted(
    lines: Counter[Line], tally: Tally, metrics: Counter[tuple[str, ...]], kills: int
) -> list[str]:
    """Where the metrics are not the lines: but for the kills, they must be, one by one."""
    expected: Counter[tuple[str, ...]] = Counter()
    for line, count in lines.items():
        expected["decision", "allow" if line.allowed else "deny", line.reason] += count
        expected["timed",] += count
        if line.key is not None and line.allowed:
            expected["signer", line.key, line.pop or ""] += count
            expected["aged",] += count
    unreadable = ("decision", "deny", "unreadable")
    problems = [
        f"{metrics[name]} counted, {expected[name]} lines, of {name}"
        for name in sorted((expected.keys() | metrics.keys()) - {unreadable})
        if not expected[name] - kills <= metrics[name] <= expected[name]
    ]
    least, most = tally.unreadable
    if not least <= metrics[unreadable] <= most:
        problems.append(f"{metrics[unreadable]} counted, {least} to {most} sent, of {unreadable}")
    return problems[:_SHOWN]

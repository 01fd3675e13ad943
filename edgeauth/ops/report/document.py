"""The report for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeauth.ops.report.tables import PERCENTILES, ROWS

if TYPE_CHECKING:
    from edgeauth.ops.report.conclusion import Conclusion
    from edgeauth.ops.report.counting import BoundedCounter
    from edgeauth.ops.report.summary import Summary


#: What the document has.
MEMBERS = {
    "safe": "whether it is safe to enforce",
    "answer": "the same as a sentence",
    "notes": "a list of sentences: what else is to be known",
    "decisions": "how many decisions were read",
    "accepted": "how many requests of them were accepted",
    "refused": "how many were refused, or would have been",
    "enforced_refusals": "how many were refused indeed",
    "first": "the time of the first decision, Unix seconds",
    "last": "the time of the last one",
    "malformed_lines": "how many lines are no decision",
    "lost_lines": "how many the app could not write",
    "reasons": "accepted and refused: lists of reason and requests; other_accepted, other_refused",
    "refused_by_sender": "by sender: total, and paths, a list of reason, method, path, requests",
    "networks": "as reasons, by network",
    "pops": "as reasons, by POP",
    "schemes": "as reasons, by the kind of the scheme",
    "ages": "seconds from signing to decision: count, max_age, max_future, outside, percentiles",
    "keys": "by the id of the key: requests, first, last",
}


def document(summary: Summary, conclusion: Conclusion) -> dict[str, Any]:
    """What ``edgeauth report --json`` prints; the names stay as they are."""
    ages = summary.ages
    return {
        "safe": conclusion.safe,
        "answer": conclusion.sentence,
        "notes": list(conclusion.notes),
        "decisions": summary.decisions,
        "accepted": summary.accepted,
        "refused": summary.refusals,
        "enforced_refusals": summary.enforced_refusals,
        "first": summary.first,
        "last": summary.last,
        "malformed_lines": summary.malformed.total,
        "lost_lines": summary.lost,
        "reasons": _two("reason", summary.reasons),
        "refused_by_sender": {
            sender: {
                "total": counter.total,
                "paths": [
                    {"reason": reason, "method": method, "path": path, "requests": count}
                    for (reason, method, path), count in counter.top(ROWS)[0]
                ],
            }
            for sender, counter in summary.refused.items()
        },
        "networks": _two("network", summary.networks),
        "pops": _two("pop", summary.pops),
        "schemes": _two("scheme", summary.schemes),
        "ages": {
            "count": ages.total,
            "max_age": summary.max_age,
            "max_future": summary.max_future,
            "outside": ages.outside(-summary.max_future, summary.max_age),
            "percentiles": {f"{percent:g}": ages.percentile(percent) for percent in PERCENTILES}
            if ages.total
            else {},
        },
        "keys": {
            key: {"requests": seen.count, "first": seen.first, "last": seen.last}
            for key, seen in summary.keys.items()
        },
    }


def _two(name: str, counters: dict[bool, BoundedCounter[str]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for accepted, word in ((True, "accepted"), (False, "refused")):
        top, other = counters[accepted].top(ROWS)
        made[word] = [{name: key, "requests": count} for key, count in top]
        made[f"other_{word}"] = other
    return made

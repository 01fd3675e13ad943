"""What ``/metrics`` of the decision service shows."""

from __future__ import annotations

import html

from edgeauth.service.counters import LISTED_AT, Counters, decision_index
from edgeauth.service.metrics import CountersCollector


def markdown() -> str:
    """A row a metric."""
    counters = Counters(1)
    worker = counters.workers[0]
    # So that each is there.
    counters.supervisor[LISTED_AT] = 1
    worker.count(0.0, decision_index("ok", allowed=True), worker.signer_index("", "", ""))
    rows = []
    for family in CountersCollector(counters).collect():
        name = family.samples[0].name if family.type in {"counter", "info"} else family.name
        labels = {label: None for sample in family.samples for label in sample.labels}
        labels.pop("le", None)
        named = ", ".join(f"`{label}`" for label in labels) or "none"
        text = html.escape(family.documentation, quote=False)
        rows.append(f"| `{name}` | {family.type} | {named} | {text} |")
    return "\n".join(["| name | kind | labels | meaning |", "|---|---|---|---|", *rows])

"""What ``/metrics`` shows, of the decision service and of apps."""

from __future__ import annotations

import html

from edgeauth._record.metric_names import METRICS

_SUFFIXES = {"counter": "_total", "info": "_info"}


def markdown() -> str:
    """A row a metric."""
    rows = []
    for metric in METRICS:
        name = metric.name + _SUFFIXES.get(metric.kind, "")
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
        shown = "service and apps" if metric.in_apps else "service"
        text = html.escape(metric.text, quote=False)
        rows.append(f"| `{name}` | {metric.kind} | {labels} | {shown} | {text} |")
    return "\n".join(["| name | kind | labels | of | meaning |", "|---|---|---|---|---|", *rows])

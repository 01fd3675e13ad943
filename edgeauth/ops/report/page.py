"""The report as one page that needs no network, no script and no other file."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from edgeauth.ops import html_page
from edgeauth.ops.report import plots
from edgeauth.ops.report.tables import overview, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.ops.report.conclusion import Conclusion
    from edgeauth.ops.report.summary import Summary


def page(summary: Summary, conclusion: Conclusion) -> str:
    """The whole document; every text that comes from a file is escaped."""
    return html_page.page("edgeauth report", _parts(summary, conclusion))


def _parts(summary: Summary, conclusion: Conclusion) -> Iterator[str]:
    yield "<h1>Is it safe to enforce?</h1>"
    yield html_page.answer(conclusion.sentence, good=conclusion.safe)
    if conclusion.notes:
        yield html_page.listed(conclusion.notes)
    yield html_page.facts(overview(summary))
    drawn = _plots(summary)
    yield drawn.get("timeline", "")
    for table in tables(summary):
        yield f"<section>\n<h2>{escape(table.title)}</h2>"
        yield drawn.get(table.name, "")
        yield html_page.table(table.name, table.title, table.columns, table.rows, table.numbers)
        yield "</section>"


def _plots(summary: Summary) -> dict[str, str]:
    """Each plot by the name of the table that it stands with."""
    made = {}
    if summary.decisions:
        made["timeline"] = plots.timeline(summary)
    if summary.refusals:
        made["reasons"] = plots.reasons(summary)
        made["reasons-over-time"] = plots.refused_by_reason(summary)
        made["senders-over-time"] = plots.refused_by_sender(summary)
    if summary.ages.total:
        made["ages"] = plots.ages(summary)
        made["pop-ages"] = plots.pop_ages(summary)
    if summary.keys:
        made["keys"] = plots.keys(summary)
    return made

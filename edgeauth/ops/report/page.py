"""The report as one page that needs no network, no script and no other file."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from edgeauth.ops.report import plots
from edgeauth.ops.report.tables import overview, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.ops.report.conclusion import Conclusion
    from edgeauth.ops.report.summary import Summary
    from edgeauth.ops.report.tables import Table

_STYLE = Path(__file__).with_name("page.css")

# The browser loads nothing and runs nothing, whatever the lines hold.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(summary: Summary, conclusion: Conclusion) -> str:
    """The whole document; every text that comes from a file is escaped."""
    return "\n".join(_parts(summary, conclusion)) + "\n"


def _parts(summary: Summary, conclusion: Conclusion) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>edgeauth report</title>\n<style>\n{_STYLE.read_text('utf-8')}</style>"
    yield "</head>\n<body>\n<main>\n<h1>Is it safe to enforce?</h1>"
    safe = " safe" if conclusion.safe else ""
    yield f'<p class="answer{safe}" id="answer">{escape(conclusion.sentence)}</p>'
    if conclusion.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in conclusion.notes)
        yield f'<ul class="notes">{notes}</ul>'
    totals = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in overview(summary)
    )
    yield f'<dl id="overview">{totals}</dl>'
    drawn = _plots(summary)
    if drawn:
        yield (
            '<p class="legend"><span><i class="is-accepted"></i>accepted</span>'
            '<span><i class="is-refused"></i>refused when enforced</span></p>'
        )
    for table in tables(summary):
        if table.name == "reasons":
            yield drawn["timeline"]
        yield f"<section>\n<h2>{escape(table.title)}</h2>"
        yield drawn.get(table.name, "")
        yield f'<div class="scroll">{_table(table)}</div>\n</section>'
    yield "</main>\n</body>\n</html>"


def _plots(summary: Summary) -> dict[str, str]:
    """Each plot by the name of the table that it stands with."""
    made = {}
    if summary.decisions:
        made["timeline"] = plots.timeline(summary)
    if summary.refusals:
        made["reasons"] = plots.reasons(summary)
    if summary.ages.total:
        made["ages"] = plots.ages(summary)
    return made


def _table(table: Table) -> str:
    def cell(tag: str, place: int, text: str) -> str:
        kind = ' class="number"' if place in table.numbers else ""
        return f"<{tag}{kind}>{escape(text)}</{tag.split(maxsplit=1)[0]}>"

    head = "".join(cell('th scope="col"', *each) for each in enumerate(table.columns))
    rows = "\n".join(
        "<tr>" + "".join(cell("td", *each) for each in enumerate(row)) + "</tr>"
        for row in table.rows
    )
    return (
        f'<table id="{escape(table.name)}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table>"
    )

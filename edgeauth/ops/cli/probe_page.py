"""The results of a probe as one page, to hand to somebody who was not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import edgeauth
from edgeauth.ops import html_page
from edgeauth.ops.cli.probe_report import count
from edgeauth.ops.report.tables import moment
from edgeauth.ops.text import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeauth.ops.probe.judge import Result
    from edgeauth.ops.probe.wire import Target

_MUST_BE = {
    "refused": "must be refused",
    "answered": "must be answered with 2xx, as the edge is",
    "upgraded": "must become a WebSocket, as for the edge",
}
_ALL_IS_WELL = {
    "refused": "refused, as it must be",
    "answered": "answered, as the edge must be",
    "upgraded": "became a WebSocket, as for the edge",
}
_KINDS = {"pass": "accepted", "fail": "refused", "not tried": "rest"}
_TITLES = {"fail": "Not as it must be", "pass": "As it must be", "not tried": "Not tried"}
_LIMITS = (
    (
        "Only these requests were sent, from one machine in these minutes: what changes later, "
        "or for other senders, is not in it."
    ),
    (
        "One name, one port and one path at one address were asked: another address of the "
        "origin (IPv6 as well), another port, virtual host or path may be open."
    ),
    (
        "An answer was judged by its status alone, and no body was read: a page that says no "
        "with 200 counts as open."
    ),
    (
        "A refusal may be that of something before the gate, such as a firewall or a proxy, "
        "which other senders do not meet."
    ),
    "Who knows the secret, and whether the edge keeps it, cannot be seen from outside.",
)


def page(
    url: str,
    target: Target,
    results: Sequence[Result],
    *,
    began: float,
    ended: float,
    refused: frozenset[int | str],
) -> str:
    """The whole document: no secret and no credential is in it, and all text is escaped.

    Args:
        url: what was probed; its query is left out.
        target: where the requests went.
        results: of each row.
        began, ended: Unix seconds.
        refused: what counted as a refusal.
    """
    place = url.partition("?")[0] + ("?..." if "?" in url else "")
    host, port = target.address
    facts = (
        ("origin", escaped(place)),
        ("connected to", escaped(f"{host} port {port}")),
        ("encryption", "none" if target.tls is None else "TLS, certificate checked"),
        ("from (UTC)", moment(began)),
        ("to (UTC)", moment(ended)),
        ("counts as a refusal", ", ".join(sorted(map(str, refused)))),
        ("tried with", f"edgeauth {edgeauth.__version__}"),
    )
    return html_page.page(f"edgeauth probe: {escaped(place)}", _parts(results, facts))


def _parts(results: Sequence[Result], facts: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield "<h1>Does the origin answer its edge and nobody else?</h1>"
    yield html_page.answer(_sentence(results), good=not count(results, "fail"))
    yield html_page.facts(facts)
    yield _drawn(results)
    for outcome, title in _TITLES.items():
        rows = [
            (
                f"{outcome.upper()} {result.answer}".strip(),
                escaped(result.row.title),
                _words(result),
            )
            for result in results
            if result.outcome == outcome
        ]
        if rows:
            yield f"<section>\n<h2>{title}</h2>"
            columns = ("result", "what was tried", "in words")
            yield html_page.table(outcome.replace(" ", "-"), title, columns, rows)
            yield "</section>"
    yield "<section>\n<h2>What this does not prove</h2>"
    idle = count(results, "not tried")
    told = [f"Requests that were not tried prove nothing: {idle} of them, above."] if idle else []
    yield html_page.listed([*told, *_LIMITS])
    yield "</section>"


def _sentence(results: Sequence[Result]) -> str:
    tried = len(results) - count(results, "not tried")
    open_, shut = (
        sum(r.outcome == "fail" and (r.row.expected == "refused") is wanted for r in results)
        for wanted in (True, False)
    )
    if open_:
        return f"Not proven closed: {open_} of {tried} requests were not refused as they must be."
    if shut:
        return f"Closed, but to the edge as well: {shut} of {tried} requests got no proper answer."
    if any(r.outcome == "pass" and r.row.expected != "refused" for r in results):
        return f"Closed, as far as {tried} requests show, and open to the edge."
    return f"Closed, as far as {tried} requests show. Whether the edge gets in was not tried."


def _words(result: Result) -> str:
    """A sentence."""
    expected = result.row.expected
    if result.outcome == "pass":
        text = _ALL_IS_WELL[expected]
    elif result.outcome == "fail":
        text = f"{_MUST_BE[expected]}: {result.meaning}"
    else:
        text = f"{_MUST_BE[expected]}; not tried: {result.meaning}"
    return f"{escaped(text[0].upper() + text[1:])}."


def _drawn(results: Sequence[Result]) -> str:
    """Each outcome as a part of one bar."""
    numbers = {outcome: count(results, outcome) for outcome in _KINDS}
    left, drawn = 0.0, []
    for outcome, number in numbers.items():
        width = 100 * number / len(results)
        drawn.append(html_page.bar(_KINDS[outcome], left, 0, width, 24))
        left += width
    told = {"pass": "as it must be", "fail": "not as it must be", "not tried": "not tried"}
    legend = [(_KINDS[outcome], f"{told[outcome]} {n}") for outcome, n in numbers.items() if n]
    return html_page.picture(
        "outcomes", f"All {len(results)} requests", drawn, 24, legend, wide=True
    )

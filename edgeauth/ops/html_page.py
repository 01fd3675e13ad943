"""Pages that need no network, no script and no other file, and pictures in them.

Pictures are SVG: across in percent of the width, down in pixels, so that text keeps its size on a
phone. They take their colours from the page's style.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_STYLE = Path(__file__).with_name("page.css")

# The browser loads nothing and runs nothing, whatever the page shows.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(title: str, body: Iterable[str]) -> str:
    """The whole document; *body* is HTML."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>\n{_STYLE.read_text('utf-8')}</style>",
            "</head>\n<body>\n<main>",
            *body,
            "</main>\n</body>\n</html>\n",
        ]
    )


def answer(sentence: str, *, good: bool) -> str:
    """What the page says first."""
    return f'<p class="answer{" safe" if good else ""}" id="answer">{escape(sentence)}</p>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and their values."""
    shown = (f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl id="overview">{"".join(shown)}</dl>'


def listed(sentences: Iterable[str]) -> str:
    """A list of *sentences*."""
    return f'<ul class="notes">{"".join(f"<li>{escape(each)}</li>" for each in sentences)}</ul>'


def table(
    name: str,
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Collection[int] = (),
) -> str:
    """A table with the id *name*; the columns *numbers* are aligned to the right."""

    def cell(tag: str, place: int, text: str) -> str:
        kind = ' class="number"' if place in numbers else ""
        return f"<{tag}{kind}>{escape(text)}</{tag.split(maxsplit=1)[0]}>"

    head = "".join(cell('th scope="col"', *each) for each in enumerate(columns))
    shown = "\n".join(
        "<tr>" + "".join(cell("td", *each) for each in enumerate(row)) + "</tr>" for row in rows
    )
    # What scrolls can be reached by keyboard.
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">'
        f'<table id="{escape(name)}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{shown}\n</tbody></table></div>"
    )


def picture(
    name: str,
    title: str,
    drawn: Iterable[str],
    height: float,
    legend: Iterable[tuple[str, str]] = (),
    *,
    wide: bool = False,
) -> str:
    """A figure whose caption is what those hear who cannot see it.

    Args:
        name: makes its id.
        title: the caption.
        drawn: what is in it.
        height: pixels.
        legend: kinds of what is drawn, and what each stands for.
        wide: whether nothing stands beside it.
    """
    marks = "".join(f'<span><i class="{kind}"></i>{escape(words)}</span>' for kind, words in legend)
    kind = ' class="wide"' if wide else ""
    return (
        f'<figure><figcaption id="plot-{name}">{escape(title)}</figcaption>'
        + (f'<p class="legend">{marks}</p>' if marks else "")
        + f'<svg{kind} role="img" aria-labelledby="plot-{name}" height="{height:.0f}">'
        f"{''.join(drawn)}</svg></figure>"
    )


def bar(kind: str, x: float, y: float, width: float, height: float) -> str:
    """A rectangle; *x* and *width* in percent, *y* and *height* in pixels."""
    if height <= 0 or width <= 0:
        return ""
    return (
        f'<rect class="{kind}" x="{x:.2f}%" y="{y:.1f}" width="{width:.2f}%" '
        f'height="{height:.1f}"/>'
    )


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """A line; x in percent, y in pixels."""
    return f'<line class="{kind}" x1="{x1:.2f}%" y1="{y1:.1f}" x2="{x2:.2f}%" y2="{y2:.1f}"/>'


def text(
    x: float, y: float, shown: str, anchor: str, *, shift: int = 0, kind: str | None = None
) -> str:
    """Text; *x* in percent and *shift* pixels, *y* in pixels."""
    moved = f' dx="{shift}"' if shift else ""
    kind = "" if kind is None else f' class="{kind}"'
    return (
        f'<text{kind} x="{x:.2f}%" y="{y:.1f}"{moved} text-anchor="{anchor}">{escape(shown)}</text>'
    )

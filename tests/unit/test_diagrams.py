"""The diagrams of docs/ are small texts that fit any page: dark or light, wide or narrow."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

DOCS = Path(__file__).parents[2] / "docs"
DIAGRAMS = sorted((DOCS / "explanation" / "diagrams").glob("*.svg"))
PAGES = {page: page.read_text("utf-8") for page in DOCS.rglob("*.md")}
SVG = "{http://www.w3.org/2000/svg}"
# Of a letter of the usual fonts, in its size.
WIDTH = 0.52

each = pytest.mark.parametrize("diagram", DIAGRAMS, ids=lambda diagram: diagram.stem)


def drawn(diagram: Path) -> ET.Element:
    return ET.parse(diagram).getroot()  # noqa: S314 - a file of ours


def test_there_are_diagrams():
    assert {diagram.stem for diagram in DIAGRAMS} >= {"request", "rotation", "service"}


@each
def test_it_says_in_words_what_it_shows(diagram):
    root = drawn(diagram)
    words = {
        part.get("id"): part.text for part in root if part.tag in {SVG + "title", SVG + "desc"}
    }

    assert root.get("role") == "img"
    assert sorted(root.get("aria-labelledby").split()) == sorted(words)
    assert all(len(text) > 10 for text in words.values())


@each
def test_it_takes_its_colours_from_the_page(diagram):
    colours = re.findall(r'(?:fill|stroke|color|style)="([^"]*)"', diagram.read_text("utf-8"))

    assert set(colours) <= {"none", "currentColor", "max-width: 30rem"}


@each
def test_each_word_is_inside_of_it(diagram):
    root = drawn(diagram)
    _, _, wide, high = map(float, root.get("viewBox").split())
    size = float(root.get("font-size"))
    middles = {
        text for group in root.iter() if group.get("text-anchor") == "middle" for text in group
    }
    for text in root.iter(SVG + "text"):
        long = len(text.text) * size * WIDTH
        left = float(text.get("x")) - (long / 2 if text in middles else 0)
        assert left >= 0, text.text
        assert left + long <= wide, text.text
        assert size <= float(text.get("y")) <= high, text.text


@each
def test_its_names_are_its_own(diagram):
    """Several stand in one page, as parts of it."""
    names = re.findall(r'\bid="([^"]*)"', diagram.read_text("utf-8"))

    assert all(name.startswith(f"{diagram.stem}-") for name in names)


@each
def test_a_page_shows_it_and_says_it_in_words_as_well(diagram):
    shown = [
        text
        for page, text in PAGES.items()
        for file in re.findall(r"^```\{raw\} html\n:file: (.*)\n```$", text, re.MULTILINE)
        if (page.parent / file).resolve() == diagram
    ]

    assert len(shown) == 1
    # Where the page is shown without being built, the link leads to the picture.
    assert re.search(rf"\n```\n\n\*\[The picture\]\(\S*{diagram.name}\) in words:\* ", shown[0])

"""Figures in the documentation come from what the benchmarks wrote."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_spec = importlib.util.spec_from_file_location("figures", ROOT / "benchmarks" / "figures.py")
figures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(figures)

# A time, or how many times as fast or long: what only a measurement tells. Of a second and
# more are settings and limits, which are not measured.
MEASURED = re.compile(r"[0-9.]+ ?(?:µs|ms|ns)\b|[0-9.]+ times (?:as|faster|slower)", re.IGNORECASE)

pages = pytest.mark.parametrize("page", figures.pages(), ids=lambda page: page.name)


@pages
def test_each_figure_is_the_one_of_its_row(page):
    text = page.read_text("utf-8")

    assert figures.with_figures(text) == text, "write them anew: make figures"


@pages
def test_no_time_is_quoted_without_a_source(page):
    text = page.read_text("utf-8")
    for quoted in figures.tables():
        text = text.replace(quoted, "")
    assert MEASURED.findall(text) == []


def test_each_ratio_of_what_it_costs_has_a_source():
    section = (ROOT / "README.md").read_text("utf-8").partition("\n## What it costs\n")[2]
    rows = re.findall(r"^\| .*", section.partition("\n## ")[0], re.MULTILINE)[1:]

    assert len(rows) > 5
    for row in rows:
        assert re.search(r"\| [0-9.]+<!-- RESULTS\.md: [^|]+ --> \|", row), row


@pytest.mark.parametrize("label", ["edgeauth for ASGI, verdict attached", "no header: 403"])
def test_a_figure_that_was_edited_by_hand_is_put_right(label):
    right = f"| {figures.results()[label]}<!-- RESULTS.md: {label} --> |"

    assert figures.with_figures(f"| 0.01<!-- RESULTS.md: {label} --> |") == right
    assert figures.with_figures(f"| ?<!-- RESULTS.md: {label} --> |") == right


def test_a_figure_of_no_row_is_an_error():
    with pytest.raises(KeyError):
        figures.with_figures("0.5<!-- RESULTS.md: no such row -->")

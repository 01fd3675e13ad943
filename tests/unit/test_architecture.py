"""ARCHITECTURE.md is a map of the package that is there, and its figures are right."""

from __future__ import annotations

import re
from pathlib import Path

import count_lines
import pytest

import edgeauth

PACKAGE = Path(edgeauth.__file__).parent
PAGE = count_lines.PAGE.read_text("utf-8")
SHELVES = count_lines.shelves(PAGE)
FIGURES = re.findall(r"^\| (.+) \| (\d+) \| ([\d,]+) \|$", PAGE, re.MULTILINE)


def test_every_file_and_folder_of_the_package_is_on_one_shelf_and_nothing_else():
    there = {path.name for path in PACKAGE.glob("*.py")}
    there |= {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    named = [entry for entries in SHELVES.values() for entry in entries]

    # The wheel has its copy of integrations/.
    assert there - {"_integrations/"} == {re.split("(?<=/)", entry)[0] for entry in named}
    assert len(named) == len(set(named))
    assert all((PACKAGE / entry).exists() for entry in named)


@pytest.mark.parametrize("name", re.findall(r"`((?:\w+/)*\w+\.(?:py|md)|(?:\w+/)+)`", PAGE))
def test_every_file_that_the_page_names_is_there(name):
    tests = count_lines.ROOT / "tests"
    places = (PACKAGE, PACKAGE / "ops", tests.parent, tests / "support", tests / "conformance")
    assert any((place / name).exists() for place in places)


def test_the_figures_are_of_every_shelf_and_at_most_a_twentieth_off():
    counted = count_lines.table(PACKAGE)

    assert [shelf for shelf, _, _ in FIGURES] == list(counted)
    for shelf, files, lines in FIGURES:
        for told, is_ in zip((files, lines), counted[shelf], strict=True):
            assert int(told.replace(",", "")) == pytest.approx(is_, rel=0.05, abs=1), shelf


def test_with_one_kind_the_rooms_of_the_others_are_not_counted():
    whole = count_lines.trust_base(count_lines.count(PACKAGE, SHELVES))
    one = count_lines.with_one_kind(PACKAGE, whole, ("shared-secret", "alibaba-oss"))
    (least, most) = (lines for _, lines in one.values())
    assert least < most < whole[1]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('"""A docstring."""\n\n# a comment\nx = 1  # and one\n', 1),
        ("def f():\n    '''Two\n    lines.'''\n    return '''two\nlines'''\n", 3),
        ("x = [\n    # why\n    1,\n\n]\n", 3),
        ("class A:\n    '''One.'''\n\n    def f(self): '''Two.'''\n", 1),
        ("", 0),
    ],
)
def test_a_line_counts_if_it_has_code_on_it(source, lines):
    assert count_lines.code_lines(source) == lines

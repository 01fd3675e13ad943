"""What reports/mutation.md says of each file is of that file, or says that it is not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import count_lines
import pytest
from subjects import SUBJECTS
from survivors import PAGE, digest, explained, results_of, table

ROOT = Path(__file__).parents[2]
PAGE_TEXT = PAGE.read_text("utf-8")
EXPLAINED = explained(PAGE_TEXT)
RESULTS = results_of(PAGE_TEXT)
# The page says of what state of a file its figures are; of the present state more must hold.
CURRENT = [result.file for result in RESULTS if result.of == digest(result.file)]

_SAYS_NOTHING = (ast.Import, ast.ImportFrom, ast.Assign)


def source_of(file, place):
    source = (ROOT / "edgeauth" / file).read_text("utf-8")
    node = ast.parse(source)
    for name in filter(None, place.split(".")):
        (node,) = [n for n in node.body if getattr(n, "name", None) == name]
    if not place:
        return source
    # A decorator is a part of what it decorates, as mutants see it.
    first = min(part.lineno for part in (node, *getattr(node, "decorator_list", [])))
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])


def does_something(path):
    body = ast.parse(path.read_text("utf-8")).body
    return any(
        not isinstance(part, _SAYS_NOTHING)
        for part in body
        if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
    )


def test_every_file_of_the_trust_base_is_mutated():
    package = ROOT / "edgeauth"
    shelves = count_lines.shelves(count_lines.PAGE.read_text("utf-8"))
    trusted = {
        file
        for path in package.rglob("*.py")
        if (file := path.relative_to(package).as_posix()) != "__init__.py" and does_something(path)
        if count_lines.shelf_of(file, shelves) in list(shelves)[:3]
    }

    assert trusted == set(SUBJECTS)


def test_the_table_is_of_every_file_and_its_sum_is_right():
    assert {result.file for result in RESULTS} <= set(SUBJECTS)
    assert table(RESULTS, SUBJECTS) in PAGE_TEXT


def test_ninety_five_of_a_hundred_mutants_are_killed_in_every_file():
    assert [result.file for result in RESULTS if result.score < 95] == []


def test_survivors_are_explained_in_the_files_that_have_any_and_each_once():
    with_survivors = {result.file for result in RESULTS if result.killed < result.mutants}
    assert {survivor.file for survivor in EXPLAINED} == with_survivors
    assert len(set(EXPLAINED)) == len(EXPLAINED)


def test_each_heading_is_read_as_the_file_and_the_function_that_it_names():
    _, _, survivors = PAGE_TEXT.partition("\n## The survivors")
    read = {str(survivor).partition("\n")[0] for survivor in EXPLAINED}
    assert set(re.findall(r"(?m)^### .*$", survivors)) == read


def test_what_a_survivor_changes_is_still_in_its_function_if_its_file_is_as_it_was():
    for survivor in [entry for entry in EXPLAINED if entry.file in CURRENT]:
        lines = [line.strip() for line in source_of(survivor.file, survivor.place).splitlines()]
        assert survivor.before
        assert set(survivor.before) <= set(lines), str(survivor)
        assert survivor.before != survivor.after


def test_a_reason_follows_each_survivor_or_each_group_of_them():
    _, _, survivors = PAGE_TEXT.partition("\n## The survivors")
    assert not re.search(r"```\n+(?=#|\Z)", survivors)


@pytest.mark.parametrize("test", sorted({test for tests in SUBJECTS.values() for test in tests}))
def test_the_tests_that_are_run_are_there(test):
    assert (ROOT / "tests" / test).is_file()

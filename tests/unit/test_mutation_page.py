"""What docs/mutation.md says of the last run fits the code that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from subjects import SUBJECTS
from survivors import PAGE, explained, results_of, table

ROOT = Path(__file__).parents[2]
PAGE_TEXT = PAGE.read_text("utf-8")
EXPLAINED = explained(PAGE_TEXT)
RESULTS = results_of(PAGE_TEXT)


def source_of(file, place):
    source = (ROOT / "edgeauth" / file).read_text("utf-8")
    node = ast.parse(source)
    for name in filter(None, place.split(".")):
        (node,) = [n for n in node.body if getattr(n, "name", None) == name]
    return source if not place else ast.get_source_segment(source, node)


def test_the_results_are_of_every_file_and_their_sum_is_right():
    assert [result.file for result in RESULTS] == list(SUBJECTS)
    assert table(RESULTS) in PAGE_TEXT


def test_ninety_five_of_a_hundred_mutants_are_killed_in_every_file():
    assert all(result.score >= 95 for result in RESULTS)


def test_survivors_are_explained_in_the_files_that_have_any_and_each_once():
    with_survivors = {result.file for result in RESULTS if result.killed < result.mutants}
    assert {survivor.file for survivor in EXPLAINED} == with_survivors
    assert len(set(EXPLAINED)) == len(EXPLAINED)


@pytest.mark.parametrize("survivor", EXPLAINED, ids=lambda entry: f"{entry.file}:{entry.place}")
def test_what_a_survivor_changes_is_still_in_its_function(survivor):
    lines = [line.strip() for line in source_of(survivor.file, survivor.place).splitlines()]
    assert survivor.before
    assert set(survivor.before) <= set(lines)
    assert survivor.before != survivor.after


def test_a_reason_follows_each_survivor_or_each_group_of_them():
    _, _, survivors = PAGE_TEXT.partition("\n## The survivors")
    assert not re.search(r"```\n+(?=#|\Z)", survivors)


@pytest.mark.parametrize("test", sorted({test for tests in SUBJECTS.values() for test in tests}))
def test_the_tests_that_are_run_are_there(test):
    assert (ROOT / "tests" / test).is_file()

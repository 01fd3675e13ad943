"""A short soak of requests that are good once, and that each of its accounts can fail it."""

from __future__ import annotations

from collections import Counter

import pytest
from support.redis import redis_server
from support.service import short_folder

from soak.once import ADMITTED, LOST, REFUSED, disagreements, run
from soak.targets import COMMANDS

SECONDS = 0.7


@pytest.mark.parametrize(("name", "kind"), [*zip(COMMANDS, ["sqlite", "redis"], strict=True)])
def test_nothing_is_admitted_twice_and_every_line_is_that_of_an_answer(name, kind):
    with short_folder() as folder, redis_server(folder) as redis:
        storms = run(name, kind, SECONDS, folder, redis)
    for storm in storms:
        print(storm)  # noqa: T201 - shown where it fails

    assert {storm.name: storm.problems for storm in storms} == {storm.name: [] for storm in storms}
    assert all(storm.answers[ADMITTED] for storm in storms)
    assert all(storm.answers[REFUSED] for storm in storms)


@pytest.mark.parametrize(
    ("answers", "lines", "problem"),
    [
        (["ok", "refused"], {"ok": 1, "replayed": 1}, None),
        (["ok", LOST], {"ok": 1}, None),
        ([LOST, LOST, "refused", "refused"], {"ok": 1, "replayed": 3}, None),
        (["ok", "ok"], {"ok": 2}, "admitted twice"),
        (["ok", LOST], {"ok": 2}, "admitted twice"),
        (["ok", "refused"], {"replayed": 1}, "has no line"),
        (["ok", "refused"], {"ok": 1}, "0 lines of refusals"),
        (["ok", "refused"], {"ok": 1, "replayed": 2}, "2 lines of refusals"),
        (["refused", "refused"], {"ok": 1, "replayed": 2}, "that nobody was told"),
        (["ok", "refused"], {"ok": 1, "replay-store": 1}, "which was in order"),
        (["refused", "refused"], {"replayed": 2}, "not admitted at all"),
        (["refused", "refused"], {"error": 2, "replayed": 2}, "reasons ['error']"),
    ],
    ids=str,
)
def test_the_books_tell_each_disagreement(answers, lines, problem):
    told = " ".join(disagreements({"/1": answers}, {"/1": Counter(lines)}, faulty=False))

    assert not told if problem is None else problem in told

"""A short soak of requests that are good once through nginx, and that each account can fail it."""

from __future__ import annotations

from collections import Counter

import pytest
from support.redis import redis_server
from support.service import short_folder

from soak.once import ADMITTED, LOST, REFUSED
from soak.once_proxied import Accounts, run

SECONDS = 0.4


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_nothing_is_admitted_twice_by_any_account_also_where_nginx_asks_again(kind):
    with short_folder() as folder, redis_server(folder) as redis:
        storms = list(run(kind, SECONDS, folder, redis))
    for storm in storms:
        print(storm)  # noqa: T201 - shown where it fails

    assert {storm.name: storm.problems for storm in storms} == {storm.name: [] for storm in storms}
    assert all(storm.answers[ADMITTED] and storm.answers[REFUSED] for storm in storms)
    # Each of the four left at least one question without an answer.
    assert [storm.unanswered >= 4 for storm in storms if "before they told" in storm.name] == [True]


@pytest.mark.parametrize(
    ("answers", "reached", "unanswered", "lines", "problem"),
    [
        (["ok", "refused"], 1, 0, {"ok": 1, "replayed": 1}, None),
        (["ok", "refused"], 1, 1, {"ok": 2, "replayed": 1}, None),
        (["ok", "refused"], 1, 1, {"ok": 1, "replayed": 1}, None),
        ([LOST, "refused"], 0, 1, {"ok": 1, "replayed": 1}, None),
        (["ok", "ok"], 2, 0, {"ok": 2}, "admitted twice"),
        (["ok", "refused"], 2, 0, {"ok": 1, "replayed": 1}, "admitted twice"),
        ([LOST, "refused"], 1, 1, {"ok": 1, "replayed": 1}, "reached the application 1 times"),
        (["ok", "refused"], 0, 0, {"ok": 1, "replayed": 1}, "reached the application 0 times"),
        ([LOST, "ok"], 1, 0, {"ok": 1}, "only 0 questions"),
        (["ok", "refused"], 1, 0, {"ok": 2, "replayed": 1}, "3 lines"),
        (["ok", "refused"], 1, 0, {"ok": 1}, "1 lines"),
        (["refused", "refused"], 0, 0, {"replayed": 2}, "not admitted at all"),
    ],
    ids=str,
)
def test_the_accounts_tell_each_disagreement(answers, reached, unanswered, lines, problem):
    accounts = Accounts({"/1": answers}, Counter({"/1": reached}), Counter({"/1": unanswered}))
    told = " ".join(accounts.disagreements({"/1": Counter(lines)}, faulty=False))

    assert not told if problem is None else problem in told


def test_what_reached_the_application_and_nobody_sent_is_told():
    accounts = Accounts({}, reached=Counter(["/2"]))

    assert "nobody sent" in " ".join(accounts.disagreements({}, faulty=False))


def test_a_line_for_each_answer_is_expected_and_one_more_for_a_question_without_an_answer():
    came = {"/1": [ADMITTED, REFUSED], "/2": [LOST, REFUSED]}
    tally = Accounts(came, unanswered=Counter({"/2": 1})).tally(faulty=False)

    least = {(line.path, line.reason): count for line, count in tally.least.items() if count}
    most = {(line.path, line.reason): count for line, count in tally.most.items()}
    assert least == {("/1", "ok"): 1, ("/1", "replayed"): 1, ("/2", "replayed"): 1}
    assert most == {**least, ("/2", "ok"): 1, ("/2", "replayed"): 2}

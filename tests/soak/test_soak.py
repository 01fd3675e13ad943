"""A short soak, and that each of its accounts can fail it."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.service import short_folder

from soak.books import Books, Tally
from soak.health import Growth, Memory
from soak.stretches import run
from soak.targets import TARGETS
from soak.traffic import Line

SECONDS = 3


def soaked(name):
    with short_folder() as folder:
        return run(name, SECONDS, folder)


def test_every_count_agrees_through_kills_rotations_and_restarts():
    # At the same time, since most of it is waiting for servers to start.
    with ThreadPoolExecutor(len(TARGETS)) as pool:
        courses = list(pool.map(soaked, TARGETS))
    assert {course.name: course.problems for course in courses} == {name: [] for name in TARGETS}
    for course in courses:
        for stretch in course.stretches:
            assert stretch.found.lines, (course.name, stretch.name)


GOOD = Line("GET", "/1", "ok", allowed=True, key="key-1", pop="LHR")
BAD = Line("GET", "/2", "missing", allowed=False)


def metrics(good, bad, unreadable):
    counts = {("allow", "ok"): good, ("deny", "missing"): bad, ("deny", "unreadable"): unreadable}
    return "".join(
        f'edgeauth_decisions_total{{result="{result}",reason="{reason}"}} {count}\n'
        for (result, reason), count in counts.items()
    ) + (
        f'edgeauth_verified_total{{key_id="key-1",pop="LHR"}} {good}\n'
        f"edgeauth_decision_seconds_count {good + bad}\n"
        f'edgeauth_age_seconds_bucket{{le="+Inf"}} {good}\n'
    )


@pytest.mark.parametrize(
    ("lines", "counted", "kills", "problem"),
    [
        pytest.param([GOOD, BAD], (1, 1, 1), 0, None, id="all agree"),
        pytest.param([GOOD], (1, 0, 1), 0, "0 lines, 1 expected", id="a line is missing"),
        pytest.param([GOOD, BAD, BAD], (1, 2, 1), 0, "2 lines, 1 expected", id="one too many"),
        pytest.param(
            [GOOD, BAD._replace(reason="malformed")],
            (1, 1, 1),
            0,
            "1 lines, 0",
            id="another reason",
        ),
        pytest.param([GOOD, BAD], (1, 0, 1), 0, "0 counted, 1 lines", id="not counted"),
        pytest.param([GOOD, BAD], (1, 0, 1), 1, None, id="not counted by a killed worker"),
        pytest.param([GOOD, BAD], (1, 2, 1), 1, "2 counted, 1 lines", id="counted twice"),
        pytest.param([GOOD, BAD], (1, 1, 0), 0, "0 counted, 1 to 1 sent", id="junk not counted"),
        pytest.param([GOOD, BAD, "half a li"], (1, 1, 1), 0, "not JSON", id="a torn line"),
        pytest.param([GOOD, "\n", BAD], (1, 1, 1), 0, None, id="an empty line"),
    ],
)
def test_the_books_tell_each_disagreement(tmp_path, lines, counted, kills, problem):
    file, text = tmp_path / "decisions", [metrics(0, 0, 0)]
    file.touch()
    books = Books(file, lambda: text[0])
    file.write_text("".join(map(written, lines)))
    text[0] = metrics(*counted)
    once = Counter([GOOD, BAD])
    tally = Tally(least=once, most=once, unreadable=[1, 1])

    problems = books.compare(tally, kills=kills).problems

    assert not problems if problem is None else problem in " ".join(problems)


def written(line):
    if isinstance(line, str):
        return line
    document = {
        **line._asdict(),
        "time": 1_700_000_000,
        "enforced": True,
        "peer": None,
        "age": None,
    }
    return json.dumps(document) + "\n"


FLAT = [5_000] * 40
STEP = [5_000] * 20 + [6_024] * 20
STEADILY = [5_000 + 50 * number for number in range(40)]


@pytest.mark.parametrize(
    ("resident", "own", "grows"),
    [
        pytest.param(FLAT, FLAT, False, id="flat"),
        pytest.param(STEP, STEP, False, id="one step of the allocator"),
        pytest.param(STEADILY, STEADILY, True, id="steadily"),
        pytest.param(FLAT, STEADILY, False, id="what was shared becomes its own"),
        pytest.param(STEADILY, FLAT, False, id="a library is read"),
    ],
)
def test_memory_that_grows_with_the_requests_is_told_from_memory_that_does_not(
    resident, own, grows
):
    series = [Memory(float(at), *sizes) for at, sizes in enumerate(zip(resident, own, strict=True))]

    assert bool(Growth("worker", series, requests=40_000).problem) == grows

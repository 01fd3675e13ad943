"""Nobody waits for a store that is known to be broken."""

from __future__ import annotations

import time

import pytest
from support.processes import wait_until
from support.stopped_clock import stopped

from edgeauth.replay import ReplayStoreError
from edgeauth.replay import breaker as of_breakers
from edgeauth.replay.breaker import Breaker


def enters(breaker):
    try:
        breaker.enter()
    except ReplayStoreError:
        return False
    return True


def test_failures_that_are_not_in_a_row_stop_nobody():
    breaker = Breaker(failures=2)
    for _ in range(5):
        breaker.failed("gone")
        breaker.enter()
        breaker.succeeded()


def test_after_failures_in_a_row_nobody_asks_and_the_error_says_why():
    breaker = Breaker(failures=2, rest=60)
    breaker.failed("gone")
    breaker.enter()
    breaker.failed("gone")

    with pytest.raises(ReplayStoreError, match=r"^gone; asked again within 60 s$"):
        breaker.enter()


def test_after_a_rest_one_asks_and_the_others_when_it_was_answered():
    breaker = Breaker(failures=1, rest=0.3)
    breaker.failed("gone")
    start = time.monotonic()
    wait_until(lambda: enters(breaker))

    assert time.monotonic() - start > 0.2
    assert not enters(breaker)
    breaker.succeeded()
    assert enters(breaker)
    assert enters(breaker)


@pytest.fixture
def clock(monkeypatch):
    return stopped(monkeypatch, of_breakers)


def test_three_failures_stop_all_for_a_second_and_then_one_a_second_asks(clock):
    breaker = Breaker()
    asked = []
    for _ in range(3):
        asked.append(enters(breaker))
        breaker.failed("gone")
    for seconds in (0, 0.9, 0.1, 0, 0.9, 0.1, 0):
        clock.now += seconds
        asked.append(enters(breaker))

    assert asked == [True, True, True, False, False, True, False, False, True, False]


def test_a_failure_after_the_rest_stops_all_again_and_says_the_last_reason(clock):
    breaker = Breaker(failures=2, rest=10)
    for why in ("first", "second"):
        breaker.failed(why)
    clock.now += 10.5
    assert enters(breaker)
    clock.now += 3
    breaker.failed("third")
    clock.now += 9
    with pytest.raises(ReplayStoreError, match=r"^third; asked again within 10 s$"):
        breaker.enter()
    clock.now += 1
    assert enters(breaker)


@pytest.mark.usefixtures("clock")
def test_an_answer_makes_failures_count_anew():
    breaker = Breaker(failures=2)
    breaker.failed("gone")
    breaker.failed("gone")
    breaker.succeeded()
    asked = [enters(breaker)]
    breaker.failed("gone")
    asked.append(enters(breaker))
    breaker.failed("gone")
    asked.append(enters(breaker))

    assert asked == [True, True, False]

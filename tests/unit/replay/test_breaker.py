"""Nobody waits for a store that is known to be broken."""

from __future__ import annotations

import time

import pytest
from support.processes import wait_until

from edgeauth.replay import ReplayStoreError
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

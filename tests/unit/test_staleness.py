"""The age of an address list, and the word about it."""

from __future__ import annotations

import calendar

import pytest

from edgeauth import AddressList, EdgeAuthScheme, Guard
from edgeauth.staleness import STALE_AFTER_DAYS, StaleWarning

DAY = 86_400
FIRST = calendar.timegm((2026, 10, 1, 0, 0, 0))
NETWORKS = ["192.0.2.0/24"]


@pytest.mark.parametrize(
    ("as_of", "days"),
    [("2026-10", 31), ("2026-10-31", 1), ("2026-11-02", -1), ("2026-13", None), (None, None)],
)
def test_the_age_counts_from_the_day_or_from_the_first_of_the_month(as_of, days):
    addresses = AddressList(NETWORKS, as_of=as_of)
    assert addresses.age_days(FIRST + 31 * DAY + 5) == days


def test_an_old_list_warns_once_a_day_and_a_young_one_never(caplog):
    warning = StaleWarning()
    addresses = AddressList(NETWORKS, as_of="2026-10")
    now = FIRST + STALE_AFTER_DAYS * DAY
    warning.look(addresses, now)
    assert caplog.messages == []
    warning.look(addresses, now + DAY)
    assert "as of 2026-10, 91 days ago" in caplog.text
    warning.look(addresses, now + 2 * DAY - 1)
    assert len(caplog.messages) == 1
    warning.look(addresses, now + 2 * DAY)
    assert len(caplog.messages) == 2


def test_a_clock_that_is_set_back_does_not_silence_the_warning(caplog):
    warning = StaleWarning()
    addresses = AddressList(NETWORKS, as_of="2026-10")
    warning.look(addresses, FIRST + 1000 * DAY)
    warning.look(addresses, FIRST + 900 * DAY)
    assert len(caplog.messages) == 2


def test_a_list_without_a_date_is_not_old(caplog):
    StaleWarning().look(AddressList(NETWORKS))
    assert caplog.messages == []


def test_a_guard_says_at_its_start_that_its_list_is_old(caplog):
    scheme = EdgeAuthScheme(["a-secret-of-this-test"])
    Guard(scheme, AddressList(NETWORKS, as_of="2020-01"))
    assert "edgeauth addresses update" in caplog.text

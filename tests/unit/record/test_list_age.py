"""The age of an address list, and the word about it."""

from __future__ import annotations

import calendar

import pytest

from edgeauth import AddressList, ConfigurationError, EdgeAuthScheme, Guard
from edgeauth._record.list_age import AgeWarning
from edgeauth.settings import STALE_DAYS

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
    warning = AgeWarning()
    addresses = AddressList(NETWORKS, as_of="2026-10")
    now = FIRST + STALE_DAYS * DAY
    warning.warn_if_old(addresses, now)
    assert caplog.messages == []
    warning.warn_if_old(addresses, now + DAY)
    assert "as of 2026-10, 91 days ago" in caplog.text
    warning.warn_if_old(addresses, now + 2 * DAY - 1)
    assert len(caplog.messages) == 1
    warning.warn_if_old(addresses, now + 2 * DAY)
    assert len(caplog.messages) == 2


def test_a_clock_that_is_set_back_does_not_silence_the_warning(caplog):
    warning = AgeWarning()
    addresses = AddressList(NETWORKS, as_of="2026-10")
    warning.warn_if_old(addresses, FIRST + 1000 * DAY)
    warning.warn_if_old(addresses, FIRST + 900 * DAY)
    assert len(caplog.messages) == 2


def test_without_a_moment_it_is_the_present_one(caplog):
    warning = AgeWarning()
    for _ in range(2):
        warning.warn_if_old(AddressList(NETWORKS, as_of="2020-01"))
    assert len(caplog.messages) == 1


def test_a_list_without_a_date_is_not_old(caplog):
    AgeWarning().warn_if_old(AddressList(NETWORKS))
    assert caplog.messages == []


def test_a_guard_says_at_its_start_that_its_list_is_old(caplog):
    scheme = EdgeAuthScheme(["the-geese-cross-the-river-at-six"])
    guard = Guard(scheme, AddressList(NETWORKS, as_of="2020-01"))
    assert not caplog.messages
    guard.start()
    assert "edgeauth addresses update" in caplog.text


@pytest.mark.parametrize(("days", "old"), [(30, False), (29.5, True), (1, True), (3650, False)])
def test_an_operator_says_from_which_age_on_a_list_is_old(caplog, days, old):
    AgeWarning(days).warn_if_old(AddressList(NETWORKS, as_of="2026-10"), FIRST + 30 * DAY)
    assert bool(caplog.messages) is old


@pytest.mark.parametrize("days", [0, 0.9, -1, 3651, float("nan"), float("inf"), "90", True, None])
def test_an_age_that_cannot_be_meant_is_refused(days):
    with pytest.raises(
        ConfigurationError, match=r"addresses_stale_days is .*; write 1 to 3650 days"
    ):
        AgeWarning(days)


def test_the_setting_reaches_the_guard(tmp_path, caplog):
    (tmp_path / "list.json").write_text(
        '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2020-01"}'
    )
    settings = {"secret": "the-geese-cross-the-river-at-six", "addresses": tmp_path / "list.json"}
    Guard.from_settings({**settings, "addresses_stale_days": 3650})
    assert caplog.messages == []
    Guard.from_settings(settings)
    assert len(caplog.messages) == 1
    with pytest.raises(ConfigurationError, match="addresses_stale_days"):
        Guard.from_settings({**settings, "addresses_stale_days": 0})

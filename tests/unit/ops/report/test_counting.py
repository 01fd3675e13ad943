"""Counters of bounded size."""

from __future__ import annotations

import pytest

from edgeauth.ops.report.counting import Ages, BoundedCounter, Timeline


def test_a_counter_is_exact_while_there_are_few_keys():
    counter = BoundedCounter(keep=10)
    for number in range(19):
        for _ in range(number + 1):
            counter.add(number)
    assert counter.top(2) == ([(18, 19), (17, 18)], 190 - 37)
    assert (counter[0], counter["absent"], counter.other) == (1, 0, 0)


def test_a_flood_of_keys_takes_no_memory_and_the_sum_stays_exact():
    counter = BoundedCounter(keep=10)
    for number in range(10_000):
        counter.add(f"junk {number}")
        counter.add("often")
    assert len(counter._counts) <= 20
    assert counter.total == 20_000
    rows, other = counter.top(1)
    assert rows == [("often", 10_000)]
    assert other == 10_000


@pytest.mark.parametrize(
    ("times", "span", "bars"),
    [
        ([0, 59, 60], 60, 2),
        ([0, 239 * 60], 60, 240),
        ([0, 240 * 60], 300, 49),
        ([240 * 60, 0], 300, 49),
        ([0, 9 * 86_400], 3600, 217),
        ([0, 300 * 86_400], 2 * 86_400, 151),
        ([0, 32_503_680_000], 86_400 * 2**11, 184),
    ],
)
def test_a_timeline_has_at_most_240_bars_of_one_length(times, span, bars):
    timeline = Timeline()
    for time in times:
        timeline.add(time, accepted=True)
    assert (timeline.span, len(list(timeline))) == (span, bars)
    assert sum(accepted for _, accepted, _ in timeline) == len(times)


def test_a_timeline_keeps_the_two_apart_when_it_grows_coarser():
    timeline = Timeline()
    timeline.add(0, accepted=True)
    timeline.add(60, accepted=False)
    timeline.add(86_400, accepted=False)
    assert timeline.span == 900
    assert next(iter(timeline)) == (0, 1, 1)
    assert list(timeline)[-1] == (86_400, 0, 1)
    assert list(Timeline()) == []


def test_percentiles_are_nearest_ranks():
    ages = Ages()
    for age in range(1, 101):
        ages.add(age)
    assert [ages.percentile(percent) for percent in (0.1, 1, 50, 99, 99.9, 100)] == [
        *(1, 1, 50, 99, 100, 100)
    ]
    assert ages.outside(10, 90) == 9 + 10
    with pytest.raises(ValueError, match="no ages"):
        Ages().percentile(50)


def test_an_age_far_away_counts_as_an_hour():
    ages = Ages()
    ages.add(-1e9)
    ages.add(1e9)
    assert list(ages) == [(-3600, 1), (3600, 1)]

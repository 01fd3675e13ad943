"""Counters of bounded size."""

from __future__ import annotations

import pytest

from edgeauth.ops.report.counting import Ages, BoundedCounter, RoundedAges, Timeline


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


def test_a_coarser_timeline_has_the_same_requests_and_leaves_the_finer_one_as_it_was():
    timeline = Timeline()
    for hour in range(200):
        timeline.add(hour * 3600, accepted=hour % 2 == 0, reason="missing", key=f"{hour // 100}")
    finer = list(timeline)
    coarser = timeline.coarser(10)
    assert (coarser.span, len(list(coarser.spans()))) == (86_400, 9)
    assert [sum(each[1:]) for each in coarser] == [*[24] * 8, 8]
    assert [span.keys["1"] for _, span in coarser.spans()] == [0, 0, 0, 0, 20, 24, 24, 24, 8]
    assert list(timeline) == finer


def test_a_flood_of_networks_takes_no_memory_in_a_span():
    timeline = Timeline()
    for number in range(5000):
        timeline.add(0, accepted=False, reason="missing", sender="elsewhere", network=f"{number}")
    ((_, span),) = timeline.spans()
    assert len(span.networks._counts) <= 32
    assert span.networks.total == span.senders["elsewhere"] == 5000


def test_ages_of_a_pop_are_rounded_to_a_bounded_number_of_them():
    ages = RoundedAges()
    for tenths in range(-40_000, 40_000):
        ages.add(tenths / 10)
    assert len(ages._tenths) <= 700
    for age, rounded in ((0.14, 0.1), (9.94, 9.9), (12.6, 13), (99.2, 99), (314, 310), (-61, -61)):
        one = RoundedAges()
        one.add(age)
        assert list(one) == [(rounded, 1)]

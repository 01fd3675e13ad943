"""What prometheus-client shows of counts."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from edgeauth._record import families
from edgeauth._record.metric_names import Described

COUNTED = Described("a_count", "counter", "What is counted.", ("of", "by"))
MEASURED = Described("a_gauge", "gauge", "What is measured.", ("worker",))
SPREAD = Described("a_spread", "histogram", "How far it is.")


def shown(metric):
    """The lines of text that a scrape gets of *metric*."""

    class One:
        def collect(self):
            return [metric]

    registry = CollectorRegistry()
    registry.register(One())
    return generate_latest(registry).decode().splitlines()


def test_a_counter_is_shown_by_the_values_of_its_labels():
    assert shown(families.by_labels(COUNTED, {("x", "y"): 3, ("x", "z"): 0.5})) == [
        "# HELP a_count_total What is counted.",
        "# TYPE a_count_total counter",
        'a_count_total{by="y",of="x"} 3.0',
        'a_count_total{by="z",of="x"} 0.5',
    ]


def test_a_gauge_is_shown_by_the_values_of_its_labels():
    assert shown(families.by_labels(MEASURED, {("0",): 7, ("1",): -1})) == [
        "# HELP a_gauge What is measured.",
        "# TYPE a_gauge gauge",
        'a_gauge{worker="0"} 7.0',
        'a_gauge{worker="1"} -1.0',
    ]


def test_a_histogram_has_each_bucket_with_those_below_it_and_a_sum():
    assert shown(families.histogram(SPREAD, (1, 2.5), [4, 0, 2], 9.5)) == [
        "# HELP a_spread How far it is.",
        "# TYPE a_spread histogram",
        'a_spread_bucket{le="1.0"} 4.0',
        'a_spread_bucket{le="2.5"} 4.0',
        'a_spread_bucket{le="+Inf"} 6.0',
        "a_spread_count 6.0",
        "a_spread_sum 9.5",
    ]


def test_a_histogram_of_what_may_be_negative_has_no_sum():
    lines = shown(families.histogram(SPREAD, (-1, 0), [1, 1, 1], None))
    assert [line for line in lines if line.startswith("a_spread")] == [
        'a_spread_bucket{le="-1.0"} 1.0',
        'a_spread_bucket{le="0.0"} 2.0',
        'a_spread_bucket{le="+Inf"} 3.0',
    ]


@pytest.mark.parametrize("counts", [[1, 1], [1, 1, 1, 1]])
def test_a_histogram_with_counts_for_other_buckets_is_not_shown(counts):
    with pytest.raises(ValueError, match="zip"):
        families.histogram(SPREAD, (1, 2), counts, None)


def test_the_version_is_a_label():
    assert shown(families.build_info("1.2.3")) == [
        "# HELP edgeauth_build_info The running version.",
        "# TYPE edgeauth_build_info gauge",
        'edgeauth_build_info{version="1.2.3"} 1.0',
    ]


def test_a_metric_can_be_named_before_it_has_values():
    metric = families.named(COUNTED)
    assert (metric.name, metric.documentation, metric.type, metric.samples) == (
        *("a_count", "What is counted.", "counter"),
        [],
    )

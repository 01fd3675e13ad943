"""Metrics as prometheus-client has them, from counts; an extra brings that."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from edgeauth._record.metric_names import BUILD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edgeauth._record.metric_names import Described

_OF_KIND: dict[str, type[CounterMetricFamily | GaugeMetricFamily]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
}


def named(described: Described) -> Metric:
    """A metric without values."""
    return Metric(described.name, described.text, described.kind)


def build_info(version: str) -> Metric:
    """The running *version*."""
    return InfoMetricFamily(BUILD.name, BUILD.text, dict(zip(BUILD.labels, [version], strict=True)))


def by_labels(described: Described, values: Mapping[tuple[str, ...], float]) -> Metric:
    """A counter or a gauge, by the values of its labels."""
    family = _OF_KIND[described.kind](described.name, described.text, labels=described.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def histogram(
    described: Described, bounds: Iterable[float], counts: Sequence[float], total: float | None
) -> Metric:
    """A histogram.

    Args:
        described: its name.
        bounds: the upper ones.
        counts: of each bucket by itself; one more than there are *bounds*.
        total: the sum of what was observed; None where that may be negative: then there is none.
    """
    buckets = list(zip(bucket_names(bounds), accumulate(counts), strict=True))
    family = HistogramMetricFamily(described.name, described.text)
    family.add_metric((), buckets, total)
    return family


def bucket_names(bounds: Iterable[float]) -> tuple[str, ...]:
    """The label ``le`` of each bucket, as prometheus-client writes it of its own histograms."""
    return (*(str(float(bound)) for bound in bounds), "+Inf")

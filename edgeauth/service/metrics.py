"""Offers the shared counters to Prometheus."""

from __future__ import annotations

import time
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

import edgeauth
from edgeauth.reasons import REASONS
from edgeauth.service.counters import (
    AGE_BOUNDS,
    AGES,
    DECIDED_AS,
    GENERATION,
    LATENCIES,
    LATENCY_BOUNDS,
    LATENCY_SUM,
    LISTED_AT,
    LOADED_AT,
    RELOAD_FAILED,
    RELOADED,
    RESTARTED,
    Counters,
    decision_index,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.core import Metric


class CountersCollector(Collector):
    """Reads the counters at each scrape; nothing is kept in between."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "edgeauth_build", "The running version.", {"version": edgeauth.__version__}
        )
        yield self._decisions()
        yield self._verified()
        yield self._histogram(
            "edgeauth_age_seconds",
            "Seconds between signing and verifying; below zero the edge's clock is ahead.",
            AGE_BOUNDS,
            AGES,
            None,  # an age may be negative, and then a histogram has no sum
        )
        yield self._histogram(
            "edgeauth_decision_seconds",
            "How long a decision took, without the HTTP around it.",
            LATENCY_BOUNDS,
            LATENCIES,
            LATENCY_SUM,
        )
        yield from self._operations()

    def _decisions(self) -> Metric:
        family = CounterMetricFamily(
            "edgeauth_decisions",
            "Decisions by result (allow, deny, or would-deny in report-only mode) and reason.",
            labels=("result", "reason"),
        )
        for reason in DECIDED_AS:
            for allowed in (False, True):
                value = self._sum(decision_index(reason, allowed=allowed))
                if value:
                    family.add_metric((_result(reason, allowed=allowed), reason), value)
        return family

    def _verified(self) -> Metric:
        family = CounterMetricFamily(
            "edgeauth_verified",
            "Verified values by the scheme that accepted them, and the key and the POP that "
            "signed them; passes as pass:<holder>.",
            labels=("scheme", "key_id", "pop"),
        )
        totals: dict[tuple[str, str, str], int] = {}
        for worker in self._counters.workers:
            for name, value in worker.signers().items():
                totals[name] = totals.get(name, 0) + value
        for name, value in sorted(totals.items()):
            if value:
                family.add_metric(name, value)
        return family

    def _histogram(
        self, name: str, text: str, bounds: Sequence[float], index: int, sum_index: int | None
    ) -> Metric:
        counts = [self._sum(index + bucket) for bucket in range(len(bounds) + 1)]
        names = [*map(str, bounds), "+Inf"]
        total = (
            None
            if sum_index is None
            else sum(worker.sums[sum_index] for worker in self._counters.workers)
        )
        family = HistogramMetricFamily(name, text)
        family.add_metric((), list(zip(names, accumulate(counts), strict=True)), total)
        return family

    def _operations(self) -> Iterator[Metric]:
        supervisor = self._counters.supervisor
        yield GaugeMetricFamily(
            "edgeauth_generation",
            "The configuration in force; each successful reload adds one.",
            supervisor[GENERATION],
        )
        serving = GaugeMetricFamily(
            "edgeauth_worker_generation",
            "The configuration that a worker decides by; 0 while it is being replaced.",
            labels=("worker",),
        )
        for index, generation in enumerate(self._counters.serving):
            serving.add_metric((str(index),), generation)
        yield serving
        reloads = CounterMetricFamily("edgeauth_reloads", "Reloads by result.", labels=("result",))
        reloads.add_metric(("success",), supervisor[RELOADED])
        reloads.add_metric(("failure",), supervisor[RELOAD_FAILED])
        yield reloads
        yield CounterMetricFamily(
            "edgeauth_restarts",
            "Processes that died and were replaced.",
            supervisor[RESTARTED],
        )
        yield GaugeMetricFamily(
            "edgeauth_config_loaded_timestamp_seconds",
            "When the configuration in force was read.",
            supervisor[LOADED_AT],
        )
        if supervisor[LISTED_AT]:
            yield GaugeMetricFamily(
                "edgeauth_address_list_age_seconds",
                "How long ago the address list was known to be true.",
                time.time() - supervisor[LISTED_AT],
            )

    def _sum(self, index: int) -> int:
        return sum(worker.counts[index] for worker in self._counters.workers)


def _result(reason: str, *, allowed: bool) -> str:
    if not allowed:
        return "deny"
    return "allow" if reason in REASONS and REASONS[reason].admits else "would-deny"

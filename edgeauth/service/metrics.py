"""Offers the shared counters to Prometheus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client.registry import Collector

import edgeauth
from edgeauth._record import families
from edgeauth._record.metric_names import (
    ADDRESS_LIST_AGE,
    AGE,
    AGE_BOUNDS,
    CONFIG_LOADED,
    DECISION_TIME,
    DECISIONS,
    GENERATION,
    RELOADS,
    RESTARTS,
    VERIFIED,
    WORKER_GENERATION,
    result_of,
)
from edgeauth.service import counters as at
from edgeauth.service.counters import DECIDED_AS, LATENCY_BOUNDS, Counters, decision_index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric


class CountersCollector(Collector):
    """Reads the counters at each scrape; nothing is kept in between."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        yield families.build_info(edgeauth.__version__)
        decisions: dict[tuple[str, ...], int] = {
            (result_of(reason, allowed=allowed), reason): value
            for reason in DECIDED_AS
            for allowed in (False, True)
            if (value := self._sum(decision_index(reason, allowed=allowed)))
        }
        yield families.by_labels(DECISIONS, decisions)
        yield families.by_labels(VERIFIED, self._verified())
        # An age may be negative, and then a histogram has no sum.
        yield families.histogram(AGE, AGE_BOUNDS, self._buckets(at.AGES, AGE_BOUNDS), None)
        seconds = sum(worker.sums[at.LATENCY_SUM] for worker in self._counters.workers)
        buckets = self._buckets(at.LATENCIES, LATENCY_BOUNDS)
        yield families.histogram(DECISION_TIME, LATENCY_BOUNDS, buckets, seconds)
        yield from self._operations()

    def _verified(self) -> dict[tuple[str, ...], int]:
        totals: dict[tuple[str, ...], int] = {}
        for worker in self._counters.workers:
            for name, value in worker.signers().items():
                totals[name] = totals.get(name, 0) + value
        return {name: value for name, value in sorted(totals.items()) if value}

    def _operations(self) -> Iterator[Metric]:
        supervisor = self._counters.supervisor
        yield families.by_labels(GENERATION, {(): supervisor[at.GENERATION]})
        serving = enumerate(self._counters.serving)
        yield families.by_labels(WORKER_GENERATION, {(str(place),): own for place, own in serving})
        reloads: dict[tuple[str, ...], int] = {
            ("success",): supervisor[at.RELOADED],
            ("failure",): supervisor[at.RELOAD_FAILED],
        }
        yield families.by_labels(RELOADS, reloads)
        yield families.by_labels(RESTARTS, {(): supervisor[at.RESTARTED]})
        yield families.by_labels(CONFIG_LOADED, {(): supervisor[at.LOADED_AT]})
        if supervisor[at.LISTED_AT]:
            age = time.time() - supervisor[at.LISTED_AT]
            yield families.by_labels(ADDRESS_LIST_AGE, {(): age})

    def _buckets(self, index: int, bounds: tuple[float, ...]) -> list[int]:
        return [self._sum(index + bucket) for bucket in range(len(bounds) + 1)]

    def _sum(self, index: int) -> int:
        return sum(worker.counts[index] for worker in self._counters.workers)

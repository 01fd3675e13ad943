"""The counters of the board, as Prometheus has them."""

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
from edgeauth.service import counters as words
from edgeauth.service.counters import AGE_BOUNDS, DECIDED_AS, LATENCY_BOUNDS, Board, decision_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.core import Metric


class BoardCollector(Collector):
    """Reads the board at each scrape; nothing is kept in between."""

    def __init__(self, board: Board) -> None:
        self._board = board

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
            words.AGES,
            None,  # an age may be negative, and then a histogram has no sum
        )
        yield self._histogram(
            "edgeauth_decision_seconds",
            "How long a decision took, without the HTTP around it.",
            LATENCY_BOUNDS,
            words.LATENCIES,
            words.LATENCY_SUM,
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
                value = self._sum(decision_place(reason, allowed=allowed))
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
        for slot in self._board.slots:
            for name, value in slot.signers().items():
                totals[name] = totals.get(name, 0) + value
        for name, value in sorted(totals.items()):
            if value:
                family.add_metric(name, value)
        return family

    def _histogram(
        self, name: str, text: str, bounds: Sequence[float], place: int, sum_place: int | None
    ) -> Metric:
        counts = [self._sum(place + bucket) for bucket in range(len(bounds) + 1)]
        names = [*map(str, bounds), "+Inf"]
        total = (
            None if sum_place is None else sum(slot.sums[sum_place] for slot in self._board.slots)
        )
        family = HistogramMetricFamily(name, text)
        family.add_metric((), list(zip(names, accumulate(counts), strict=True)), total)
        return family

    def _operations(self) -> Iterator[Metric]:
        supervisor = self._board.supervisor
        yield GaugeMetricFamily(
            "edgeauth_generation",
            "The configuration in force; each successful reload adds one.",
            supervisor[words.GENERATION],
        )
        serving = GaugeMetricFamily(
            "edgeauth_worker_generation",
            "The configuration that a worker decides by; 0 while it is being replaced.",
            labels=("worker",),
        )
        for place, generation in enumerate(self._board.serving):
            serving.add_metric((str(place),), generation)
        yield serving
        reloads = CounterMetricFamily("edgeauth_reloads", "Reloads by result.", labels=("result",))
        reloads.add_metric(("success",), supervisor[words.RELOADED])
        reloads.add_metric(("failure",), supervisor[words.RELOAD_FAILED])
        yield reloads
        yield CounterMetricFamily(
            "edgeauth_restarts",
            "Processes that died and were replaced.",
            supervisor[words.RESTARTED],
        )
        yield GaugeMetricFamily(
            "edgeauth_config_loaded_timestamp_seconds",
            "When the configuration in force was read.",
            supervisor[words.LOADED_AT],
        )
        if supervisor[words.LISTED_AT]:
            yield GaugeMetricFamily(
                "edgeauth_address_list_age_seconds",
                "How long ago the address list was known to be true.",
                time.time() - supervisor[words.LISTED_AT],
            )

    def _sum(self, place: int) -> int:
        return sum(slot.words[place] for slot in self._board.slots)


def _result(reason: str, *, allowed: bool) -> str:
    if not allowed:
        return "deny"
    return "allow" if reason in REASONS and REASONS[reason].admits else "would-deny"

"""What it costs a guard to count its decisions, beside one signature."""

from __future__ import annotations

import hmac
import logging
import os
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest import mock

from measure import side_by_side
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, Counter
from report import Group, Row
from verify import KEY, SECRET

import edgeauth
from edgeauth.metrics import GuardCollector
from edgeauth.telemetry import GuardTelemetry

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 1_500
# As many as a large CDN has, signing in the same second.
POPS = 64


@dataclass
class _Received:
    value: bytes
    path = "/"
    method = "GET"

    def header(self, _name: str) -> list[bytes]:
        return [self.value]


def group() -> Group:
    now = float(int(time.time()))
    value = edgeauth.sign(SECRET, pop="LHR", timestamp=int(now)).encode()
    signed = value.rpartition(b",")[0]
    one = [_Received(value)] * CALLS
    several = [
        _Received(edgeauth.sign(SECRET, pop=f"P{n % POPS}", timestamp=int(now)).encode())
        for n in range(CALLS)
    ]

    def case(guard: edgeauth.Guard, requests: list[_Received]) -> Callable[[], object]:
        assert guard.check(requests[0], now=now).reason == "ok"
        return lambda: [guard.check(request, now=now) for request in requests]

    def recalled(guard: edgeauth.Guard) -> Callable[[], object]:
        assert guard.recall(value, "GET", "/", now=now)
        return lambda: [guard.recall(value, "GET", "/", now=now) for _ in range(CALLS)]

    plain, of_many = _guard(), _guard()
    in_memory, registry = _guard(), CollectorRegistry()
    GuardCollector(in_memory, registry=registry)
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, {"PROMETHEUS_MULTIPROC_DIR": folder}),
    ):
        counted, many_counted = _guard(), _guard()
        GuardCollector(counted, many_counted, registry=CollectorRegistry())
        telling = _guard()
        GuardTelemetry(telling, meter_provider=MeterProvider([InMemoryMetricReader()]))
        labels = Counter("peer", "", ["result", "reason"], registry=CollectorRegistry())
        logging.getLogger("opentelemetry").setLevel(logging.ERROR)
        timings = side_by_side(
            {
                "hmac": lambda: [hmac.digest(KEY, signed, "sha256") for _ in range(CALLS)],
                "off": case(plain, one),
                "memory": case(in_memory, one),
                "files": case(counted, one),
                "recall off": recalled(plain),
                "recall files": recalled(counted),
                "many off": case(of_many, several),
                "many files": case(many_counted, several),
                "otel": case(telling, one),
                "labels": lambda: [labels.labels("allow", "ok").inc() for _ in range(CALLS)],
            },
            calls=CALLS,
        )

    def row(label: str, name: str, base: str | None, limit: float | None = None) -> Row:
        timing = timings[name] if base is None else timings[name].minus(timings[base])
        return Row(label, timing.median, timing.ratio(timings["hmac"]), limit)

    return Group(
        title="Count a decision",
        unit="hmac.digest alone",
        rows=[
            row("`hmac.digest` of one value", "hmac", None),
            row("GuardCollector, one process: added to a check", "memory", "off", 0.15),
            row("GuardCollector, several processes: added to a check", "files", "off", 0.15),
            row("the same, added to a recall", "recall files", "recall off", 0.15),
            row(f"the same, {POPS} POPs in turn", "many files", "many off"),
            row("GuardTelemetry, metrics alone", "otel", "off"),
            row("one `labels().inc()` of prometheus-client", "labels", None),
        ],
        notes=["Counted are the decision, who signed, and the age."],
    )


def _guard() -> edgeauth.Guard:
    return edgeauth.Guard(edgeauth.EdgeAuthScheme([SECRET], max_age=3600))

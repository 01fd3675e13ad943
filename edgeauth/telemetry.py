"""Decisions for OpenTelemetry: attributes of the current span, and metrics through its API.

One line, or the setting ``metrics = "opentelemetry"``::

    GuardTelemetry(guard)

The gate makes no span of its own: the attributes are those of the span that is current when it
decides, so the instrumentation of the server or the framework stands outside the gate. Where
nobody records, nothing is written. It needs the extra ``otel``; an SDK is the app's own.

=====================  ==================================================================
``edgeauth.result``    ``allow``, ``deny``, or ``would-deny`` in report-only mode
``edgeauth.reason``    the code of the reason
``edgeauth.scheme``    the kind of scheme that accepted the credential, or ``pass``
``edgeauth.key_id``    the id of the key that verified it; ``pass:<holder>``
``edgeauth.pop``       the POP that signed, if it is told
``edgeauth.age``       seconds since then, if that is told (spans alone)
=====================  ==================================================================

The metrics are ``edgeauth.decisions`` (a counter, by result and reason), ``edgeauth.verified`` (a
counter, by scheme, key_id and pop) and ``edgeauth.age`` (a histogram, in seconds). Nothing that a
client sets is a value of an attribute.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from weakref import WeakSet

from opentelemetry import metrics, trace

from edgeauth import __version__
from edgeauth._record.metric_names import (
    AGE,
    AGE_BOUNDS,
    DECISIONS,
    HOLDER,
    OTHER,
    SIGNERS,
    VERIFIED,
    result_of,
    signer_name,
)
from edgeauth.errors import VerificationError
from edgeauth.observers import Observer
from edgeauth.reasons import ERROR, OK, PASS, REASONS

if TYPE_CHECKING:
    from edgeauth.guard import Guard
    from edgeauth.request import Request
    from edgeauth.verdict import EdgeIdentity, Pass, Verdict

    Attributes = dict[str, str]


__all__ = ["GuardTelemetry"]


class GuardTelemetry:
    """Tells OpenTelemetry what guards decide.

    A guard that is named twice is told of once.

    Args:
        guards: whose decisions, from now on.
        meter_provider: for the metrics; None is the one that the app sets.
    """

    def __init__(self, *guards: Guard, meter_provider: metrics.MeterProvider | None = None) -> None:
        told = DecisionTeller(metrics.get_meter("edgeauth", __version__, meter_provider))
        for guard in guards:
            if guard not in _told:
                _told.add(guard)
                guard.observe(told)


class DecisionTeller(Observer):
    """Tells of each decision of guards.

    Args:
        meter: of the metrics.
    """

    def __init__(self, meter: metrics.Meter) -> None:
        self._decisions = meter.create_counter("edgeauth.decisions", "{decision}", DECISIONS.text)
        self._verified = meter.create_counter("edgeauth.verified", "{value}", VERIFIED.text)
        self._ages = meter.create_histogram(
            "edgeauth.age", "s", AGE.text, explicit_bucket_boundaries_advisory=AGE_BOUNDS
        )
        self._signers: set[tuple[str, ...]] = set()

    def accepted(self, verdict: Verdict, now: float) -> None:
        """Tell of a request that was let in as signed or exempt."""
        self._tell(verdict, verdict.identity, now)

    def decided(
        self,
        request: Request,  # noqa: ARG002 - what a client sends is no attribute
        verdict: Verdict,
        evidence: Exception | Pass | None,
        now: float,
    ) -> None:
        """Tell of a refusal, or a request that a pass let in."""
        if evidence is None:
            return  # accepted was told
        # Of an authentic credential that was refused, too: too old, or of another POP.
        identity = evidence.identity if isinstance(evidence, VerificationError) else None
        self._tell(verdict, identity, now)

    def _tell(self, verdict: Verdict, identity: EdgeIdentity | None, now: float) -> None:
        reason = verdict.reason if verdict.reason in REASONS else ERROR.code
        decision: Attributes = {
            "edgeauth.result": result_of(reason, allowed=verdict.allowed),
            "edgeauth.reason": reason,
        }
        signer: Attributes = {}
        age = None
        if identity is not None:
            signer = _signer(identity.scheme, identity.key_id, identity.pop)
            if identity.timestamp is not None:
                age = math.floor(now) - identity.timestamp
        elif verdict.holder is not None:
            signer = _signer(PASS.code, HOLDER + verdict.holder, None)
        span = trace.get_current_span()
        if span.is_recording():
            span.set_attributes({**decision, **signer})
            if age is not None:
                span.set_attribute("edgeauth.age", age)
        self._decisions.add(1, decision)
        if signer and verdict.reason in {OK.code, PASS.code}:
            self._verified.add(1, self._bounded(signer))
            if age is not None:
                self._ages.record(age)

    def _bounded(self, signer: Attributes) -> Attributes:
        key = tuple(signer.values())
        if key not in self._signers:
            if len(self._signers) >= SIGNERS - 1:
                return _signer(*OTHER)
            self._signers.add(key)
        return signer


def _signer(scheme: str, key_id: str, pop: str | None) -> Attributes:
    named = signer_name(scheme, key_id, pop or "")
    if named is None:
        scheme, key_id, pop = OTHER
    told: Attributes = {"edgeauth.scheme": scheme, "edgeauth.key_id": key_id}
    return told if pop is None else {**told, "edgeauth.pop": pop}


# A guard that is told of by one is not told of by another.
_told: WeakSet[Guard] = WeakSet()

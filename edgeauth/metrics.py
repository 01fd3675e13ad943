"""Metrics of an app for Prometheus, with the names and labels that the service has.

One line counts what a guard decides::

    GuardCollector(guard)                    # beside the one that makes the guard
    EDGEAUTH_METRICS=prometheus              # or a setting, where the gate makes it

Several processes of one app are counted together where ``PROMETHEUS_MULTIPROC_DIR`` names a
directory for prometheus-client. It needs the extra ``metrics``.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.registry import Collector

from edgeauth import __version__
from edgeauth._record import families
from edgeauth._record.cells import Cells, FileCells
from edgeauth._record.logger import logger
from edgeauth._record.metric_names import AGE_BOUNDS, HOLDER, METRICS, result_of
from edgeauth.errors import explain
from edgeauth.observers import Observer
from edgeauth.reasons import ERROR, PASS, REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric

    from edgeauth._record.cells import Cell
    from edgeauth.guard import Guard
    from edgeauth.request import Request
    from edgeauth.verdict import EdgeIdentity, Pass, Verdict

    # Where a decision, who signed and the age are counted.
    _Places = tuple[Cell, Cell, Cell]

__all__ = ["GuardCollector"]

# A POP has one identity a second, and a scheme remembers as many.
_REMEMBER = 256

# A cell for what has no other; what is added to no number is none.
_NOWHERE: Cell = [math.nan]


class GuardCollector(Collector):
    """Offers to Prometheus what guards decide.

    One more on the same registry shows the decisions of its guards together with those of the
    others, and a guard that is named twice is counted once.

    Args:
        guards: whose decisions are counted, from now on.
        registry: what shows them. Where ``PROMETHEUS_MULTIPROC_DIR`` is set, a registry with
            prometheus-client's ``MultiProcessCollector`` shows them as well.

    Raises:
        ConfigurationError: ``PROMETHEUS_MULTIPROC_DIR`` names no directory that can be written to.
    """

    def __init__(self, *guards: Guard, registry: CollectorRegistry = REGISTRY) -> None:
        cells = _cells_for(registry)
        self._cells = cells
        counted = _counted.setdefault(cells, WeakSet())
        for guard in guards:
            if guard not in counted:
                counted.add(guard)
                guard.observe(DecisionCounter(cells))
        if registry not in _shown:
            registry.register(self)
            _shown.add(registry)

    def describe(self) -> Iterable[Metric]:
        """The names, for a registry that wants no name twice."""
        return [families.named(metric) for metric in METRICS if metric.in_apps]

    def collect(self) -> Iterable[Metric]:
        """What was decided so far: of all processes, where there are several."""
        return self._cells.collect()


class DecisionCounter(Observer):
    """Counts what one guard decides.

    Args:
        cells: where.

    Attributes:
        lost: how many decisions found no place to be counted in.
    """

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self.lost = 0
        self.forget()
        cells.users.add(self)

    def forget(self) -> None:
        """Keep no place of :class:`Cells`."""
        # A verdict, until when what it says has this age, and the three cells that count it.
        nowhere: _Places = _NOWHERE, _NOWHERE, _NOWHERE
        self._last: tuple[Verdict | None, float, *_Places] = (None, -math.inf, *nowhere)
        self._known: dict[int, tuple[EdgeIdentity, float, _Places]] = {}

    def accepted(self, verdict: Verdict, now: float) -> None:
        """Count a request that was let in as signed or exempt."""
        # One flat tuple: no thread sees half of another verdict's, and nothing here is quicker.
        last, until, decisions, signed, ages = self._last
        if last is not verdict or now >= until:
            decisions, signed, ages = self._look_up(verdict, now)
        decisions[0] += 1.0
        signed[0] += 1.0
        ages[0] += 1.0

    def decided(
        self,
        request: Request,  # noqa: ARG002 - what a client sends is no label
        verdict: Verdict,
        evidence: Exception | Pass | None,
        now: float,  # noqa: ARG002
    ) -> None:
        """Count a refusal, or a request that a pass let in."""
        if evidence is None:
            return  # accepted was told
        try:
            cells = [self._decision(verdict)]
            if verdict.holder is not None:
                cells.append(self._cells.signer(PASS.code, HOLDER + verdict.holder, ""))
        except OSError as error:
            self._lose(error)
            return
        for cell in cells:
            cell[0] += 1.0

    def _look_up(self, verdict: Verdict, now: float) -> _Places:
        identity = verdict.identity
        try:
            if identity is None:
                return self._decision(verdict), _NOWHERE, _NOWHERE
            known = self._known.get(id(identity))
            if known is None or known[0] is not identity or now >= known[1]:
                known = self._look_up_signed(verdict, identity, now)
        except OSError as error:
            self._lose(error)
            return _NOWHERE, _NOWHERE, _NOWHERE
        _, until, places = known
        self._last = (verdict, until, *places)
        return places

    def _look_up_signed(
        self, verdict: Verdict, identity: EdgeIdentity, now: float
    ) -> tuple[EdgeIdentity, float, _Places]:
        signer = self._cells.signer(identity.scheme, identity.key_id, identity.pop or "")
        until, age = self._age(identity.timestamp, now)
        # With the identity, so that its id is nobody else's.
        known = identity, until, (self._decision(verdict), signer, age)
        if identity.once is None:  # any other comes once
            if len(self._known) >= _REMEMBER:
                self._known.clear()
            self._known[id(identity)] = known
        return known

    def _decision(self, verdict: Verdict) -> Cell:
        # The reason of somebody's own scheme or guard may be any; the log has it.
        reason = verdict.reason if verdict.reason in REASONS else ERROR.code
        return self._cells.decision(result_of(reason, allowed=verdict.allowed), reason)

    def _age(self, timestamp: int | None, now: float) -> tuple[float, Cell]:
        """Where the age is counted, and until when; after a clock was set back, a bit longer."""
        if timestamp is None:
            return math.inf, _NOWHERE
        bucket = bisect_left(AGE_BOUNDS, math.floor(now) - timestamp)
        if bucket == len(AGE_BOUNDS):
            return math.inf, self._cells.age(bucket)
        # A float, which is compared with another in a fifth of the time.
        until = float(timestamp + AGE_BOUNDS[bucket] + 1)
        return until, self._cells.age(bucket)

    def _lose(self, error: OSError) -> None:
        self.lost += 1
        if self.lost == 1:
            logger.error("what this process decides is not counted: %s", explain(error))


def _cells_for(registry: CollectorRegistry) -> Cells:
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if directory is None:
        if registry not in _in_memory:
            _in_memory[registry] = Cells(__version__)
        return _in_memory[registry]
    # A process has its files once, whatever shows them.
    if directory not in _in_files:
        _in_files[directory] = FileCells(__version__, directory)
    return _in_files[directory]


_in_memory: WeakKeyDictionary[CollectorRegistry, Cells] = WeakKeyDictionary()
_in_files: dict[str, Cells] = {}
# The registries that show them, and whom each counts, by now.
_shown: WeakSet[CollectorRegistry] = WeakSet()
_counted: WeakKeyDictionary[Cells, WeakSet[Guard]] = WeakKeyDictionary()

"""Side by side in one process: rounds in turn, medians of ratios.

Machines are shared and their speed drifts, so a figure alone says little. All cases of a
group run in every round, in changing order, and what is compared is the ratio within a
round. Time is the CPU time of this process: what others do on the machine is left out.
"""

from __future__ import annotations

import gc
import os
import random
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


# Many short rounds: what disturbs one of them is out of the median.
ROUNDS = 100

# For developers: BENCH=quick is done within a minute, and its figures are kept nowhere.
QUICK = os.environ.get("BENCH") == "quick"


def rounds(full: int) -> int:
    """How many rounds there are, where a run that is not in a hurry has *full*."""
    return max(5, full // 8) if QUICK else full


@dataclass(frozen=True)
class Timing:
    """What one case cost, a value a round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def minus(self, base: Timing) -> Timing:
        """What this case costs on top of *base*, round by round."""
        return Timing(tuple(a - b for a, b in zip(self.seconds, base.seconds, strict=True)))

    def ratio(self, other: Timing) -> float:
        """The median of the ratios to *other*, round by round."""
        pairs = zip(self.seconds, other.seconds, strict=True)
        return statistics.median(a / b for a, b in pairs)


def side_by_side(cases: Mapping[str, Callable[[], object]], *, calls: int) -> dict[str, Timing]:
    """Time each case, a function that makes *calls* calls, in every round.

    A case is run once before anything is timed.
    """
    for case in cases.values():
        case()
    spent: dict[str, list[float]] = {name: [] for name in cases}
    order = list(cases)
    # What is there by now is left out of the collections, which would otherwise walk all that
    # was imported, and leave the processor's caches to whoever comes next.
    gc.collect()
    gc.freeze()
    for _ in range(rounds(ROUNDS)):
        random.shuffle(order)
        for name in order:
            case = cases[name]
            gc.collect()
            start = time.process_time()
            case()
            spent[name].append((time.process_time() - start) / calls)
    gc.unfreeze()
    return {name: Timing(tuple(values)) for name, values in spent.items()}


def interval(values: Sequence[float]) -> str:
    """The 95 % interval of the median of *values*, in words; by rank, so of any distribution."""
    ordered = sorted(values)
    # The ranks between which the median lies, by the normal approximation of the binomial.
    reach = 0.98 * len(ordered) ** 0.5
    low = max(0, round(len(ordered) / 2 - reach) - 1)
    high = min(len(ordered) - 1, round(len(ordered) / 2 + reach))
    return f"{ordered[low]:.2f} to {ordered[high]:.2f}"

"""Counters in memory that all processes of the service share.

The supervisor makes one anonymous shared mapping before it forks. Every process writes its
own words alone, so there are no locks, and a count is there for the reader the moment it is
made: a scrape sees exactly the requests decided so far, those of a killed worker included.

::

    supervisor's words | slot 0: words, names | slot 1: words, names | ...

A word has eight bytes and is aligned, so it is read whole or not at all.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from typing import TYPE_CHECKING

from edgeauth.reasons import REASONS

if TYPE_CHECKING:
    from collections.abc import Sequence

# Every reason of a verdict, and one for what was no HTTP and never reached a decision.
UNREADABLE = "unreadable"
DECIDED_AS = (*REASONS, UNREADABLE)

# Upper bounds in seconds; one more bucket holds the rest.
AGE_BOUNDS = (-5, -2, -1, 0, 1, 2, 3, 5, 10, 20, 30, 45, 60, 120, 300)
LATENCY_BOUNDS = (5e-6, 1e-5, 1.5e-5, 2e-5, 3e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 1e-2, 1e-1)

# Who signed: the kind of scheme, key id and POP, or the holder of a pass behind HOLDER, with
# which no key id begins. Only authentic values get here, so strangers cannot fill it; what no
# longer fits is counted under the first name.
SIGNERS = 512
OTHER = ("other", "other", "other")

HOLDER = "pass:"

_WORD = 8

# The supervisor's words.
GENERATION, RELOADED, RELOAD_FAILED, RESTARTED, LOADED_AT, LISTED_AT = range(6)
_SUPERVISOR_WORDS = 6

# The words of a slot.
SERVING = 0
DECIDED = SERVING + 1
AGES = DECIDED + 2 * len(DECIDED_AS)
LATENCIES = AGES + len(AGE_BOUNDS) + 1
LATENCY_SUM = LATENCIES + len(LATENCY_BOUNDS) + 1
NAMES = LATENCY_SUM + 1
SIGNED = NAMES + 1
_SLOT_WORDS = SIGNED + SIGNERS

# After the words of a slot: its names, "scheme,key id,POP" padded with NUL.
_NAME_BYTES = 128
_COMMAS = 2


class Board:
    """All counters of one service.

    Args:
        workers: how many slots there are.
    """

    def __init__(self, workers: int) -> None:
        slot_bytes = _SLOT_WORDS * _WORD + SIGNERS * _NAME_BYTES
        start = _SUPERVISOR_WORDS * _WORD
        memory = memoryview(mmap.mmap(-1, start + workers * slot_bytes))
        self.supervisor = memory[:start].cast("Q")
        self.slots = tuple(
            Slot(memory[start + place * slot_bytes : start + (place + 1) * slot_bytes])
            for place in range(workers)
        )

    @property
    def serving(self) -> list[int]:
        """The generation that each worker decides by; 0 for one that is not up."""
        return [slot.words[SERVING] for slot in self.slots]


class Slot:
    """The counters of one worker; a replacement goes on where the worker before it stopped.

    Attributes:
        words: counts, at the places named in this module.
        sums: the same memory, for the place that holds a sum of seconds.
    """

    def __init__(self, memory: memoryview) -> None:
        words = memory[: _SLOT_WORDS * _WORD]
        self.words: memoryview[int] = words.cast("Q")
        self.sums: memoryview[float] = words.cast("d")
        self._names = memory[_SLOT_WORDS * _WORD :]
        self._places: dict[tuple[str, str, str], int] = {}

    def count(self, seconds: float, *places: int) -> None:
        """Count one decision: how long it took, and the places that it belongs to."""
        words = self.words
        for place in places:
            words[place] += 1
        words[LATENCIES + bisect_left(LATENCY_BOUNDS, seconds)] += 1
        self.sums[LATENCY_SUM] += seconds

    def signer_place(self, scheme: str, key_id: str, pop: str) -> int:
        """Where the values of this signer are counted."""
        if not self._places:
            self._places = {name: SIGNED + place for place, name in enumerate(self._read_names())}
        place = self._places.get((scheme, key_id, pop))
        return self._add_name(scheme, key_id, pop) if place is None else place

    def signers(self) -> dict[tuple[str, str, str], int]:
        """How many values were verified, by kind of scheme, key id and POP."""
        return {name: self.words[SIGNED + n] for n, name in enumerate(self._read_names())}

    def _read_names(self) -> Sequence[tuple[str, str, str]]:
        names = [OTHER]
        for place in range(1, self.words[NAMES] + 1):
            raw = bytes(self._names[place * _NAME_BYTES : (place + 1) * _NAME_BYTES])
            scheme, key_id, pop = raw.rstrip(b"\0").decode("ascii").split(",")
            names.append((scheme, key_id, pop))
        return names

    def _add_name(self, scheme: str, key_id: str, pop: str) -> int:
        place = self.words[NAMES] + 1
        raw = f"{scheme},{key_id},{pop}".encode("ascii", "replace")
        # What somebody's own scheme calls its keys may be of any form.
        if place >= SIGNERS or len(raw) > _NAME_BYTES or raw.count(b",") != _COMMAS:
            return SIGNED
        self._names[place * _NAME_BYTES : (place + 1) * _NAME_BYTES] = raw.ljust(_NAME_BYTES, b"\0")
        # The name is whole before it is counted among the names.
        self.words[NAMES] = place
        self._places[scheme, key_id, pop] = SIGNED + place
        return SIGNED + place


def age_place(age: float) -> int:
    """Where verified values of this age in seconds are counted."""
    return AGES + bisect_left(AGE_BOUNDS, age)


def decision_place(reason: str, *, allowed: bool) -> int:
    """Where decisions of this kind are counted."""
    return DECIDED + 2 * DECIDED_AS.index(reason) + allowed

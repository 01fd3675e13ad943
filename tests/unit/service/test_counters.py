"""Counters in shared memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edgeauth.errors import VerificationError
from edgeauth.service.counters import (
    AGE_BOUNDS,
    AGES,
    DECIDED_AS,
    OTHER,
    SIGNERS,
    Board,
    age_place,
    decision_place,
)


def subclasses(cls: type) -> set[type]:
    return {cls}.union(*map(subclasses, cls.__subclasses__()))


def test_every_reason_of_a_verdict_has_its_place():
    # Not those of other tests: a word of somebody's own is counted as an error.
    ours = (cls for cls in subclasses(VerificationError) if cls.__module__ == "edgeauth.errors")
    reasons = {cls.reason for cls in ours}

    assert reasons | {"ok", "exempt", "error"} <= set(DECIDED_AS)
    places = {
        decision_place(reason, allowed=allowed) for reason in DECIDED_AS for allowed in (0, 1)
    }
    assert len(places) == 2 * len(DECIDED_AS)


# In an interpreter of its own: one with threads must not fork.
FORKED = """
import os
from edgeauth.service.counters import Board, decision_place

board, place = Board(2), decision_place("ok", allowed=True)
slot = board.slots[1]
child = os.fork()
if not child:
    slot.count(0.5, place, slot.signer_place("edge-auth", "a", "LHR"))
    os._exit(0)
os.waitpid(child, 0)
print([slot.words[place] for slot in board.slots], slot.signers()["edge-auth", "a", "LHR"])
"""


def test_what_another_process_counts_is_seen_here():
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[0, 1] 1\n"


def test_slots_do_not_overlap():
    board = Board(3)
    for number, slot in enumerate(board.slots, 1):
        for _ in range(number):
            slot.count(0.0, slot.signer_place("s", f"key-{number}", "P"))

    assert [slot.signers() for slot in board.slots] == [
        {OTHER: 0, ("s", f"key-{number}", "P"): number} for number in (1, 2, 3)
    ]


def test_a_replacement_goes_on_where_the_worker_before_it_stopped():
    board = Board(1)
    slot = board.slots[0]
    slot.count(0.0, slot.signer_place("edge-auth", "a", "LHR"))

    # A new process knows the memory and none of the names.
    slot._places.clear()
    slot.count(0.0, slot.signer_place("edge-auth", "a", "LHR"))
    slot.count(0.0, slot.signer_place("s", "b", ""))

    assert slot.signers() == {OTHER: 0, ("edge-auth", "a", "LHR"): 2, ("s", "b", ""): 1}


def test_names_that_no_longer_fit_are_counted_as_other():
    slot = Board(1).slots[0]
    for number in range(SIGNERS + 10):
        slot.count(0.0, slot.signer_place("s", "key", f"P{number}"))

    counts = slot.signers()
    assert len(counts) == SIGNERS
    assert counts[OTHER] == 11
    assert sum(counts.values()) == SIGNERS + 10


def test_the_longest_names_fit():
    slot = Board(1).slots[0]
    scheme, key_id, pop = "s" * 46, "k" * 64, "P" * 16

    slot.count(0.0, slot.signer_place(scheme, key_id, pop))

    assert slot.signers()[scheme, key_id, pop] == 1


@pytest.mark.parametrize("key_id", ["k" * 200, "one,two"])
def test_a_name_that_no_scheme_of_ours_gives_is_counted_as_other(key_id):
    slot = Board(1).slots[0]

    slot.count(0.0, slot.signer_place("toy", key_id, "LHR"))
    slot.count(0.0, slot.signer_place("toy", "a", "\u00fc"))

    assert slot.signers() == {OTHER: 1, ("toy", "a", "?"): 1}


def test_an_age_is_counted_in_the_bucket_whose_bound_it_does_not_pass():
    assert age_place(-100) == AGES
    assert age_place(0) == AGES + AGE_BOUNDS.index(0)
    assert age_place(0.5) == AGES + AGE_BOUNDS.index(1)
    assert age_place(10_000) == AGES + len(AGE_BOUNDS)

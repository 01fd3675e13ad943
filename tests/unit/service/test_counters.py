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
    Counters,
    age_index,
    decision_index,
)


def subclasses(cls: type) -> set[type]:
    return {cls}.union(*map(subclasses, cls.__subclasses__()))


def test_every_reason_of_a_verdict_has_its_place():
    # Not those of other tests: a word of somebody's own is counted as an error.
    ours = (cls for cls in subclasses(VerificationError) if cls.__module__ == "edgeauth.errors")
    reasons = {cls.reason for cls in ours}

    assert reasons | {"ok", "exempt", "error"} <= set(DECIDED_AS)
    indexes = {
        decision_index(reason, allowed=allowed) for reason in DECIDED_AS for allowed in (0, 1)
    }
    assert len(indexes) == 2 * len(DECIDED_AS)


# In an interpreter of its own: one with threads must not fork.
FORKED = """
import os
from edgeauth.service.counters import Counters, decision_index

counters, index = Counters(2), decision_index("ok", allowed=True)
worker = counters.workers[1]
child = os.fork()
if not child:
    worker.count(0.5, index, worker.signer_index("edge-auth", "a", "LHR"))
    os._exit(0)
os.waitpid(child, 0)
counts = [worker.counts[index] for worker in counters.workers]
print(counts, worker.signers()["edge-auth", "a", "LHR"])
"""


def test_what_another_process_counts_is_seen_here():
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[0, 1] 1\n"


def test_counters_of_two_workers_do_not_overlap():
    counters = Counters(3)
    for number, worker in enumerate(counters.workers, 1):
        for _ in range(number):
            worker.count(0.0, worker.signer_index("s", f"key-{number}", "P"))

    assert [worker.signers() for worker in counters.workers] == [
        {OTHER: 0, ("s", f"key-{number}", "P"): number} for number in (1, 2, 3)
    ]


def test_a_replacement_goes_on_where_the_worker_before_it_stopped():
    counters = Counters(1)
    worker = counters.workers[0]
    worker.count(0.0, worker.signer_index("edge-auth", "a", "LHR"))

    # A new process knows the memory and none of the names.
    worker._indexes.clear()
    worker.count(0.0, worker.signer_index("edge-auth", "a", "LHR"))
    worker.count(0.0, worker.signer_index("s", "b", ""))

    assert worker.signers() == {OTHER: 0, ("edge-auth", "a", "LHR"): 2, ("s", "b", ""): 1}


def test_names_that_no_longer_fit_are_counted_as_other():
    worker = Counters(1).workers[0]
    for number in range(SIGNERS + 10):
        worker.count(0.0, worker.signer_index("s", "key", f"P{number}"))

    counts = worker.signers()
    assert len(counts) == SIGNERS
    assert counts[OTHER] == 11
    assert sum(counts.values()) == SIGNERS + 10


def test_the_longest_names_fit():
    worker = Counters(1).workers[0]
    scheme, key_id, pop = "s" * 46, "k" * 64, "P" * 16

    worker.count(0.0, worker.signer_index(scheme, key_id, pop))

    assert worker.signers()[scheme, key_id, pop] == 1


@pytest.mark.parametrize("key_id", ["k" * 200, "one,two"])
def test_a_name_that_no_scheme_of_ours_gives_is_counted_as_other(key_id):
    worker = Counters(1).workers[0]

    worker.count(0.0, worker.signer_index("toy", key_id, "LHR"))
    worker.count(0.0, worker.signer_index("toy", "a", "\u00fc"))

    assert worker.signers() == {OTHER: 1, ("toy", "a", "?"): 1}


def test_an_age_is_counted_in_the_bucket_whose_bound_it_does_not_pass():
    assert age_index(-100) == AGES
    assert age_index(0) == AGES + AGE_BOUNDS.index(0)
    assert age_index(0.5) == AGES + AGE_BOUNDS.index(1)
    assert age_index(10_000) == AGES + len(AGE_BOUNDS)

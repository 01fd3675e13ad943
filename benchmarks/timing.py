"""``make timing``: does the time of a refusal tell how much of a signature was right?

The method of dudect (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?",
2017): two classes of inputs in random order, many rounds, and Welch's t-test on their times.
Here one class is wrong in the last digit alone, the other in every digit. The same is done
with a comparison that stops at the first difference, which the test must catch.

What is compared is the mean time of each value, and not each time by itself: some values take
longer than others, whatever is wrong in them, and a test over all times would take that for a
difference of the classes (a quiet machine gave 8 for no difference).

What it cannot see is anything below the noise of an interpreter: a few nanoseconds.
"""

from __future__ import annotations

import random
import secrets
import statistics
import sys
import time
from typing import TYPE_CHECKING

import edgeauth
from edgeauth.schemes.edge_auth import verification

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "an-example-secret-of-32-bytes-ok"
NOW = 1_700_000_000
POOL = 2_000
ROUNDS = 30

# By chance alone, one run in a million is above. dudect's 10 is for a million of times.
LIMIT = 5.0

# The slowest samples are those in which something else ran.
KEPT = 0.9


def main() -> int:
    honest = abs(t_statistic())
    genuine = verification.compare_digest
    verification.compare_digest = early_exit
    try:
        planted = abs(t_statistic())
    finally:
        verification.compare_digest = genuine
    print(f"compare_digest:        |t| = {honest:8.1f}, must be below {LIMIT:g}")
    print(f"a planted early exit:  |t| = {planted:8.1f}, must be above {LIMIT:g}")
    return 0 if honest < LIMIT < planted else 1


def t_statistic() -> float:
    """Welch's t for the refusal of nearly right and of quite wrong signatures."""
    scheme = edgeauth.EdgeAuthScheme([SECRET])
    # Pools of equal size and make: a value that is used again and again is faster to look up.
    near = [_value(_wrong_at_the_end) for _ in range(POOL)]
    far = [_value(_wrong) for _ in range(POOL)]
    times: tuple[list[list[int]], ...] = tuple([[] for _ in pool] for pool in (near, far))
    plan = [
        (value, taken)
        for pool, its_times in zip((near, far), times, strict=True)
        for value, taken in zip(pool, its_times, strict=True)
    ]
    for _ in range(ROUNDS):
        random.shuffle(plan)
        for value, taken in plan:
            taken.append(_refusal(scheme, value))
    means = [[_mean(taken) for taken in its_times] for its_times in times]
    spread = sum(statistics.variance(values) / len(values) for values in means)
    return (statistics.fmean(means[0]) - statistics.fmean(means[1])) / spread**0.5


def _mean(times: list[int]) -> float:
    return statistics.fmean(sorted(times)[: int(KEPT * len(times))])


def early_exit(expected: bytes, received: bytes) -> bool:
    """The comparison that must not be: it ends where the difference is."""
    if len(expected) != len(received):
        return False
    return all(one == other for one, other in zip(expected, received, strict=True))


def _refusal(scheme: edgeauth.EdgeAuthScheme, value: bytes) -> int:
    start = time.perf_counter_ns()
    try:
        scheme.verify_value(value, now=NOW)
    except edgeauth.BadSignature:
        return time.perf_counter_ns() - start
    raise AssertionError("a forged value was accepted")


def _value(forge: Callable[[str], str]) -> bytes:
    right = edgeauth.sign(SECRET, pop=f"P{secrets.randbelow(10**9)}", timestamp=NOW)
    return (right[:-64] + forge(right[-64:])).encode()


def _wrong_at_the_end(signature: str) -> str:
    return signature[:-1] + _other(signature[-1])


def _wrong(signature: str) -> str:
    return "".join(map(_other, signature))


def _other(digit: str) -> str:
    # Any other digit alike: letters take the pattern longer than figures, and that is about
    # the received bytes, which are the attacker's own.
    return f"{(int(digit, 16) + 1 + secrets.randbelow(15)) % 16:x}"


if __name__ == "__main__":
    sys.exit(main())

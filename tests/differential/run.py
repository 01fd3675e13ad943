"""``PYTHONPATH=tests python -m differential.run``: many requests, compared in this process.

A request that breaks a promise is written to .fuzz/differential; a copy of it in the corpus,
under a name that tells what it is, is a regression test from then on.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING

from differential.compare import Findings
from differential.found import FOUND
from differential.grammar import make_request

if TYPE_CHECKING:
    from collections import Counter

_ENOUGH = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="differential.run")
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seed", type=int, help="repeats a run, which prints it")
    parser.add_argument("files", nargs="*", type=Path, help="requests to look at instead")
    given = parser.parse_args()
    # The servers have something to say about most of these requests.
    logging.disable(logging.CRITICAL)
    seed = SystemRandom().randrange(10**6) if given.seed is None else given.seed
    if given.files:
        requests = ((file.name, file.read_bytes()) for file in given.files)
    else:
        print(f"seed {seed}")
        names = (f"{seed}-{number}" for number in range(given.cases))
        requests = ((name, make_request(Random(name))) for name in names)
    findings, count, broken, began = Findings(), 0, 0, time.monotonic()
    for name, raw in requests:
        findings.look_at(raw)
        count += 1
        if findings.broken:
            broken += 1
            FOUND.mkdir(parents=True, exist_ok=True)
            (FOUND / name).write_bytes(raw)
            print(f"\n{FOUND / name}\n{raw!r}", *findings.broken, sep="\n  ")
            if broken == _ENOUGH:
                break
    seconds = time.monotonic() - began
    print(f"{count} requests, {findings.strict} of them in strict form, in {seconds:.0f} s")
    _print("decided", findings.decided)
    _print("without the gate", findings.own)
    sys.exit(bool(broken))


def _print(title: str, counter: Counter[tuple[str, str]]) -> None:
    for name in sorted({name for name, _ in counter}):
        counts = sorted((what, count) for (by, what), count in counter.items() if by == name)
        print(f"{title}: {name}:", ", ".join(f"{what} {count}" for what, count in counts))


if __name__ == "__main__":
    main()

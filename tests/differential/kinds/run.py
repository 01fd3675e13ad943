"""``PYTHONPATH=tests python -m differential.kinds.run``: the matrix of kinds.

A request that breaks a promise is printed and written to .fuzz/differential; ``FILE ...`` looks at
it again, in this process.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random, SystemRandom

from support.servers import SERVERS

from differential.found import FOUND
from differential.kinds.grammar import Case, make
from differential.kinds.in_process import Looked
from differential.kinds.served import look_at
from differential.kinds.table import CHOICE, KINDS

_SHOWN = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="differential.kinds.run")
    parser.add_argument("--cases", type=int, default=5000, help="in this process")
    parser.add_argument("--served", type=int, default=2000, help="to all servers together")
    parser.add_argument("--seed", type=int, help="repeats a run, which prints it")
    parser.add_argument("--server", action="append", choices=SERVERS, help="all, unless named")
    parser.add_argument("--kind", action="append", choices=KINDS, help="all, unless named")
    parser.add_argument("files", nargs="*", type=Path, help="requests to look at instead")
    given = parser.parse_args()
    # The gates and the servers have something to say about most of these requests.
    logging.disable(logging.CRITICAL)
    seed = SystemRandom().randrange(10**6) if given.seed is None else given.seed
    if given.files:
        broken = _here({file.name: _kept(file.read_bytes()) for file in given.files})
    else:
        print(f"seed {seed}")
        names = given.server or list(SERVERS)
        kinds = given.kind or list(KINDS)
        each = -(-given.served // len(names))
        with ThreadPoolExecutor(4) as pool:
            # The servers start while this process computes.
            asked = [
                pool.submit(look_at, name, each, f"{seed}-{name}", kinds) for name in names if each
            ]
            cases = {}
            for number in range(given.cases):
                kind = kinds[number % len(kinds)]
                cases[f"{kind}-{seed}-{number}"] = make(Random(f"{seed}-{number}"), kind)
            broken = _here(cases)
            for future in asked:
                seen = future.result()
                told = ", ".join(f"{what} {count}" for what, count in sorted(seen.told.items()))
                print(f"{seen.server}: {told}; {seen.seconds:.0f} s", flush=True)
                broken += len(seen.broken)
                for number, (raw, sentence) in enumerate(seen.broken[:_SHOWN]):
                    _show(f"kinds-{seed}-{seen.server}-{number}", raw, [sentence])
    print(f"{broken} broken promises")
    sys.exit(bool(broken))


def _here(cases: dict[str, Case]) -> int:
    """Look at *cases* in this process; how many broke a promise."""
    looked, found, began = Looked(Counter()), 0, time.monotonic()
    for name, case in cases.items():
        looked.look_at(case)
        if looked.broken:
            found += 1
            if found <= _SHOWN:
                _show(name, case.raw, looked.broken)
    print(f"{len(cases)} requests in this process, in {time.monotonic() - began:.0f} s")
    for kind, gate in sorted({(kind, gate) for kind, gate, _ in looked.decided}):
        counts = [
            f"{what} {count}"
            for (of, at, what), count in sorted(looked.decided.items())
            if (of, at) == (kind, gate)
        ]
        print(f"{kind}: {gate}: {', '.join(counts)}")
    return found


def _show(name: str, raw: bytes, sentences: list[str]) -> None:
    FOUND.mkdir(parents=True, exist_ok=True)
    (FOUND / name).write_bytes(raw)
    print(f"\n{FOUND / name}\n{raw!r}", *sentences[:3], sep="\n  ")


def _kept(raw: bytes) -> Case:
    chosen = re.search(CHOICE.encode() + rb": [0-9]+ (\S+)", raw)
    assert chosen is not None
    return Case(raw, chosen[1].decode(), plain=False)


if __name__ == "__main__":
    main()

"""``PYTHONPATH=tests python -m differential.over_sockets``: requests to every running server."""

from __future__ import annotations

import argparse
import logging
import sys
from random import Random, SystemRandom

from support.service import short_folder

from differential.grammar import make_request
from differential.served import PROGRAMS, Served


def main() -> None:
    parser = argparse.ArgumentParser(prog="differential.over_sockets")
    parser.add_argument("--cases", type=int, default=100, help="for each server")
    parser.add_argument("--seed", type=int, help="repeats a run, which prints it")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    seed = SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"seed {seed}")
    broken = 0
    for name, program in PROGRAMS.items():
        with short_folder() as folder, program.serving(folder) as target:
            served = Served(target)
            for number in range(given.cases):
                served.send(make_request(Random(f"{seed}-{number}")))
        counts = ", ".join(f"{text} {count}" for text, count in sorted(served.told.items()))
        print(f"{name}: {counts}; {served.own} that only the server refuses")
        for sentence in served.broken:
            print(f"  {sentence}")
        broken += len(served.broken)
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()

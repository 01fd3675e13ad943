"""``python -m replay_storm``: every store, every fault; exits 1 if something is admitted twice.

100,000 replays over four processes for each store, then each fault for some seconds. The numbers
are printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from support.redis import redis_server
from support.service import short_folder

from replay_storm.faults import FAULTS, stores, storm_with
from replay_storm.storm import PROCESSES, run

_WAYS = ("processes", "forked processes", "tasks", "guards", "guards with tasks")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replays", type=int, default=100_000, help="of each store")
    parser.add_argument("--seconds", type=float, default=8, help="of each fault")
    options = parser.parse_args()
    failed = False
    with short_folder() as folder, redis_server(folder) as redis:
        for kind, setting in stores(folder, redis).items():
            for way in _WAYS:
                redis.tell("FLUSHALL")
                Path(folder, "seen.db").unlink(missing_ok=True)
                outcome = run(
                    setting,
                    keys=options.replays // PROCESSES,
                    tasks=10 if "tasks" in way else 0,
                    forked=way.startswith("forked"),
                    guards=way.startswith("guards"),
                )
                _show(f"{kind}: {PROCESSES} {way}: {outcome}")
                failed |= bool(outcome.twice)
        for fault in FAULTS:
            with tempfile.TemporaryDirectory() as of_this_fault:
                outcome = storm_with(fault, options.seconds, Path(of_this_fault), redis)
            _show(f"{fault}: {outcome}")
            failed |= bool(outcome.twice) or not outcome.after
    return 1 if failed else 0


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

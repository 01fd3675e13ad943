"""``python mutation/run.py [FILE...]``: do the tests see a small mistake in the trust base?

Several files at once, each in a process of its own. What became of a mutant is kept in .mutation/
until its file, the tests of it or these programs change, so a run that was stopped goes on.

Ends with a status that is not 0 if fewer than 95 of 100 mutants are killed, if a survivor is
not explained in reports/mutation.md, or if that page explains one that is none. Writes its
results into that page, unless they are of a sample.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from keeping import Kept
from mutants import Mutant, mutants_of
from subjects import SUBJECTS
from survivors import PAGE, Result, Survivor, digest, explained, results_of, table, with_results
from trial import PACKAGE, Fate
from trying import fates

NEEDED = 95


def main() -> int:
    """Run the mutants and say how they fared."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument("--sample", type=int, metavar="N", help="N mutants a file, evenly spread")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="files at once")
    parser.add_argument("--changed", action="store_true", help="files that the page is not about")
    parser.add_argument("--page", action="store_true", help="only write the page's table anew")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.files) - set(SUBJECTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    files = options.files or list(SUBJECTS)
    if options.one:
        fates(files[0], _mutants(files[0], options.sample))
        return 0
    page = PAGE.read_text("utf-8")
    if options.page:
        PAGE.write_text(with_results(page, []), "utf-8")
        return 0
    if options.changed:
        known = {result.file: result.of for result in results_of(page)}
        files = [file for file in files if known.get(file) != digest(file)]
    failed = _try_all(files, options.sample, options.jobs)
    status = _told([file for file in files if file not in failed], options.sample, page)
    for file in sorted(failed):
        print(f"{file}: its mutants could not be tried")
    return 1 if failed else status


def _mutants(file: str, sample: int | None) -> list[Mutant]:
    mutants = list(mutants_of((PACKAGE / file).read_text("utf-8")))
    return mutants[:: -(-len(mutants) // sample)] if sample else mutants


def _try_all(files: list[str], sample: int | None, jobs: int) -> set[str]:
    """Each file in a process of its own, the largest first; those that could not be tried."""

    def tried(file: str) -> bool:
        more = ["--sample", str(sample)] if sample else []
        done = subprocess.run([sys.executable, __file__, "--one", file, *more], check=False)
        if not done.returncode:
            print(f"{file}: done", flush=True)
        return not done.returncode

    largest = sorted(files, key=lambda file: -(PACKAGE / file).stat().st_size)
    with ThreadPoolExecutor(jobs) as pool:
        return {
            file for file, well in zip(largest, pool.map(tried, largest), strict=True) if not well
        }


def _told(files: list[str], sample: int | None, page: str) -> int:
    """Print what became of all, write it into the page, and say whether it is well."""
    known = [entry for entry in explained(page) if entry.file in files]
    results, survivors, possible = [], set(), set()
    for file in files:
        possible |= {_survivor(file, mutant) for mutant in _mutants(file, None)}
        mutants, kept = _mutants(file, sample), Kept(file)
        came = [kept[mutant] for mutant in mutants]
        for mutant, fate in zip(mutants, came, strict=True):
            if fate is Fate.SURVIVED:
                survivors.add(survivor := _survivor(file, mutant))
                if survivor not in known:
                    print(f"Survived, and {PAGE.name} does not say why:\n\n{survivor}\n")
        killed = len(came) - came.count(Fate.SURVIVED)
        results.append(Result(file, len(came), killed, came.count(Fate.TIMEOUT), digest(file)))

    # In a sample a mutant that is not among the survivors may just not have run.
    stale = [entry for entry in known if entry not in (possible if sample else survivors)]
    for entry in stale:
        print(f"{PAGE.name} explains a survivor that is none:\n\n{entry}\n")
    print(f"\n{table(results, files)}")
    if not sample:
        PAGE.write_text(with_results(page, results), "utf-8")
    mutants_, killed = sum(r.mutants for r in results), sum(r.killed for r in results)
    if stale or survivors - set(known) or 100 * killed < NEEDED * mutants_:
        print(f"\nNot well: {NEEDED} % must be killed and every survivor explained.")
        return 1
    return 0


def _survivor(file: str, mutant: Mutant) -> Survivor:
    return Survivor(file, mutant.place, mutant.before, mutant.after)


if __name__ == "__main__":
    sys.exit(main())

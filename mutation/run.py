"""``python mutation/run.py [FILE...]``: do the tests see a small mistake in the core?

Ends with a status that is not 0 if fewer than 95 of 100 mutants are killed, if a survivor is
not explained in docs/mutation.md, or if that page explains one that is none. Writes its results
into that page, unless they are of a sample.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from mutants import Mutant, mutants_of
from subjects import SUBJECTS
from survivors import PAGE, Result, Survivor, explained, table, with_results
from trial import (
    PACKAGE,
    ROOT,
    TESTS,
    Fate,
    run_pytest,
    said_by_a_child,
    tried_anew,
    tried_in_place,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

NEEDED = 95


def main() -> int:
    """Run the mutants and say how they fared."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument("--sample", type=int, metavar="N", help="N mutants a file, evenly spread")
    options = parser.parse_args()
    if unknown := set(options.files) - set(SUBJECTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    files = options.files or list(SUBJECTS)
    _prepare(files)

    page = PAGE.read_text("utf-8")
    known = [entry for entry in explained(page) if entry.file in files]
    results, survivors, possible = [], set(), set()
    for file in files:
        mutants = list(mutants_of((PACKAGE / file).read_text("utf-8")))
        possible |= {_survivor(file, mutant) for mutant in mutants}
        if options.sample:
            mutants = mutants[:: -(-len(mutants) // options.sample)]
        print(f"{file}: {len(mutants)} mutants", flush=True)
        fates = _fates(file, mutants)
        for mutant, fate in zip(mutants, fates, strict=True):
            if fate is Fate.SURVIVED:
                survivors.add(survivor := _survivor(file, mutant))
                if survivor not in known:
                    print(f"Survived, and {PAGE.name} does not say why:\n\n{survivor}\n")
        killed = len(fates) - fates.count(Fate.SURVIVED)
        results.append(Result(file, len(fates), killed, fates.count(Fate.TIMEOUT)))
        print(f"{file}: {killed} of {len(fates)} killed", flush=True)

    # In a sample a mutant that is not among the survivors may just not have run.
    stale = [entry for entry in known if entry not in (possible if options.sample else survivors)]
    for entry in stale:
        print(f"{PAGE.name} explains a survivor that is none:\n\n{entry}\n")
    print(f"\n{table(results)}")
    if not options.sample:
        PAGE.write_text(with_results(page, results), "utf-8")
    mutants, killed = sum(r.mutants for r in results), sum(r.killed for r in results)
    if stale or survivors - set(known) or 100 * killed < NEEDED * mutants:
        print(f"\nNot well: {NEEDED} % must be killed and every survivor explained.")
        return 1
    return 0


def _fates(file: str, mutants: list[Mutant]) -> list[Fate]:
    tests = SUBJECTS[file]
    source = (PACKAGE / file).read_text("utf-8")
    # What the trials themselves must tell apart, in both ways, before anything counts.
    broken = f"{source}\nraise RuntimeError\n"
    unchanged = replace(mutants[len(mutants) // 2], source=source)
    first, *fates = _counted(tried_in_place(file, [unchanged, *mutants], tests))
    if {first, tried_anew(file, source, tests)} != {Fate.SURVIVED}:
        raise SystemExit(f"{file}: its tests do not pass on the file as it is")
    if tried_anew(file, broken, tests) is not Fate.KILLED:
        raise SystemExit(f"{file}: its tests do not see what nobody could miss")
    return list(
        _counted(
            tried_anew(file, mutant.source, tests) if fate is Fate.SURVIVED else fate
            for mutant, fate in zip(mutants, fates, strict=True)
        )
    )


def _counted(fates: Iterable[Fate]) -> Iterator[Fate]:
    """The same, with their number on a terminal."""
    for number, fate in enumerate(fates):
        if sys.stderr.isatty():
            print(f"\r{number} ", end="", file=sys.stderr, flush=True)
        yield fate


def _survivor(file: str, mutant: Mutant) -> Survivor:
    return Survivor(file, mutant.index, mutant.before, mutant.after)


def _prepare(files: Sequence[str]) -> None:
    """Import here, once, what every trial would import: all but edgeauth and its tests."""
    for name in list(os.environ):
        if name.startswith("EDGEAUTH_"):
            del os.environ[name]
    # Few examples and always the same ones, so that a survivor is one tomorrow too.
    settings.register_profile(
        "mutation",
        deadline=None,
        derandomize=True,
        database=None,
        max_examples=15,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutation")
    sys.path[:0] = [str(ROOT), str(TESTS)]
    for name in list(said_by_a_child(lambda say: _say_what_is_imported(files, say))):
        with suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _say_what_is_imported(files: Sequence[str], say: Callable[[str], None]) -> None:
    before = set(sys.modules)
    run_pytest(sorted({test for file in files for test in SUBJECTS[file]}), _NoRun())
    own = {"edgeauth", *(path.stem for path in TESTS.iterdir())}
    for name in [name for name in sys.modules if name not in before]:
        if name.partition(".")[0] not in own:
            say(name)


class _NoRun:
    """Tests are collected and that is all."""

    @staticmethod
    def pytest_runtestloop() -> bool:
        return True


if __name__ == "__main__":
    sys.exit(main())

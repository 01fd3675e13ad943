"""The mutants of one file against its tests, in a process that has imported all else."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from keeping import Kept
from subjects import SUBJECTS
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
    from collections.abc import Callable

    from mutants import Mutant


def fates(file: str, mutants: list[Mutant]) -> None:
    """Try those of *mutants* whose fate is not kept yet, and keep it.

    Raises:
        SystemExit: the tests of the file do not tell the file from one that is broken.
    """
    kept, tests = Kept(file), SUBJECTS[file]
    mutants = [mutant for mutant in mutants if mutant not in kept]
    if not mutants:
        return
    _prepare(tests)
    source = (PACKAGE / file).read_text("utf-8")
    # What the trials themselves must tell apart, in both ways, before anything counts.
    if tried_anew(file, f"{source}\nraise RuntimeError\n", tests) is not Fate.KILLED:
        raise SystemExit(f"{file}: its tests do not see what nobody could miss")
    unchanged = replace(mutants[len(mutants) // 2], source=source)
    in_place = tried_in_place(file, [unchanged, *mutants], tests)
    if {next(in_place), tried_anew(file, source, tests)} != {Fate.SURVIVED}:
        raise SystemExit(f"{file}: its tests do not pass on the file as it is")
    suspects = []
    for number, (mutant, fate) in enumerate(zip(mutants, in_place, strict=True)):
        if fate is Fate.SURVIVED:
            suspects.append(mutant)
        else:
            kept[mutant] = fate
        _count(file, number, len(mutants))
    for number, mutant in enumerate(suspects):
        kept[mutant] = tried_anew(file, mutant.source, tests)
        _count(f"{file}, imported anew", number, len(suspects))


def _count(what: str, number: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{what}: {number + 1} of {of} ", end="", file=sys.stderr, flush=True)


def _prepare(tests: tuple[str, ...]) -> None:
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
    sys.path[:0] = [str(ROOT), str(TESTS), str(ROOT / "tools")]
    for name in list(said_by_a_child(lambda say: _say_what_is_imported(tests, say))):
        with suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _say_what_is_imported(tests: tuple[str, ...], say: Callable[[str], None]) -> None:
    before = set(sys.modules)
    run_pytest(sorted(tests), _NoRun())
    own = {"edgeauth", *(path.stem for path in TESTS.iterdir())}
    for name in [name for name in sys.modules if name not in before]:
        if name.partition(".")[0] not in own:
            say(name)


class _NoRun:
    """Tests are collected and that is all."""

    @staticmethod
    def pytest_runtestloop() -> bool:
        return True

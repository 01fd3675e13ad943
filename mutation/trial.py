"""One mutant against the tests of its file, in a process that ends with it.

There are two ways. The short one puts the mutant's function into the place of the one that a
process with all tests collected has imported, and runs the tests that call it. What was made
at the import of a test has not met the mutant then, so one that survives, or is no function,
takes the long way: everything is imported anew, and an import hook hands Python the mutant.
The file on the disk stays as it is, so no stale copy can come between.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import inspect
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import CodeType, FrameType, FunctionType

    from mutants import Mutant

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "edgeauth"
TESTS = ROOT / "tests"

# Of the processor's time, so that a busy machine kills no mutant; the second is for one that
# waits for ever.
CPU_SECONDS = 30
WALL_SECONDS = 180
# For one that would read or make what no memory holds.
MEMORY = 4 << 30

_NOT_ASKED = 99

# How long each test takes, by its id.
_SECONDS: dict[str, float] = {}


class Fate(Enum):
    """What became of a mutant."""

    SURVIVED = "survived"
    KILLED = "killed"
    TIMEOUT = "was ended by the time limit"


class Hook(importlib.machinery.SourceFileLoader):
    """Finds one module of edgeauth and loads another source in its stead."""

    def __init__(self, file: str, source: str) -> None:
        super().__init__(_module(file), str(PACKAGE / file))
        self._source = source
        self.asked = False

    def find_spec(
        self, name: str, _path: object = None, _target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The entry of sys.meta_path."""
        if name != self.name:
            return None
        folder = [str(Path(self.path).parent)] if self.path.endswith("__init__.py") else None
        return importlib.util.spec_from_file_location(
            name, self.path, loader=self, submodule_search_locations=folder
        )

    def get_code(self, _name: str) -> CodeType:
        """Never that of the file, nor of its cache."""
        self.asked = True
        return compile(self._source, self.path, "exec", dont_inherit=True)


def tried_anew(file: str, source: str, tests: Sequence[str]) -> Fate:
    """The long way: *tests* with *source* in the place of *file*.

    Raises:
        RuntimeError: no test imported the file.
    """

    def run() -> int:
        hook = Hook(file, source)
        sys.meta_path.insert(0, hook)
        # One by one, since the first is mostly enough.
        outcome = next(filter(None, (run_pytest([test]) for test in tests)), 0)
        return outcome if hook.asked else _NOT_ASKED

    return _fate(run)


def tried_in_place(file: str, mutants: Sequence[Mutant], tests: Sequence[str]) -> Iterator[Fate]:
    """The short way; a mutant that it cannot try is among the survivors."""

    def run(say: Callable[[str], None]) -> None:
        class Loop:
            def pytest_runtestloop(self, session: pytest.Session) -> bool:
                told = said_by_a_child(lambda say: _say_what_is_called(file, session, say))
                each = [
                    (json.loads(line), item) for line, item in zip(told, session.items, strict=True)
                ]
                # The fastest first: mostly one of these is enough.
                each.sort(key=lambda pair: pair[0]["seconds"])
                say(json.dumps({item.nodeid: found["seconds"] for found, item in each}))
                for mutant in mutants:
                    items = [item for found, item in each if mutant.place in found["called"]]
                    say(_fate(lambda m=mutant, items=items: _in_place(file, m, items)).name)
                return True

        run_pytest(tests, Loop())

    said = said_by_a_child(run)
    _SECONDS.update(json.loads(next(said)))
    return (Fate[name] for name in said)


def said_by_a_child(run: Callable[[Callable[[str], None]], None]) -> Iterator[str]:
    """The lines that *run* says in a process of its own, which takes its imports with it."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            silence()
            with os.fdopen(writer, "w", encoding="utf-8") as pipe:
                run(lambda line: print(line, file=pipe, flush=True))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as pipe:
        for line in pipe:
            yield line.strip()
    os.waitpid(child, 0)


def _say_what_is_called(file: str, session: pytest.Session, say: Callable[[str], None]) -> None:
    """For each test its seconds, and what of *file* it calls: no other mutant can matter to it."""
    path = str(PACKAGE / file)
    called: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename == path:
            # As mutants name places: an inner function by the outer one and itself.
            called.add(frame.f_code.co_qualname.replace(".<locals>", "").partition(".<")[0])

    for item, after in _with_the_next(session.items):
        called.clear()
        began = time.perf_counter()
        threading.setprofile(note)
        sys.setprofile(note)
        item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        sys.setprofile(None)
        say(json.dumps({"seconds": time.perf_counter() - began, "called": sorted(called)}))


def _with_the_next(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Each item and the one after it, for which pytest keeps what both use, such as a server."""
    return zip(items, [*items[1:], None], strict=True)


def _in_place(file: str, mutant: Mutant, items: list[pytest.Item]) -> int:
    module = importlib.import_module(_module(file))  # some are imported on their first use
    mutated = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(mutant.source, "a mutant", "exec", dont_inherit=True), mutated)  # noqa: S102
    ours, theirs = (_function(names, mutant.place) for names in (vars(module), mutated))
    if ours is None or theirs is None or ours.__code__.co_freevars or not items:
        return 0
    ours.__code__, ours.__defaults__ = theirs.__code__, theirs.__defaults__
    ours.__kwdefaults__ = theirs.__kwdefaults__
    for item, after in _with_the_next(items):
        item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        if item.session.testsfailed:
            # What was kept for the next one would outlive this process.
            item.session._setupstate.teardown_exact(None)  # noqa: SLF001
            return 1
    return 0


def _function(names: dict[str, Any], place: str) -> FunctionType | None:
    """The outermost function on the way to *place*, without what decorates it."""
    for name in place.split("."):
        found = names.get(name)
        found = getattr(found, "fget", None) or getattr(found, "__func__", None) or found
        if inspect.isfunction(found := inspect.unwrap(found) if callable(found) else found):
            return found
        names = dict(vars(found)) if inspect.isclass(found) else {}
    return None


def _fate(run: Callable[[], int]) -> Fate:
    """What *run* comes to in a process of its own: 0 is survival."""
    with tempfile.TemporaryDirectory() as folder:
        child = os.fork()
        if not child:
            _run_and_exit(run, folder)
        deadline = time.monotonic() + WALL_SECONDS
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return Fate.TIMEOUT
            time.sleep(0.005)
    status = ended[1]
    if os.WIFSIGNALED(status):
        return Fate.TIMEOUT if os.WTERMSIG(status) == signal.SIGXCPU else Fate.KILLED
    if os.WEXITSTATUS(status) == _NOT_ASKED:
        raise RuntimeError("the tests never imported the file, so no mutant was active")
    return Fate.KILLED if os.WEXITSTATUS(status) else Fate.SURVIVED


def _run_and_exit(run: Callable[[], int], folder: str) -> NoReturn:
    # Whatever happens in here, this process must not go on as its parent.
    outcome = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        silence()
        os.chdir(folder)
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder
        outcome = run()
    finally:
        os._exit(outcome)


def silence() -> None:
    """Nothing is read or printed from here on."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def run_pytest(tests: Iterable[str], *plugins: object) -> int:
    """Run *tests* here and stop at the first that fails."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = [
        *("-c", os.devnull, f"--rootdir={TESTS}", "--import-mode=importlib", "--noconftest"),
        *("-p", "no:cacheprovider", "-x", "-q", "--tb=no", "-W", "error"),
    ]
    paths = [TESTS / test for test in tests]
    # Not that of all tests, which has more examples; those of a folder set up its framework.
    for folder in sorted({path.parent for path in paths if (path.parent / "conftest.py").exists()}):
        options += ["-p", ".".join((*folder.relative_to(TESTS).parts, "conftest"))]
    return int(pytest.main([*options, *map(str, paths)], [*plugins, _FastestFirst()]))


class _FastestFirst:
    """The tests in the order of how long they take, as far as that is known."""

    @staticmethod
    def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: _SECONDS.get(item.nodeid, 0.0))


def _module(file: str) -> str:
    return ".".join(("edgeauth", *Path(file).with_suffix("").parts)).removesuffix(".__init__")

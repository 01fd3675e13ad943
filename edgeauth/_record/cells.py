"""Where one process counts, so that prometheus-client finds it; an extra brings that.

A count is the item of a list, or an aligned word of a file that is mapped into memory. So counting
is one addition: it waits for no lock and no system call, whoever scrapes sees it at once, and what
a killed process counted stays counted. CPython adds to such an item without a thread switch in
between, so threads need no lock either.

The files are those of prometheus-client's multiprocess mode, so whatever shows the metrics of all
processes of an app shows these too.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from edgeauth._record import families
from edgeauth._record.metric_names import (
    AGE,
    AGE_BOUNDS,
    BUILD,
    DECISIONS,
    OTHER,
    SIGNERS,
    VERIFIED,
    signer_name,
)
from edgeauth.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableSequence

    from prometheus_client.core import Metric

    from edgeauth._record.metric_names import Described

    #: Where something is counted: a sequence of one item.
    Cell = MutableSequence[float]

_EACH_AGE = families.bucket_names(AGE_BOUNDS)
_SUFFIXES = {"counter": "_total", "histogram": "_bucket", "info": "_info"}

_WORD = 8
# How much a file grows at once, and more than one entry needs.
_ROOM, _ENTRY = 1 << 16, 1 << 12
# What a file begins with: how much of it is used.
_USED = struct.Struct("i")


class Cells:
    """What one process counts, in its own memory.

    Args:
        version: of the package.

    Attributes:
        users: who keeps cells, and has to forget them too.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self.users: WeakSet[Any] = WeakSet()
        self.forget()
        _ALL.add(self)

    def forget(self) -> None:
        """Begin anew, as a process must that was forked off."""
        self._lock = threading.Lock()
        self._cells: dict[tuple[str, tuple[str, ...]], Cell] = {}
        self._signers = 1  # the others
        for user in self.users:
            user.forget()

    def decision(self, result: str, reason: str) -> Cell:
        """Where decisions are counted."""
        return self._cell(DECISIONS, (result, reason))

    def age(self, bucket: int) -> Cell:
        """Where ages of a bucket are counted; there is one more than there are bounds."""
        return self._cell(AGE, (_EACH_AGE[bucket],))

    def signer(self, scheme: str, key_id: str, pop: str) -> Cell:
        """Where values of this signer are counted: by name, or with the others."""
        name = signer_name(scheme, key_id, pop)
        labels = OTHER if name is None else tuple(name.decode().split(","))
        if (VERIFIED.name, labels) not in self._cells and self._signers >= SIGNERS:
            labels = OTHER
        return self._cell(VERIFIED, labels)

    def collect(self) -> Iterable[Metric]:
        """What was counted."""
        yield families.build_info(self._version)
        yield families.by_labels(DECISIONS, self._values(DECISIONS))
        yield families.by_labels(VERIFIED, self._values(VERIFIED))
        ages = self._values(AGE)
        counts = [ages.get((bound,), 0) for bound in _EACH_AGE]
        # An age may be negative, and then a histogram has no sum.
        yield families.histogram(AGE, AGE_BOUNDS, counts, None)

    def _values(self, described: Described) -> dict[tuple[str, ...], float]:
        return {
            labels: cell[0]
            for (name, labels), cell in self._cells.copy().items()
            if name == described.name
        }

    def _cell(self, described: Described, labels: tuple[str, ...]) -> Cell:
        key = described.name, labels
        if key not in self._cells:
            with self._lock:
                if key not in self._cells:
                    self._cells[key] = self._make(described, labels)
                    self._signers += described is VERIFIED and labels != OTHER
        return self._cells[key]

    def _make(self, _described: Described, _labels: tuple[str, ...]) -> Cell:
        return [0.0]


class FileCells(Cells):
    """What one of several processes counts, in files that all of them read.

    Args:
        version: of the package.
        directory: of prometheus-client's multiprocess mode.

    Raises:
        ConfigurationError: no file can be made there.
    """

    def __init__(self, version: str, directory: str) -> None:
        if not Path(directory).is_dir() or not os.access(directory, os.W_OK | os.X_OK):
            raise ConfigurationError(
                f"PROMETHEUS_MULTIPROC_DIR {directory!r} is no directory that the app may write "
                "to: make it, and empty it before each start of the app"
            )
        self._directory = Path(directory)
        super().__init__(version)

    def forget(self) -> None:
        """As of the other."""
        super().forget()
        self._files: dict[str, _CountFile] = {}

    def collect(self) -> Iterable[Metric]:
        """What all processes counted, those that ended included."""
        files = sorted(map(str, self._directory.glob("*_edgeauth*.db")))
        return MultiProcessCollector.merge(files)  # type: ignore[no-any-return, no-untyped-call]

    def _make(self, described: Described, labels: tuple[str, ...]) -> Cell:
        if not self._files:
            # The kind says how those of several processes are put together.
            self._file("gauge_max").cell(_key(BUILD, (self._version,)))[0] = 1
        if described is AGE:
            for bound in _EACH_AGE:
                self._file(AGE.kind).cell(_key(AGE, (bound,)))
        return self._file(described.kind).cell(_key(described, labels))

    def _file(self, kind: str) -> _CountFile:
        # No name that prometheus-client itself gives to a file.
        path = self._directory / f"{kind}_edgeauth{os.getpid()}.db"
        return self._files.setdefault(kind, _CountFile(path))


class _CountFile:
    """A file that one process writes to, of the form that prometheus-client reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._words: Any = ()

    def cell(self, key: str) -> Cell:
        """Where *key* is counted, from what it is now: a process before had this id, perhaps.

        Raises:
            OSError: there is no room for it.
        """
        size = self._make_room()
        entries = MmapedDict(str(self._path))  # type: ignore[no-untyped-call]
        try:
            entries.read_value(key)  # type: ignore[no-untyped-call] # makes it
        finally:
            entries.close()  # type: ignore[no-untyped-call]
        found = MmapedDict.read_all_values_from_file(str(self._path))  # type: ignore[no-untyped-call]
        place = next(at for name, _, _, at in found if name == key) // _WORD
        if len(self._words) * _WORD != size:
            with self._path.open("r+b") as file:
                # The one before stays good for those who have it.
                self._words = memoryview(mmap.mmap(file.fileno(), 0)).cast("d")
        cell: Cell = self._words[place : place + 1]
        return cell

    def _make_room(self) -> int:
        """Have disk space for one entry more: without it, writing to the map would kill."""
        if not self._path.exists():
            # No reader sees an empty file.
            new = self._path.with_suffix("")
            with new.open("wb") as file:
                _allocate(file.fileno(), _ROOM)
            new.rename(self._path)
        with self._path.open("r+b") as file:
            (used,) = _USED.unpack(file.read(_USED.size))
            size = os.fstat(file.fileno()).st_size
            if used + _ENTRY > size:
                size += _ROOM
                _allocate(file.fileno(), size)
        return size


def _allocate(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)


def _key(described: Described, labels: tuple[str, ...]) -> str:
    name = described.name + ("_info" if described is BUILD else "")
    sample = described.name + _SUFFIXES[described.kind]
    return mmap_key(name, sample, list(described.labels or ("le",)), list(labels), described.text)


_ALL: WeakSet[Cells] = WeakSet()


def _forked() -> None:
    for cells in _ALL:
        cells.forget()


# Where processes cannot be forked, there is nothing to forget.
with contextlib.suppress(AttributeError):
    os.register_at_fork(after_in_child=_forked)

"""Reads the lines that :mod:`edgeauth._record.decision_file` writes, damaged ones included."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple

from edgeauth.errors import ConfigurationError, explain
from edgeauth.ops.standard_input import STDIN, standard_input

if TYPE_CHECKING:
    from collections.abc import Iterator

_GZIP = b"\x1f\x8b"
# The longest line that an app writes has fewer than 4096 bytes.
_MAX_LINE = 16_384
_MAX_TEXT = 256
_MAX_TIME = 32_503_680_000  # the year 3000
_MAX_AGE = 1e12
_MAX_LOST = 10**12
_NAMES = (
    *("time", "allowed", "enforced", "age"),
    *("reason", "method", "path", "peer", "key", "pop", "scheme"),
)
_BEGIN = re.compile(rb'\{"time"')
_decode = json.JSONDecoder().raw_decode
_NUMBERS = (int, float)
_TEXTS = (str, type(None))


class Decision(NamedTuple):
    """One line.

    Attributes:
        accepted: whether it passed, and would pass when enforced.
        enforced: False if it passed only because of report-only mode.
        The others are as in the file.
    """

    time: float
    accepted: bool
    enforced: bool
    reason: str
    method: str
    path: str
    peer: str | None
    key: str | None
    pop: str | None
    age: float | None
    scheme: str | None = None


class Malformed(NamedTuple):
    """A line that is no decision, and why."""

    why: str


DAMAGED = Malformed("the gzip file ends early or is damaged; the rest is not read")


class Lost(NamedTuple):
    """A line in which a process reports lines that it could not write.

    Attributes:
        lines: their number.
    """

    lines: int


Line = Decision | Malformed | Lost

# The share of the lines that may be missing for a conclusion.
MAY_BE_MISSING = 0.01


def is_enough(read: int, missing: int) -> bool:
    """Whether *read* lines are evidence, if *missing* others could not be read or were lost."""
    return missing <= MAY_BE_MISSING * (read + missing)


class Source:
    """A file of decisions while it is read.

    Attributes:
        name: as it was given.
        size: its bytes as stored, or None for a stream.
    """

    def __init__(self, name: str, raw: BinaryIO, lines: IO[bytes], size: int | None) -> None:
        self.name = name
        self.size = size
        self._raw = raw
        self._lines = lines

    @property
    def position(self) -> int:
        """How many of its bytes, as stored, have been read."""
        return self._raw.tell() if self.size is not None else 0

    def __iter__(self) -> Iterator[Line]:
        try:
            while line := self._lines.readline(_MAX_LINE):
                if len(line) == _MAX_LINE and not line.endswith(b"\n"):
                    self._skip_line()
                    yield Malformed("too long")
                elif not line.isspace():
                    found = parse(line)
                    if type(found) is Malformed:
                        yield from map(parse, _pieces(line))
                    else:
                        yield found
        except (EOFError, zlib.error, gzip.BadGzipFile):
            yield DAMAGED

    def _skip_line(self) -> None:
        while (rest := self._lines.readline(_MAX_LINE)) and not rest.endswith(b"\n"):
            pass


@contextmanager
def opened(name: str) -> Iterator[Source]:
    """Open a file of decisions, plain or compressed with gzip; ``-`` is standard input.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        if name == STDIN:
            yield _source(name, standard_input(), None)
            return
        path = Path(name)
        with path.open("rb") as raw:
            yield _source(name, raw, path.stat().st_size if path.is_file() else None)
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(
            f"decisions file {name!r} cannot be read: {explain(error)}"
        ) from None


def _source(name: str, raw: BinaryIO, size: int | None) -> Source:
    # By its first bytes, since rotated logs are called .1.gz, .gz-20261122 and so on.
    peek = getattr(raw, "peek", None)
    compressed = peek is not None and peek(2)[:2] == _GZIP
    lines: IO[bytes] = raw
    if compressed:
        lines = gzip.open(raw)  # type: ignore[assignment]  # noqa: SIM115 - over raw
    return Source(name, raw, lines, size)


def _pieces(line: bytes) -> list[bytes]:
    """*line* itself, or what stands before the next decision began in it, and that.

    Half a line is what a full disk leaves of one, and another process may go on behind it. No
    text that a client sent has the beginning of a decision in it: its quotes are escaped.
    """
    places = [0, *(match.start() for match in _BEGIN.finditer(line, 1)), len(line)]
    return [line[start:end] for start, end in pairwise(places)]


def parse(line: bytes) -> Line:
    """What one line says; never raises, whatever it holds."""
    try:
        text = line.decode().strip()
        document, end = _decode(text)
    except (ValueError, RecursionError):
        return Malformed("not JSON")
    if end != len(text):
        return Malformed("not JSON")
    if type(document) is not dict:
        return Malformed("not a decision")
    values: Iterator[Any] = map(document.get, _NAMES)
    time, allowed, enforced, age, *texts = values
    reason, method, path, peer, key, pop, scheme = texts
    # One test after the other, since this is most of what a long file costs. A number in
    # floating point is asked for its range too, which NaN has none of.
    if (
        type(allowed) is not bool
        or type(enforced) is not bool
        or type(time) not in _NUMBERS
        or not 0 <= time <= _MAX_TIME
        or (age is not None and (type(age) not in _NUMBERS or not -_MAX_AGE <= age <= _MAX_AGE))
        or type(reason) is not str
        or type(method) is not str
        or type(path) is not str
        or type(peer) not in _TEXTS
        or type(key) not in _TEXTS
        or type(pop) not in _TEXTS
        or type(scheme) not in _TEXTS
        or len(path) > _MAX_TEXT
        or len(reason) + len(method) + len(peer or "") + len(key or "") > _MAX_TEXT
        or len(pop or "") + len(scheme or "") > _MAX_TEXT
    ):
        return _lost(document) or Malformed("not a decision")
    accepted = allowed and enforced
    return Decision(time, accepted, enforced, reason, method, path, peer, key, pop, age, scheme)


def _lost(document: dict[str, Any]) -> Lost | None:
    lines = document.get("lost")
    return Lost(lines) if type(lines) is int and 0 < lines <= _MAX_LOST else None

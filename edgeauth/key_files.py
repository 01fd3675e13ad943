"""Files of secrets: one with a key a line, or a directory with a key a file.

What they hold is handed over as plain values, which :mod:`edgeauth.keys` makes keys of.
"""

from __future__ import annotations

import os
import re
import stat
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import ConfigurationError
from edgeauth.text_files import is_entry, read_small_file, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

# id:secret, or id [dates]: secret. No id has a bracket and the dates end before the secret
# begins, so whatever a secret holds, it cannot be taken for dates.
_LINE = re.compile(r"([^:\[]*)(?:\[([^]]*)\]\s*)?:(.*)")
_DATES = ("not_before", "not_after")
_UNIX_SECONDS = re.compile(r"[0-9]{10}")


class Entry(NamedTuple):
    """One key as a file has it, not yet known to be a good one.

    Attributes:
        where: what errors call the line or the file.
        id: the name of the key.
        secret: its secret.
        not_before: Unix seconds, or None.
        not_after: Unix seconds, or None.
    """

    where: str
    id: str
    secret: str
    not_before: float | None = None
    not_after: float | None = None

    def __repr__(self) -> str:
        return f"<Entry {self.where}>"


def read_file(path: str | os.PathLike[str]) -> Iterator[Entry]:
    """The entries of a secrets file; :meth:`edgeauth.KeyRing.from_file` has the form.

    Raises:
        ConfigurationError: unreadable, over 1 MiB, not UTF-8, or not of that form. The
            message has the line number and never the line.
    """
    where = f"secrets_file {str(path)!r}"
    return parse(read_small_file(path, where), where)


def parse(text: str, where: str) -> Iterator[Entry]:
    """The entries of a secrets file with *text*; *where* is what errors call it.

    Raises:
        ConfigurationError: a line is not of the form.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if is_entry(line):
            yield _parse_line(f"{where}, line {number}", line)


def read_directory(path: str | os.PathLike[str]) -> Iterator[Entry]:
    """The entries of a directory; :meth:`edgeauth.KeyRing.from_directory` has the form.

    Raises:
        ConfigurationError: the directory or a file in it cannot be read.
    """
    return (_read_entry(path, name) for name in key_names(path))


def key_names(path: str | os.PathLike[str]) -> list[str]:
    """The names in a directory of secrets that are meant as keys, oldest to newest.

    Raises:
        ConfigurationError: the directory cannot be read.
    """
    try:
        entries = os.listdir(path)
    except (OSError, ValueError) as error:
        raise unreadable(f"secrets_dir {str(path)!r}", error) from None
    return sorted((name for name in entries if not name.startswith(".")), key=_by_number)


def _by_number(name: str) -> tuple[list[str | int], str]:
    # Text and numbers take turns, so a number is never compared with a text.
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def _read_entry(folder: str | os.PathLike[str], name: str) -> Entry:
    where = f"secrets_dir {str(folder)!r}, file {name!r}"
    file = os.path.join(folder, name)
    try:
        is_pipe = stat.S_ISFIFO(os.stat(file).st_mode)
    except OSError as error:
        raise unreadable(where, error) from None
    if is_pipe:
        raise ConfigurationError(f"{where} is a pipe: reading it could wait for ever")
    text = read_small_file(file, where)
    return Entry(where, name, text.removesuffix("\n").removesuffix("\r"))


def _parse_line(where: str, line: str) -> Entry:
    try:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ConfigurationError("expected id:secret or id [dates]: secret")  # noqa: TRY301 - one message form
        key_id, dates, secret = match.groups()
        return Entry(where, key_id.strip(), secret.strip(), **_parse_dates(dates))
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None


def _parse_dates(dates: str | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for entry in (dates or "").split():
        name, _, text = entry.partition("=")
        if name not in _DATES or name in found:
            raise ConfigurationError(
                "between the brackets stand not_before=TIME, not_after=TIME or both, each once, "
                "with a space between them"
            )
        found[name] = _moment(name, text)
    if dates is not None and not found:
        raise ConfigurationError("the brackets are empty: leave them out, or write a date")
    return found


def _moment(name: str, text: str) -> float:
    # Ten digits are the years 2001 to 2286. Fewer are a date without its dashes, which
    # would be a day in 1970, and more are milliseconds: neither has an offset.
    if _UNIX_SECONDS.fullmatch(text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigurationError(
            f"{name} must be a time with its offset, such as 2026-12-01T00:00:00Z, or Unix "
            "seconds of ten digits"
        )
    return moment.timestamp()

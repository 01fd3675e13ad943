"""Changes to a secrets file: a key is added at its end, or all but the newest are dropped.

Comments, dates and the order of the lines stay. The file is replaced in one step, and what
is written was read as a key ring first, so no app ever meets half of it or a mistake.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError, explain
from edgeauth.keys import KeyRing
from edgeauth.ops.atomic_write import replace_file
from edgeauth.posix import demand
from edgeauth.text_files import is_entry, read_small_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEW_FILE_MODE = 0o600


class SecretsFile:
    """A secrets file that is locked against other changes of this kind while it is open.

    Attributes:
        keys: the keys in it.

    Raises:
        ConfigurationError: on opening: it cannot be read or locked, or is no secrets file.
    """

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._where = _where(path)
        self._text = text
        self.keys = KeyRing.from_text(text, self._where)

    @classmethod
    @contextlib.contextmanager
    def locked(cls, path: str | os.PathLike[str]) -> Iterator[SecretsFile]:
        """Open the file at *path*; nobody else does until the block ends."""
        target = Path(path)
        with _lock(target):
            yield cls(target, read_small_file(target, _where(target)))

    @staticmethod
    def create(path: str | os.PathLike[str], key_id: str, secret: str) -> None:
        """Make a file with one key, readable by its owner alone.

        Raises:
            ConfigurationError: it is there already, cannot be written, or the key is none.
        """
        line = f"{key_id}:{secret}\n"
        KeyRing.from_text(line, _where(path))
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _NEW_FILE_MODE))
            try:
                replace_file(path, line.encode())
            except OSError:
                Path(path).unlink()
                raise
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{_where(path)} cannot be made: {explain(error)}") from None

    def add(self, key_id: str, secret: str) -> None:
        """Write a key behind all others: it becomes the newest.

        Raises:
            ConfigurationError: the key is none, its id is taken, or the file cannot be
                written and is as it was.
        """
        gap = "" if self._text.endswith("\n") else "\n"
        self._write(f"{self._text}{gap}{key_id}:{secret}\n")

    def drop_old(self) -> None:
        """Remove all keys but the newest.

        Raises:
            ConfigurationError: the file cannot be written and is as it was.
        """
        lines = self._text.split("\n")
        newest = max(place for place, line in enumerate(lines) if is_entry(line))
        kept = [line for place, line in enumerate(lines) if place == newest or not is_entry(line)]
        self._write("\n".join(kept))

    def _write(self, text: str) -> None:
        keys = KeyRing.from_text(text, self._where)
        try:
            replace_file(self._path, text.encode())
        except OSError as error:
            raise ConfigurationError(
                f"{self._where} cannot be written and is as it was: {explain(error)}"
            ) from None
        self._text, self.keys = text, keys


def _where(path: str | os.PathLike[str]) -> str:
    return f"secrets_file {str(path)!r}"


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    demand("a change of the secrets file", "fcntl")
    import fcntl  # noqa: PLC0415 - not on Windows

    # The folder, since the file itself is replaced. The lock goes when the process ends,
    # however it ends.
    try:
        descriptor = os.open(path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{_where(path)} cannot be read: {explain(error)}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

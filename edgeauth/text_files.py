"""Small text files, read whole: of keys, of ids, of one secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError, explain

if TYPE_CHECKING:
    import os

_MAX_FILE_BYTES = 1 << 20


def read_bytes(path: str | os.PathLike[str], where: str, limit: int) -> bytes:
    """The first *limit* bytes of a file; *where* is what errors call it.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except (OSError, ValueError) as error:
        raise unreadable(where, error) from None


def read_small_file(path: str | os.PathLike[str], where: str) -> str:
    """The text of a file of keys, or of ids; *where* is what errors call it.

    Raises:
        ConfigurationError: unreadable, over 1 MiB, or not UTF-8.
    """
    raw = read_bytes(path, where, _MAX_FILE_BYTES + 1)
    if len(raw) > _MAX_FILE_BYTES:
        raise ConfigurationError(f"{where} is over {_MAX_FILE_BYTES} bytes")
    return decoded(raw, where)


def decoded(raw: bytes, where: str) -> str:
    """The text of a file with the bytes *raw*; a byte order mark is not part of it.

    Raises:
        ConfigurationError: not UTF-8.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{where} is not UTF-8 text") from None


def is_entry(line: str) -> bool:
    """Whether a line of such a file says something: it is neither blank nor a comment."""
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith("#")


def unreadable(where: str, error: Exception) -> ConfigurationError:
    """The error for a file or folder that the system does not let us read."""
    return ConfigurationError(f"{where} cannot be read: {explain(error)}")

"""Secrets as named, dated keys, with the HMAC pads hashed once per key."""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
import time
from datetime import datetime
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MIN_SECRET_BYTES = 16
MAX_SECRET_BYTES = 1024
# With a byte order mark and a Windows line end.
MAX_SECRET_FILE_BYTES = 3 + MAX_SECRET_BYTES + 2
_MAX_FILE_BYTES = 1 << 20

# Ids go to logs, metrics and response headers, so they are plain and short.
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# id:secret, or id [dates]: secret. No id has a bracket and the dates end before the secret
# begins, so whatever a secret holds, it cannot be taken for dates.
_LINE = re.compile(r"([^:\[]*)(?:\[([^]]*)\]\s*)?:(.*)")
_DATES = ("not_before", "not_after")
_UNIX_SECONDS = re.compile(r"[0-9]{10}")

_BLOCK = 64
_IPAD = bytes(byte ^ 0x36 for byte in range(256))
_OPAD = bytes(byte ^ 0x5C for byte in range(256))


class Key:
    """One secret, under a name that may be logged.

    Args:
        id: 1 to 64 letters, digits, dots, dashes or underscores.
        secret: 16 to 1024 bytes; a ``str`` stands for its UTF-8 bytes, as at the edge.
            White space at either end is refused: it is a stray newline far more often
            than a secret.
        not_before: Unix seconds from which the key verifies, or None.
        not_after: Unix seconds until which (inclusive) it verifies, or None.

    Raises:
        ConfigurationError: for any other argument. How random the secret is cannot be
            checked; ``edgeauth keygen`` makes a good one.
    """

    __slots__ = ("_inner", "_outer", "dated", "id", "not_after", "not_before", "secret")

    def __init__(
        self,
        id: str,  # noqa: A002 - the published name of the argument
        secret: str | bytes,
        not_before: float | None = None,
        not_after: float | None = None,
    ) -> None:
        if not isinstance(id, str) or not KEY_ID.fullmatch(id):
            raise ConfigurationError(
                "a key id must be 1 to 64 letters, digits, dots, dashes or underscores"
            )
        self.id = id
        self.secret = _secret_bytes(id, secret)
        self.not_before = -math.inf if not_before is None else not_before
        self.not_after = math.inf if not_after is None else not_after
        if not self.not_before <= self.not_after:
            raise ConfigurationError(
                f"key {id!r}: not_before {not_before} must not be later than not_after {not_after}"
            )
        self.dated = self.not_before > -math.inf or self.not_after < math.inf
        block = self.secret if len(self.secret) <= _BLOCK else hashlib.sha256(self.secret).digest()
        block = block.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(block.translate(_IPAD))
        self._outer = hashlib.sha256(block.translate(_OPAD))

    def __repr__(self) -> str:
        return f"<Key {self.id!r}>"

    def mac(self, message: bytes) -> bytes:
        """HMAC-SHA256 of *message* (RFC 2104), 32 bytes.

        Copies two prepared SHA-256 states instead of hashing the pads again, which is
        what makes a cold verification cheaper than one ``hmac.digest``.
        """
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def valid_at(self, now: float) -> bool:
        """Whether *now* (Unix seconds) lies between not_before and not_after, inclusive."""
        return self.not_before <= now <= self.not_after


class KeyRing:
    """Keys from oldest to newest, as in itsdangerous: all verify, the last one signs.

    Args:
        keys: :class:`Key` objects or bare secrets. A bare secret gets the id ``key-N``,
            N its place counted from 1.

    Raises:
        ConfigurationError: no key at all, an id used twice, a secret held twice, or a
            secret that :class:`Key` refuses.
    """

    __slots__ = ("_keys", "newest_first")

    def __init__(self, keys: Iterable[Key | str | bytes]) -> None:
        if isinstance(keys, (str, bytes, Key)):
            raise ConfigurationError("give a list of secrets, oldest to newest, not a single one")
        self._keys = tuple(
            key if isinstance(key, Key) else Key(f"key-{place}", key)
            for place, key in enumerate(keys, 1)
        )
        if not self._keys:
            raise ConfigurationError("no key: at least one secret is required")
        if len({key.id for key in self._keys}) < len(self._keys):
            raise ConfigurationError("two keys have the same id: give each key its own")
        if len({key.secret for key in self._keys}) < len(self._keys):
            raise ConfigurationError(
                "two keys hold the same secret: a rotation needs a new one (edgeauth keygen)"
            )
        # The newest key signs nearly every request, so trying it first saves an HMAC.
        self.newest_first = self._keys[::-1]

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> KeyRing:
        """Read a secrets file: one ``id:secret`` a line, oldest to newest.

        Blank lines and lines that begin with ``#`` are comments. White space around the
        id, and around the secret, is not part of them. A key may be dated, with either
        date or both, in ISO 8601 with an offset or in Unix seconds::

            2026-11 [not_after=2026-12-08T00:00:00Z]: the-secret
            2026-12 [not_before=2026-12-01T00:00:00+01:00 not_after=1798761600]: the-next-one

        Raises:
            ConfigurationError: unreadable, over 1 MiB, not UTF-8, or not of that form. The
                message has the line number and never the line. File permissions are not
                checked.
        """
        where = f"secrets_file {str(path)!r}"
        return parse_secrets(read_small_file(path, where), where)

    @classmethod
    def from_directory(cls, path: str | os.PathLike[str]) -> KeyRing:
        """Read a directory that holds each secret in a file of its own, named by its id.

        Oldest to newest is by name, with the numbers in a name compared as numbers:
        ``key-9`` is older than ``key-10``, ``2026-11`` older than ``2026-12``. Names that
        begin with a dot are left out, as where Kubernetes keeps what it mounts; any other
        entry must be a key. One newline at the end of a file is not part of the secret.

        Raises:
            ConfigurationError: unreadable, empty, or an entry is no key. The message has
                the name of the file and nothing of what is in it. File permissions are not
                checked.
        """
        return cls(_read_key(path, name) for name in key_names(path))

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<KeyRing {' '.join(key.id for key in self._keys)}>"

    def signing_key(self, now: float | None = None) -> Key:
        """The newest key that is valid at *now* (Unix seconds; None: the present).

        Raises:
            ConfigurationError: no key is valid then.
        """
        moment = time.time() if now is None else now
        for key in self.newest_first:
            if key.valid_at(moment):
                return key
        raise ConfigurationError("no key is valid now: look at not_before and not_after")


def _secret_bytes(key_id: str, secret: str | bytes) -> bytes:
    if not isinstance(secret, (str, bytes)):
        raise ConfigurationError(
            f"the secret of key {key_id!r} must be str or bytes, not {type(secret).__name__}"
        )
    try:
        raw = secret.encode() if isinstance(secret, str) else secret
    except UnicodeEncodeError:
        # Not chained: the original error carries the secret.
        raise ConfigurationError(f"the secret of key {key_id!r} is not valid text") from None
    if not MIN_SECRET_BYTES <= len(raw) <= MAX_SECRET_BYTES:
        raise ConfigurationError(
            f"the secret of key {key_id!r} has {len(raw)} bytes; it must have "
            f"{MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} (edgeauth keygen makes one)"
        )
    if raw.strip() != raw:
        raise ConfigurationError(
            f"the secret of key {key_id!r} begins or ends with white space, "
            "probably a stray newline: remove it here, and at the edge if it is there too"
        )
    return raw


def read_bare_secret(path: str | os.PathLike[str], name: str) -> str:
    """The secret in a file that holds one and nothing else; *name* is that of the setting.

    Raises:
        ConfigurationError: unreadable, or as :func:`bare_secret`.
    """
    where = f"{name} {str(path)!r}"
    return bare_secret(read_bytes(path, where, MAX_SECRET_FILE_BYTES + 1), where)


def bare_secret(raw: bytes, where: str) -> str:
    """The secret in the bytes of a file that holds one and nothing else.

    A byte order mark, and one line end after the secret, are not part of it. *where* is
    what errors call the file.

    Raises:
        ConfigurationError: empty, too long, not UTF-8, or several lines.
    """
    if len(raw) > MAX_SECRET_FILE_BYTES:
        raise ConfigurationError(f"{where} is longer than a secret, {MAX_SECRET_BYTES} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{where} is not UTF-8 text") from None
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise ConfigurationError(f"{where} is empty; edgeauth keygen makes a secret")
    if "\n" in secret:
        raise ConfigurationError(f"{where} has several lines: write one secret")
    return secret


def parse_secrets(text: str, where: str) -> KeyRing:
    """The keys of a secrets file with *text*; *where* is what errors call it.

    Raises:
        ConfigurationError: as :meth:`KeyRing.from_file`.
    """
    return KeyRing(
        _parse_line(f"{where}, line {number}", line)
        for number, line in enumerate(text.split("\n"), 1)
        if is_entry(line)
    )


def read_bytes(path: str | os.PathLike[str], where: str, limit: int) -> bytes:
    """The first *limit* bytes of a file; *where* is what errors call it.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except (OSError, ValueError) as error:
        raise _unreadable(where, error) from None


def read_small_file(path: str | os.PathLike[str], where: str) -> str:
    """The text of a file of keys, or of ids; *where* is what errors call it.

    Raises:
        ConfigurationError: unreadable, over 1 MiB, or not UTF-8.
    """
    raw = read_bytes(path, where, _MAX_FILE_BYTES + 1)
    if len(raw) > _MAX_FILE_BYTES:
        raise ConfigurationError(f"{where} is over {_MAX_FILE_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{where} is not UTF-8 text") from None


def is_entry(line: str) -> bool:
    """Whether a line of such a file says something: it is neither blank nor a comment."""
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith("#")


def key_names(path: str | os.PathLike[str]) -> list[str]:
    """The names in a directory of secrets that are meant as keys, oldest to newest.

    Raises:
        ConfigurationError: the directory cannot be read.
    """
    try:
        entries = os.listdir(path)
    except (OSError, ValueError) as error:
        raise _unreadable(f"secrets_dir {str(path)!r}", error) from None
    return sorted((name for name in entries if not name.startswith(".")), key=_by_number)


def _by_number(name: str) -> tuple[list[str | int], str]:
    # Text and numbers take turns, so a number is never compared with a text.
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def _read_key(folder: str | os.PathLike[str], name: str) -> Key:
    where = f"secrets_dir {str(folder)!r}, file {name!r}"
    file = os.path.join(folder, name)
    try:
        is_pipe = stat.S_ISFIFO(os.stat(file).st_mode)
    except OSError as error:
        raise _unreadable(where, error) from None
    if is_pipe:
        raise ConfigurationError(f"{where} is a pipe: reading it could wait for ever")
    text = read_small_file(file, where)
    try:
        return Key(name, text.removesuffix("\n").removesuffix("\r"))
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None


def _unreadable(where: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"{where} cannot be read: {explain(error)}")


def _parse_line(where: str, line: str) -> Key:
    try:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ConfigurationError("expected id:secret or id [dates]: secret")  # noqa: TRY301 - one message form
        key_id, dates, secret = match.groups()
        return Key(key_id.strip(), secret.strip(), **_parse_dates(dates))
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

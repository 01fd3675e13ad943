"""Secrets as named, dated keys, with the HMAC pads hashed once per key."""

from __future__ import annotations

import hashlib
import math
import re
import time
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError
from edgeauth.key_files import parse, read_directory, read_file
from edgeauth.text_files import decoded

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from edgeauth.key_files import Entry

MIN_SECRET_BYTES = 16
MAX_SECRET_BYTES = 1024
# With a byte order mark and a Windows line end.
MAX_SECRET_FILE_BYTES = 3 + MAX_SECRET_BYTES + 2

# Ids go to logs, metrics and response headers, so they are plain and short.
KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

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
        self.id = checked_id(id)
        self.secret = _secret_bytes(id, secret)
        self.not_before, self.not_after = checked_dates(id, not_before, not_after)
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
        return cls(map(_key, read_file(path)))

    @classmethod
    def from_text(cls, text: str, where: str) -> KeyRing:
        """Read the *text* of a secrets file; *where* is what errors call it.

        Raises:
            ConfigurationError: as :meth:`from_file`.
        """
        return cls(map(_key, parse(text, where)))

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
        return cls(map(_key, read_directory(path)))

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


def checked_id(key_id: str) -> str:
    """*key_id*, if a key can have it.

    Raises:
        ConfigurationError: it cannot.
    """
    if not isinstance(key_id, str) or not KEY_ID.fullmatch(key_id):
        raise ConfigurationError(
            "a key id must be 1 to 64 letters, digits, dots, dashes or underscores"
        )
    return key_id


def checked_dates(
    key_id: str, not_before: float | None, not_after: float | None
) -> tuple[float, float]:
    """From when until when a key verifies, in Unix seconds; None is no end.

    Raises:
        ConfigurationError: it ends before it begins.
    """
    begins = -math.inf if not_before is None else not_before
    ends = math.inf if not_after is None else not_after
    if not begins <= ends:
        raise ConfigurationError(
            f"key {key_id!r}: not_before {not_before} must not be later than not_after {not_after}"
        )
    return begins, ends


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


def bare_secret(raw: bytes, where: str) -> str:
    """The secret in the bytes of a file that holds one and nothing else.

    A byte order mark, and one line end after the secret, are not part of it. *where* is
    what errors call the file.

    Raises:
        ConfigurationError: empty, too long, not UTF-8, or several lines.
    """
    if len(raw) > MAX_SECRET_FILE_BYTES:
        raise ConfigurationError(f"{where} is longer than a secret, {MAX_SECRET_BYTES} bytes")
    text = decoded(raw, where)
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise ConfigurationError(f"{where} is empty; edgeauth keygen makes a secret")
    if "\n" in secret:
        raise ConfigurationError(f"{where} has several lines: write one secret")
    return secret


def _key(entry: Entry) -> Key:
    try:
        return Key(entry.id, entry.secret, entry.not_before, entry.not_after)
    except ConfigurationError as error:
        raise ConfigurationError(f"{entry.where}: {error}") from None

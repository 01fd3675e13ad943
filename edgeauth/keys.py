"""Secrets as named, dated keys, with the HMAC pads hashed once per key; and rings of keys."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError
from edgeauth.key_files import parse, read_directory, read_file
from edgeauth.named_key import NamedKey
from edgeauth.public_keys import PublicKey, is_public
from edgeauth.text_files import decoded

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from edgeauth.key_files import Entry

MIN_SECRET_BYTES = 16
MAX_SECRET_BYTES = 1024
# With a byte order mark and a Windows line end.
MAX_SECRET_FILE_BYTES = 3 + MAX_SECRET_BYTES + 2

_BLOCK = 64
_IPAD = bytes(byte ^ 0x36 for byte in range(256))
_OPAD = bytes(byte ^ 0x5C for byte in range(256))


class Key(NamedKey):
    """One secret, under a name that may be logged.

    Args:
        id: 1 to 64 letters, digits, dots, dashes or underscores.
        secret: 16 to 1024 bytes; a ``str`` stands for its UTF-8 bytes, as at the edge.
            White space at either end of a ``str`` is refused: it is a stray newline far more
            often than a secret.
        not_before: Unix seconds from which the key verifies, or None.
        not_after: Unix seconds until which (inclusive) it verifies, or None.
        min_bytes: the fewest that the secret may have. Published examples have fewer than 16;
            what comes from settings never may.

    Raises:
        ConfigurationError: for any other argument. How random the secret is cannot be
            checked; ``edgeauth keygen`` makes a good one.
    """

    __slots__ = ("_inner", "_outer", "secret")

    def __init__(
        self,
        id: str,  # noqa: A002 - the published name of the argument
        secret: str | bytes,
        not_before: float | None = None,
        not_after: float | None = None,
        *,
        min_bytes: int = MIN_SECRET_BYTES,
    ) -> None:
        super().__init__(id, not_before, not_after)
        self.secret = _secret_bytes(id, secret, min_bytes)
        block = self.secret if len(self.secret) <= _BLOCK else hashlib.sha256(self.secret).digest()
        block = block.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(block.translate(_IPAD))
        self._outer = hashlib.sha256(block.translate(_OPAD))

    def __repr__(self) -> str:
        return f"<Key {self.id!r}>"

    @property
    def material(self) -> bytes:
        """The secret."""
        return self.secret

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


class KeyRing:
    """Keys from oldest to newest, as in itsdangerous: all verify, the last one signs.

    Args:
        keys: :class:`Key` and :class:`PublicKey` objects, or bare secrets. A bare secret gets
            the id ``key-N``, N its place counted from 1.

    Attributes:
        newest_first: the keys that hold a secret, from newest to oldest.

    Raises:
        ConfigurationError: no key at all, an id used twice, a secret or public key held twice,
            or a secret that :class:`Key` refuses.
    """

    __slots__ = ("_keys", "newest_first")

    def __init__(self, keys: Iterable[Key | PublicKey | str | bytes]) -> None:
        if isinstance(keys, (str, bytes, NamedKey)):
            raise ConfigurationError("give a list of keys, oldest to newest, not a single one")
        self._keys = tuple(
            key if isinstance(key, (Key, PublicKey)) else Key(f"key-{place}", key)
            for place, key in enumerate(keys, 1)
        )
        if not self._keys:
            raise ConfigurationError("no key: at least one secret is required")
        if len({key.id for key in self._keys}) < len(self._keys):
            raise ConfigurationError("two keys have the same id: give each key its own")
        if len({key.material for key in self._keys}) < len(self._keys):
            raise ConfigurationError(
                "two keys hold the same secret or public key: a rotation needs a new one "
                "(edgeauth keygen)"
            )
        # The newest key signs nearly every request, so trying it first saves an HMAC.
        self.newest_first = tuple(key for key in self._keys[::-1] if isinstance(key, Key))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> KeyRing:
        """Read a secrets file: one ``id:secret`` a line, oldest to newest.

        Blank lines and lines that begin with ``#`` are comments. White space around the
        id, and around the secret, is not part of them. A key may be dated, with either
        date or both, in ISO 8601 with an offset or in Unix seconds::

            2026-11 [not_after=2026-12-08T00:00:00Z]: the-secret
            2026-12 [not_before=2026-12-01T00:00:00+01:00 not_after=1798761600]: the-next-one

        What stands in the place of a secret may be a public key, as
        :meth:`PublicKey.from_text` reads it::

            2027-01: ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=

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
        entry must be a key. One newline at the end of a file is not part of the secret. A file
        may also hold a public key, in PEM too.

        Raises:
            ConfigurationError: unreadable, empty, or an entry is no key. The message has
                the name of the file and nothing of what is in it. File permissions are not
                checked.
        """
        return cls(map(_key, read_directory(path)))

    def __iter__(self) -> Iterator[Key | PublicKey]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<KeyRing {' '.join(key.id for key in self._keys)}>"

    def signing_key(self, now: float | None = None) -> Key:
        """The newest secret that is valid at *now* (Unix seconds; None: the present).

        Raises:
            ConfigurationError: none is valid then, or there are public keys alone.
        """
        moment = time.time() if now is None else now
        if not self.newest_first:
            raise ConfigurationError(
                f"the keys here are public ones ({', '.join(key.id for key in self)}), which sign "
                "nothing: give the private key that belongs to one of them"
            )
        for key in self.newest_first:
            if key.valid_at(moment):
                return key
        raise ConfigurationError("no key is valid now: look at not_before and not_after")


def key_of(
    key_id: str, text: str, not_before: float | None = None, not_after: float | None = None
) -> Key | PublicKey:
    """The key that *text* of a file or a setting stands for: a public one, if it is written so.

    A public key is known to everybody, so its text must never become a secret.

    Raises:
        ConfigurationError: as :class:`Key`, and :meth:`PublicKey.from_text`.
    """
    if is_public(text):
        return PublicKey.from_text(key_id, text, not_before, not_after)
    return Key(key_id, text, not_before, not_after)


def secrets_alone(keys: KeyRing | Iterable[Any], kind: str) -> KeyRing:
    """A ring of *keys*, for a scheme that has no use for a public one.

    Args:
        keys: a ring, or keys and secrets.
        kind: that of the scheme.

    Raises:
        ConfigurationError: one of them is public; or as :class:`KeyRing`.
    """
    ring = keys if isinstance(keys, KeyRing) else KeyRing(keys)
    for key in ring:
        if not isinstance(key, Key):
            raise ConfigurationError(
                f"key {key.id!r} is a public key, and the scheme {kind!r} compares with a secret: "
                "give it one that the edge has too (edgeauth keygen)"
            )
    return ring


def _secret_bytes(key_id: str, secret: str | bytes, least: int) -> bytes:
    if not isinstance(secret, (str, bytes)):
        raise ConfigurationError(
            f"the secret of key {key_id!r} must be str or bytes, not {type(secret).__name__}"
        )
    try:
        raw = secret.encode() if isinstance(secret, str) else secret
    except UnicodeEncodeError:
        # Not chained: the original error carries the secret.
        raise ConfigurationError(f"the secret of key {key_id!r} is not valid text") from None
    if is_public(raw.decode("latin-1")):
        raise ConfigurationError(
            f"the secret of key {key_id!r} is a key of a pair, and others may have it: "
            "PublicKey.from_text reads it"
        )
    least = max(1, least)
    if not least <= len(raw) <= MAX_SECRET_BYTES:
        raise ConfigurationError(
            f"the secret of key {key_id!r} has {len(raw)} bytes; it must have "
            f"{least} to {MAX_SECRET_BYTES} (edgeauth keygen makes one)"
        )
    # Bytes are nobody's line of text: they may end with any.
    if isinstance(secret, str) and raw.strip() != raw:
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


def _key(entry: Entry) -> Key | PublicKey:
    try:
        return key_of(entry.id, entry.secret, entry.not_before, entry.not_after)
    except ConfigurationError as error:
        raise ConfigurationError(f"{entry.where}: {error}") from None

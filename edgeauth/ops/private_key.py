"""Private keys in files, for what signs as an edge does. An origin has none of these."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError, explain
from edgeauth.private_keys import PrivateKey
from edgeauth.public_keys import PublicKey, cryptography_for
from edgeauth.text_files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.settings import Settings

_MOST = 64 * 1024
_OWNER_ALONE = 0o600
_UNNAMED = "private"


def read_private_key(path: str, settings: Settings, key_id: str | None) -> PrivateKey:
    """The private key in a file of PEM, under the id of the public key that goes with it.

    Args:
        path: the file.
        settings: where that public key is looked for.
        key_id: its id, if it is known.

    Raises:
        ConfigurationError: the file cannot be read or holds no private key; or no id is given,
            and the settings have no key that goes with it.
    """
    pem = read_bytes(path, f"--key-file {path!r}", _MOST)
    try:
        key = PrivateKey(_UNNAMED if key_id is None else key_id, pem)
        der = key.public.der
    except ConfigurationError as error:
        raise ConfigurationError(f"--key-file {path!r}: {error}") from None
    for known in _public_keys(settings):
        if known.der == der and key_id in (None, known.id):
            return PrivateKey(known.id, pem, known.algorithm)
    if key_id is None:
        raise ConfigurationError(
            f"the settings have no public key that goes with {path!r}: give --key-id, the id that "
            "it has at the origin"
        )
    return key


def _public_keys(settings: Settings) -> Iterator[PublicKey]:
    for one in settings.schemes:
        if one.has_secret:
            # As the scheme has them: it may have read some from a file that an option names, or
            # know better what an RSA key is for.
            keys = one.read_keys() if one.needs_keys else None
            found = getattr(one.build_scheme(keys), "keys", keys)
            yield from (key for key in found or () if isinstance(key, PublicKey))


def new_pair(key_id: str) -> tuple[bytes, PublicKey]:
    """A new pair of Ed25519 keys: the private one in PEM, and the public one.

    Raises:
        ConfigurationError: the id is none, or ``cryptography`` is not installed.
    """
    cryptography_for(key_id)
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem, PrivateKey(key_id, pem).public


def write_private_key(path: str, pem: bytes) -> None:
    """Make the file *path*, readable by its owner alone.

    Raises:
        ConfigurationError: it is there already, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ALONE)
    except FileExistsError:
        raise ConfigurationError(f"{path!r} is there already: a key is never replaced") from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path!r} cannot be made: {explain(error)}") from None
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - pathlib is slow to import
        raise ConfigurationError(f"{path!r} cannot be written: {explain(error)}") from None

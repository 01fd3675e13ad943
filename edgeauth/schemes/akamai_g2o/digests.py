"""The five ways to sign, by the version that stands first in the data header."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable  # noqa: TC003 - so that annotations can be read
from typing import Protocol

from edgeauth.errors import ConfigurationError


class HasSecret(Protocol):
    """What signs: an :class:`edgeauth.Key`, or what stands for one that went wrong."""

    secret: bytes

    def mac(self, message: bytes) -> bytes:
        """HMAC-SHA256 of *message*."""


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data).digest()  # noqa: S324 - what the edge does, if it is told to


def _version_1(key: HasSecret, message: bytes) -> bytes:
    return _md5(key.secret + message)


def _version_2(key: HasSecret, message: bytes) -> bytes:
    return _md5(key.secret + _md5(key.secret + message))


def _version_3(key: HasSecret, message: bytes) -> bytes:
    return hmac.digest(key.secret, message, "md5")


def _version_4(key: HasSecret, message: bytes) -> bytes:
    return hmac.digest(key.secret, message, "sha1")


def _version_5(key: HasSecret, message: bytes) -> bytes:
    return key.mac(message)


#: What a key makes of the data header and the sign string, which nothing separates: MD5, MD5 of
#: MD5, HMAC-MD5, HMAC-SHA1, HMAC-SHA256.
DIGESTS: dict[int, Callable[[HasSecret, bytes], bytes]] = {
    1: _version_1,
    2: _version_2,
    3: _version_3,
    4: _version_4,
    5: _version_5,
}


def refuse_absent(version: int, key: HasSecret) -> None:
    """Refuse a *version* whose hash this Python does not have.

    Raises:
        ConfigurationError: as where only approved hashes may be used.
    """
    try:
        DIGESTS[version](key, key.secret)
    except ValueError:
        raise ConfigurationError(
            f"versions has {version}, and this Python has not the hash for it (FIPS?): let the "
            "edge sign with version 5"
        ) from None

"""Makes tokens as an issuer does, for clients, tests and tools."""

from __future__ import annotations

import json
from binascii import b2a_base64
from collections.abc import Mapping  # noqa: TC003 - so that annotations can be read
from typing import TYPE_CHECKING, Any

from edgeauth.keys import Key

if TYPE_CHECKING:
    from edgeauth.private_keys import PrivateKey

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def token(key: Key | PrivateKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """The token with *header* and *claims*, signed with *key* by the algorithm that it is of."""
    written = (json.dumps(one, separators=(",", ":")) for one in (header, claims))
    signed = b".".join(part(text.encode()) for text in written)
    signature = key.mac(signed) if isinstance(key, Key) else key.sign(signed)
    return (signed + b"." + part(signature)).decode()


def part(raw: bytes) -> bytes:
    """*raw* in base64url, without padding."""
    return b2a_base64(raw, newline=False).rstrip(b"=").translate(_URL_SAFE)

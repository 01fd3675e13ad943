"""Makes a header value, as the edge does."""

from __future__ import annotations

import time
from binascii import b2a_base64
from typing import Literal

from edgeauth.errors import ConfigurationError
from edgeauth.keys import Key
from edgeauth.schemes.edge_auth.grammar import MAX_TIMESTAMP, pop_code


def sign(
    secret: str | bytes | Key,
    *,
    pop: str | None,
    timestamp: int | None = None,
    encoding: Literal["hex", "base64"] = "hex",
) -> str:
    """Make a header value, as the edge does.

    The bytes are those of one of the edge's senders: ``hex`` with a POP is VCL's form
    (``0x`` before the digits), ``hex`` without one is Compute JavaScript's (bare digits),
    ``base64`` is Compute Rust's (a space, which is not signed, before the signature).

    Args:
        secret: the shared secret, or a :class:`Key`.
        pop: 1 to 16 letters, digits or dashes; None makes the two-field form.
        timestamp: Unix seconds, 1 to 999999999999; None is the present.
        encoding: ``hex`` or ``base64``.

    Raises:
        ConfigurationError: an argument cannot be used.
    """
    key = secret if isinstance(secret, Key) else Key("key-1", secret)
    moment = int(time.time()) if timestamp is None else timestamp
    if isinstance(moment, bool) or not isinstance(moment, int) or not 0 < moment <= MAX_TIMESTAMP:
        raise ConfigurationError(
            f"timestamp {moment!r} must be whole Unix seconds from 1 to {MAX_TIMESTAMP}"
        )
    fields = str(moment) if pop is None else f"{moment},{pop_code(pop)}"
    mac = key.mac(fields.encode())
    if encoding == "base64":
        return f"{fields}, {b2a_base64(mac, newline=False).decode()}"
    if encoding == "hex":
        return f"{fields},{mac.hex()}" if pop is None else f"{fields},0x{mac.hex()}"
    raise ConfigurationError(f"encoding {encoding!r} must be 'hex' or 'base64'")

"""What replay stores share."""

from __future__ import annotations

import hashlib

from edgeauth.admission import ReplayStoreError

_LONGEST_KEY = 64


def bounded(key: bytes) -> bytes:
    """*key*, or what stands for it, in at most 65 bytes."""
    if len(key) <= _LONGEST_KEY:
        return key
    # One byte longer than a key that stands for itself, so it cannot be mistaken for one.
    return bytes(_LONGEST_KEY + 1 - 32) + hashlib.sha256(key).digest()


def refuse_older(began: float, until: float, since: float | None, longest: float) -> None:
    """Refuse a credential that may have been admitted before the memory *began*.

    Raises:
        ReplayStoreError: it may have been.
    """
    if began > (until - longest if since is None else since):
        raise ReplayStoreError(
            "the store lost what it remembered, and this credential is older than that: "
            "it may have been admitted before"
        )

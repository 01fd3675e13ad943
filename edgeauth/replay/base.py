"""What replay stores share."""

from __future__ import annotations

import hashlib

from edgeauth.admission import ReplayStoreError

_LONGEST_KEY = 64

#: Seconds within which the same question has the same answer.
ALIKE_SECONDS = 1.0


def bounded(key: bytes) -> bytes:
    """*key*, or what stands for it, in at most 65 bytes."""
    if len(key) <= _LONGEST_KEY:
        return key
    # One byte longer than a key that stands for itself, so it cannot be mistaken for one.
    return bytes(_LONGEST_KEY + 1 - 32) + hashlib.sha256(key).digest()


def digest_of(by: bytes) -> bytes:
    """What is kept of the name of a question; empty for one without a name."""
    return hashlib.sha256(by).digest() if by else b""


def is_alike(digest: bytes, at: float, by: bytes, now: float) -> bool:
    """Whether what was admitted *at* with that *digest* is the question *by*, asked again."""
    return bool(by) and digest == digest_of(by) and abs(now - at) <= ALIKE_SECONDS


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

"""What a replay store promises, and how it says that it cannot keep it."""

from __future__ import annotations

import hashlib
from typing import Protocol

from edgeauth.errors import EdgeAuthError

_LONGEST_KEY = 64


class ReplayStoreError(EdgeAuthError):
    """A replay store cannot tell whether it has seen a key, so the key is not admitted.

    The message says what is wrong and what to do. It holds no key and no password.
    """


class ReplayStore(Protocol):
    """Remembers what was admitted until its time is over. Safe to share between threads.

    Attributes:
        waits: whether ``remember`` may block the thread, and ``aremember`` give way to others
            meanwhile. Where it is False, both answer at once.
    """

    waits: bool

    def remember(self, key: bytes, until: float, *, now: float, since: float | None = None) -> bool:
        """Whether *key* was not seen before; from now on it was.

        Whatever fails, of all that ask one store with one key at most one gets True.

        Args:
            key: what is admitted once. Of any length; long ones are hashed.
            until: Unix seconds up to which the credential can be used, that second included.
            now: the present, in Unix seconds.
            since: Unix seconds before which nobody can have been admitted with this credential:
                when it was signed, less what clocks may differ by. A store that lost its memory
                refuses what is older than the loss, and by this it knows what is. None: the store
                goes by the longest life that it has seen a credential have.

        Returns:
            True: not seen before. False: seen, or so old that the store may have forgotten it.

        Raises:
            ReplayStoreError: the store cannot tell. Whether it remembers *key* is not known.
            ValueError, OverflowError: *until* is not a finite number.
        """

    async def aremember(
        self, key: bytes, until: float, *, now: float, since: float | None = None
    ) -> bool:
        """As :meth:`remember`; other tasks run while it waits."""

    def close(self) -> None:
        """Close files and connections. The next call opens them again."""


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

"""Asks a replay store when a credential was admitted, and changes nothing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeauth.replay import open_store

if TYPE_CHECKING:
    from collections.abc import Callable


def looked_up(setting: str | None) -> Callable[[bytes], float | None]:
    """What tells of a key when it was admitted (Unix seconds); None if it was not.

    Of no store, and of one in the memory of another process, nothing is known.

    Args:
        setting: as the setting ``replay``.

    Raises:
        ConfigurationError: it names no store.
        ReplayStoreError: when the function is called: the store cannot tell.
    """
    store: Any = None if setting is None else open_store(setting)
    asked: Callable[[bytes], float | None] | None = getattr(store, "seen_at", None)
    return (lambda _key: None) if asked is None else asked

"""Replay stores: what was admitted once is not admitted again.

:func:`open_store` makes the one that is named, :func:`store_of` one for the whole process.
Importing this imports neither SQLite nor Redis.
It may import the proof and ``posix``. Everybody above the proof may import it.
"""

from __future__ import annotations

import threading
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from edgeauth.admission import ReplayStore, ReplayStoreError
from edgeauth.errors import ConfigurationError
from edgeauth.replay.memory import MemoryReplayStore

__all__ = [
    "MemoryReplayStore",
    "ReplayStore",
    "ReplayStoreError",
    "open_store",
    "store_of",
    "without_password",
]

_SERVERS = frozenset({"redis", "rediss", "unix"})
_FORMS = "'memory', 'sqlite:/path/to/file', 'redis://host', 'rediss://host' or 'unix:///path'"


# A store goes with the last guard that asks it.
_stores: WeakValueDictionary[str, ReplayStore] = WeakValueDictionary()
_lock = threading.Lock()


def store_of(setting: str) -> ReplayStore:
    """The store of this process that *setting* names.

    All guards with one setting share it, and a guard that takes the place of another keeps it:
    what one of them admitted, none admits again.

    Raises:
        ConfigurationError: as :func:`open_store`.
    """
    with _lock:
        store = _stores.get(setting)
        if store is None:
            store = _stores[setting] = open_store(setting)
        return store


def without_password(setting: str) -> str:
    """What people may see of a *setting*: which store and where, and no password."""
    kind = setting.partition(":")[0]
    if kind not in _SERVERS:
        # Of what is no store, nothing is known.
        return setting if setting == "memory" or kind == "sqlite" else "..."
    try:
        parts = urlsplit(setting)
        path, port = parts.path if kind == "unix" else "", parts.port
    except ValueError:
        return f"{kind}://..."
    # A password with a character that has to be written otherwise ends too early.
    if "@" in parts.path + parts.query + parts.fragment:
        return f"{kind}://..."
    where = "" if kind == "unix" else f"{parts.hostname or 'localhost'}:{port or 6379}"
    return f"{kind}://{where}{path}"


def open_store(setting: str) -> ReplayStore:
    """The store that *setting* names. No file and no connection is opened until it is asked.

    Args:
        setting: ``memory``; ``sqlite:`` and an absolute path; a URL of Redis or Valkey:
            ``redis://``, ``rediss://`` (TLS) or ``unix://`` and the path of its socket.

    Raises:
        ConfigurationError: it names no store, or one that is not installed. The message holds
            nothing of a URL, which may have a password.
    """
    if setting == "memory":
        return MemoryReplayStore()
    scheme, _, rest = setting.partition(":")
    if scheme == "sqlite":
        from edgeauth.replay.sqlite import (  # noqa: PLC0415 - only where used
            SQLiteReplayStore,
            demand_locks,
        )

        demand_locks()  # before a path of such a system is found wrong
        # As other programs write it: sqlite:///path.
        path = rest.removeprefix("//")
        if not path.startswith("/") or path.endswith("/"):
            raise ConfigurationError(
                f"replay: {setting!r} must name a file with its whole path: sqlite:/path/to/file"
            )
        return SQLiteReplayStore(path)
    if scheme in _SERVERS:
        try:
            from edgeauth.replay.redis import RedisReplayStore  # noqa: PLC0415 - only where used
        except ModuleNotFoundError as error:
            if error.name != "redis":
                raise
            raise ConfigurationError(
                f"replay: {scheme}:// needs the redis package: pip install 'edgeauth[redis]'"
            ) from None
        return RedisReplayStore(setting)
    # Only the scheme: what follows may be a password.
    raise ConfigurationError(f"replay: {scheme!r} is no replay store; write {_FORMS}")

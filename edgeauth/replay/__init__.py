"""Replay stores: what was admitted once is not admitted again.

:func:`open_store` makes the one that is named. Importing this imports neither SQLite nor Redis.
It may import the proof. Everybody above the proof may import it.
"""

from __future__ import annotations

from edgeauth.admission import ReplayStore, ReplayStoreError
from edgeauth.errors import ConfigurationError
from edgeauth.replay.memory import MemoryReplayStore

__all__ = ["MemoryReplayStore", "ReplayStore", "ReplayStoreError", "open_store"]

_FORMS = "'memory', 'sqlite:/path/to/file', 'redis://host', 'rediss://host' or 'unix:///path'"


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
        from edgeauth.replay.sqlite import SQLiteReplayStore  # noqa: PLC0415 - only where used

        # As other programs write it: sqlite:///path.
        path = rest.removeprefix("//")
        if not path.startswith("/") or path.endswith("/"):
            raise ConfigurationError(
                f"replay: {setting!r} must name a file with its whole path: sqlite:/path/to/file"
            )
        return SQLiteReplayStore(path)
    if scheme in {"redis", "rediss", "unix"}:
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

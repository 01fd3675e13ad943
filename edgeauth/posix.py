"""What Linux and macOS have and Windows has not; what cannot do without says so in one sentence."""

from __future__ import annotations

import os
from importlib import import_module

from edgeauth.errors import ConfigurationError


def demand(what: str, *needed: str) -> None:
    """Refuse *what* where this system lacks something that it needs.

    Args:
        what: the setting or the command, as users call it.
        needed: modules, such as ``fcntl``, and functions of ``os``, such as ``os.fork``.

    Raises:
        ConfigurationError: one of *needed* is not here.
    """
    missing = [name for name in needed if not _is_here(name)]
    if missing:
        raise ConfigurationError(
            f"{what} needs Linux or macOS: there is no {' and no '.join(missing)} on this system"
        )


def _is_here(name: str) -> bool:
    if name.startswith("os."):
        return hasattr(os, name.removeprefix("os."))
    try:
        import_module(name)
    except ImportError:
        return False
    return True

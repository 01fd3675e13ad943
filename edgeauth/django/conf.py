"""The settings and the guard of a Django project."""

from __future__ import annotations

import threading
from weakref import WeakValueDictionary

from django.conf import settings

from edgeauth.guard import Guard
from edgeauth.settings import Settings

# A guard goes with the last gate that uses it.
_guards: WeakValueDictionary[Settings, Guard] = WeakValueDictionary()
_lock = threading.Lock()


def project_settings() -> Settings:
    """The mapping ``settings.EDGEAUTH``, if there is one, and the environment, which wins.

    The TOML file that ``EDGEAUTH_CONFIG`` names in the environment wins too.

    Raises:
        ConfigurationError: an unknown name, a value of the wrong kind, or a file that cannot
            be read.
    """
    mapping = getattr(settings, "EDGEAUTH", None)
    return Settings.load(beneath=mapping)


def project_guard() -> Guard:
    """The guard of :func:`project_settings`: one for all gates of this process.

    So the middleware accepts the verdict of a gate around the application as its own, and files
    are watched, and refusals counted, only once.

    Raises:
        ConfigurationError: the settings do not make a guard.
    """
    found = project_settings()
    with _lock:
        guard = _guards.get(found)
        if guard is None:
            guard = _guards[found] = Guard.from_settings(found)
        return guard

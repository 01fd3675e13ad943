"""Tries settings as an app does that starts, and leaves nothing behind.

Every check of settings uses this, so that none accepts what the app would refuse, or refuses
what the app would accept.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
from typing import TYPE_CHECKING

from edgeauth._record.logger import logger
from edgeauth.guard import Guard

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from edgeauth.settings import Settings


def dry_run(settings: Settings, *, secret_may_follow: bool = False) -> Guard:
    """Build the guard of *settings* as an app does that starts, without a log line.

    A guard logs for an app that runs. Its file of decisions is created by the first decision,
    and there is none here.

    Args:
        settings: the settings to try.
        secret_may_follow: accept settings without a secret. Images are built, and static files
            collected, where there is no secret on purpose.

    Raises:
        ConfigurationError: the app would not start.
    """
    if secret_may_follow and not settings.has_secret:
        made_up = (
            scheme if scheme.has_secret else dataclasses.replace(scheme, secret=secrets.token_hex())
            for scheme in settings.schemes
        )
        settings = dataclasses.replace(settings, schemes=tuple(made_up))
    with _silence():
        return Guard.from_settings(settings)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    silenced = logger.logger
    silenced.addFilter(_nothing)
    try:
        yield
    finally:
        silenced.removeFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False

"""Starting, to see whether it works, with nothing left behind.

Every check of settings asks here, so that none says yes to what the app would refuse, or no to
what it would take.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import secrets
from typing import TYPE_CHECKING

from edgeauth.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.settings import Settings


def rehearse(settings: Settings, *, secret_may_follow: bool = False) -> Guard:
    """Build the guard of *settings* as an app does that starts, and be silent about it.

    What a guard logs is about an app that runs; its file of decisions is made by the first
    decision, and there is none here.

    Args:
        settings: to be tried.
        secret_may_follow: whether they may be without a secret. Images are built, and static
            files collected, where secrets are kept out on purpose.

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
    logger = logging.getLogger("edgeauth")
    logger.addFilter(_nothing)
    try:
        yield
    finally:
        logger.removeFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False

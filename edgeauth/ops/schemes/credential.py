"""What the edge sends, made by the scheme that accepts it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from edgeauth.errors import ConfigurationError
from edgeauth.schemes.base import CannotSign, Outgoing

# Makes the header fields for a request (None where it is not known) at a time (Unix seconds).
Credential = Callable[[Outgoing | None, float], list[tuple[str, str]]]


def can_sign(scheme: object) -> bool:
    """Whether *scheme* can make what it accepts."""
    return callable(getattr(scheme, "credential", None))


def credential(scheme: Any, **how: Any) -> Credential:  # noqa: ANN401 - of any kind
    """What makes the credential of *scheme*.

    Args:
        scheme: of the settings.
        how: as ``credential`` of the scheme takes it, such as ``pop``.

    Raises:
        ConfigurationError: the scheme cannot sign; or when it is called, that it cannot now.
    """
    if not can_sign(scheme):
        raise ConfigurationError(
            f"the scheme {scheme.kind} only verifies: its class has no credential()"
        )

    def fields(request: Outgoing | None, now: float) -> list[tuple[str, str]]:
        return list(scheme.credential(now=now, request=request, **how).items())

    return fields


def refuse_unusable(credentials: Iterable[Credential], now: float) -> None:
    """Make each of *credentials* once, to find at start what cannot be signed.

    Raises:
        ConfigurationError: one cannot be made.
    """
    for make in credentials:
        # Of a request that lacks a field which must be signed, another may have it.
        with contextlib.suppress(CannotSign):
            make(Outgoing("GET", "localhost", "/", (), b""), now)

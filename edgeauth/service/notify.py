"""Tells systemd how the service is: the protocol of sd_notify(3), one datagram a message.

Whether anybody hears it decides about nothing: the service goes on, and says so in its log.
"""

from __future__ import annotations

import logging
import os
import socket
import time

from edgeauth.errors import explain

logger = logging.getLogger("edgeauth.service")

# A manager that does not read must not keep the supervisor waiting.
_SECONDS = 0.5

# A reload tells more than once, and one line is enough.
_SAY_SECONDS = 60.0
_said_at = -_SAY_SECONDS


def notify(*lines: str) -> None:
    """Send lines such as ``READY=1``; nothing happens without systemd. Never raises."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(_SECONDS)
            # An abstract socket is written with an @.
            path = "\0" + address[1:] if address.startswith("@") else address
            sender.sendto("\n".join(lines).encode(), path)
    except (OSError, ValueError) as error:
        _say(address, error)


def notify_reloading() -> None:
    """Say that a reload began; ``READY=1`` ends it."""
    microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notify("RELOADING=1", f"MONOTONIC_USEC={microseconds}")


def _say(address: str, error: Exception) -> None:
    global _said_at  # noqa: PLW0603 - there is one log, and one NOTIFY_SOCKET
    now = time.monotonic()
    if now < _said_at + _SAY_SECONDS:
        return
    _said_at = now
    logger.warning(
        "NOTIFY_SOCKET %r cannot be told how the service is: %s. It goes on without; where "
        "systemd runs it with Type=notify, look at NotifyAccess and RestrictAddressFamilies",
        address,
        explain(error),
    )

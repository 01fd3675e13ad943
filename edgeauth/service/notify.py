"""Reports the state of the service to systemd by sd_notify(3), one datagram a message.

The service does not depend on it: if a report cannot be sent, it logs that and goes on.
"""

from __future__ import annotations

import logging
import os
import socket
import time

from edgeauth.errors import explain

logger = logging.getLogger("edgeauth.service")

# A service manager that does not read must not block the supervisor.
_SEND_SECONDS = 0.5

# A reload reports several times, and one log line is enough.
_REPORT_SECONDS = 60.0
_reported_at = -_REPORT_SECONDS


def notify(*lines: str) -> None:
    """Send lines such as ``READY=1``; nothing happens without systemd. Never raises."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(_SEND_SECONDS)
            # An abstract socket is written with an @.
            path = "\0" + address[1:] if address.startswith("@") else address
            sender.sendto("\n".join(lines).encode(), path)
    except (OSError, ValueError) as error:
        _report(address, error)


def notify_reloading() -> None:
    """Report that a reload began; ``READY=1`` ends it."""
    microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notify("RELOADING=1", f"MONOTONIC_USEC={microseconds}")


def _report(address: str, error: Exception) -> None:
    global _reported_at  # noqa: PLW0603 - there is one log, and one NOTIFY_SOCKET
    now = time.monotonic()
    if now < _reported_at + _REPORT_SECONDS:
        return
    _reported_at = now
    logger.warning(
        "the state of the service cannot be sent to NOTIFY_SOCKET %r: %s. It goes on without; if "
        "systemd runs it with Type=notify, look at NotifyAccess and RestrictAddressFamilies",
        address,
        explain(error),
    )

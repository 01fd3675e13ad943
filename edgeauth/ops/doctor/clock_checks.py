"""Finds a wrong clock: it refuses everybody, or accepts old credentials for too long."""

from __future__ import annotations

import ctypes
import http.client
import ssl
import time
from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from edgeauth.errors import seconds
from edgeauth.ops.doctor.finding import Finding
from edgeauth.ops.probe.wire import Target
from edgeauth.ops.schemes.configured import widest

if TYPE_CHECKING:
    from edgeauth.settings import Settings

_TIMEOUT = 5
# A Date field has whole seconds, so a clock may seem to be off by one.
_GRAIN = 1.0
_TIME_SERVER = "Let a time server keep the clock: chronyd, ntpd or systemd-timesyncd."
# adjtimex(2): the result of an unsynchronised clock, and room for its struct.
_TIME_ERROR = 5
_TIMEX_BYTES = 512


def check_clock(settings: Settings, url: str | None) -> list[Finding]:
    """Check whether the kernel's clock is synchronised, and compare it with the server at *url*.

    Raises:
        ConfigurationError: *url* cannot be used.
    """
    found = []
    if kernel_state() == _TIME_ERROR:
        seen = "the kernel says that nothing keeps its clock"
        found.append(Finding("clock-unkept", "warning", seen, _TIME_SERVER))
    if url is not None:
        found += _against(Target.parse(url), settings)
    return found


def kernel_state() -> int | None:
    """The result of adjtimex(2), which changes nothing here; None if it cannot be called."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError, TypeError):
        return None


def _against(target: Target, settings: Settings) -> list[Finding]:
    try:
        ahead, doubt = _offset(target)
    except (OSError, http.client.HTTPException, ValueError) as error:
        seen = f"the clock could not be compared: {type(error).__name__} at {target.authority}"
        return [Finding("clock-unknown", "warning", seen, "Name another URL with --clock.")]
    off = abs(ahead)
    if off <= doubt:
        return []
    direction = "ahead of" if ahead > 0 else "behind"
    name = "max_age" if ahead > 0 else "max_future"
    bound = widest(settings, name)
    seen = f"this clock is {seconds(off)} s {direction} that of {target.authority}"
    if bound is not None and off - doubt > bound:
        seen += f", past {name} ({seconds(bound)} s): every request is refused"
        return [Finding("clock-off", "error", seen, _TIME_SERVER)]
    return [Finding("clock-off", "warning", seen, _TIME_SERVER)]


def _offset(target: Target) -> tuple[float, float]:
    """Seconds by which this clock is ahead of the server's, and how far that may be wrong."""
    host, port = target.address
    connection = (
        http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
        if target.tls is None
        else http.client.HTTPSConnection(
            host, port, timeout=_TIMEOUT, context=ssl.create_default_context()
        )
    )
    with closing(connection):
        before = time.time()
        connection.request("HEAD", target.path, headers={"User-Agent": "edgeauth-doctor"})
        date = connection.getresponse().getheader("Date")
        after = time.time()
    if date is None:
        raise ValueError("no Date field")
    # The server wrote its time, cut to the second, somewhere between the two.
    theirs = parsedate_to_datetime(date).timestamp() + _GRAIN / 2
    return (before + after) / 2 - theirs, (after - before) / 2 + _GRAIN

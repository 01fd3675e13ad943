"""Reports when a process runs out of descriptors, each of which is a connection.

Nothing else reports it: uvloop closes connections that it has no descriptor for, and asyncio
leaves them in the queue. The kernel gives out the lowest free number, so a number near the limit
means that all below it are in use. The check costs one call a connection.
"""

from __future__ import annotations

import errno
import logging
import resource
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("edgeauth.service")

# How many descriptors are left when it is reported.
_NEAR = 8
_REPORT_SECONDS = 60.0

_OUT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_reported_at = -_REPORT_SECONDS


def check_descriptor(transport: asyncio.Transport) -> None:
    """Check the number of a connection that was just accepted."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.fileno() >= _limit() - _NEAR:
        report_exhaustion()


def handle_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The exception handler of an event loop."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in _OUT:
        report_exhaustion()
    elif isinstance(error, ValueError) and "_start_serving" in repr(context.get("handle")):
        pass  # asyncio tries to accept again after a second, on a socket that is closed by then
    else:
        loop.default_exception_handler(context)


def report_exhaustion() -> None:
    """Report, at most once a minute, that no further connection gets a descriptor."""
    global _reported_at  # noqa: PLW0603 - the limit is one of the process
    now = time.monotonic()
    if now < _reported_at + _REPORT_SECONDS:
        return
    _reported_at = now
    logger.error(
        "out of descriptors: this process may have %d, and nearly all are connections. Further "
        "ones are closed, or wait, without an answer, and the proxy refuses their visitors. "
        "Raise the limit (LimitNOFILE= in the unit, ulimit -n, or --ulimit nofile= of Docker), "
        "or let the proxy keep fewer connections open",
        _limit(),
    )


def _limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 31

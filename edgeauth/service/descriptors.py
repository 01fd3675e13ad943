"""Says when a process runs out of descriptors, each of which is a connection.

Nobody else does: uvloop closes the connections that it has no descriptor for, and asyncio
leaves them in the queue. The kernel gives the lowest number that is free, so a connection
with a number near the limit tells that all below it are in use. It costs one call a connection.
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

# How many are left when it is told.
_NEAR = 8
_SAY_SECONDS = 60.0

_OUT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_said_at = -_SAY_SECONDS


def look_at(transport: asyncio.Transport) -> None:
    """Look at the number of a connection that was just made."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.fileno() >= _limit() - _NEAR:
        say_out()


def handle_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What an event loop is to do with an error that nobody else handles."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in _OUT:
        say_out()
    elif isinstance(error, ValueError) and "_start_serving" in repr(context.get("handle")):
        pass  # asyncio accepts again a second after it was out, on a socket closed by then
    else:
        loop.default_exception_handler(context)


def say_out() -> None:
    """Say that there is no descriptor for another connection; once a minute."""
    global _said_at  # noqa: PLW0603 - the limit is one of the process
    now = time.monotonic()
    if now < _said_at + _SAY_SECONDS:
        return
    _said_at = now
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

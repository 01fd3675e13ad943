"""Writes log lines to standard error, plain or as JSON, one line a record.

The reader of a pipe may stop reading. A full pipe must block neither the supervisor nor a worker,
so lines that it does not take are dropped and counted.
"""

from __future__ import annotations

import contextlib
import logging
import select
import sys
import time
from typing import Any, Literal

from edgeauth.logs import JsonFormatter

# How long a line waits for a reader, and how long after that the next lines do not wait.
_WAIT_SECONDS = 0.1
_GIVE_UP_SECONDS = 1.0


class DroppingHandler(logging.StreamHandler[Any]):
    """Writes to a stream whose reader may have stopped reading."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - None without standard error
        super().__init__(stream)
        self._lost = 0
        self._gave_up_at = -_GIVE_UP_SECONDS
        self._poll: select.poll | None = None
        with contextlib.suppress(AttributeError, OSError, ValueError):
            poll = select.poll()
            poll.register(stream.fileno(), select.POLLOUT)
            self._poll = poll

    def emit(self, record: logging.LogRecord) -> None:
        if not self._is_taken():
            self._lost += 1
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            text = "%d lines of this log are lost: nobody read standard error"
            super().emit(logging.LogRecord(record.name, logging.ERROR, "", 0, text, (lost,), None))
        super().emit(record)

    def _is_taken(self) -> bool:
        if self._poll is None:
            return True
        now = time.monotonic()
        waits = now >= self._gave_up_at + _GIVE_UP_SECONDS
        # A pipe that takes anything takes 4096 bytes (PIPE_BUF), more than a line has.
        if self._poll.poll(_WAIT_SECONDS * 1000 if waits else 0):
            return True
        if waits:
            self._gave_up_at = time.monotonic()
        return False


_PLAIN = logging.Formatter("%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s")


def configure_logging(log_format: Literal["plain", "json"]) -> None:
    """Send the package's log lines to standard error."""
    handler = DroppingHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else _PLAIN)
    logger = logging.getLogger("edgeauth")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False

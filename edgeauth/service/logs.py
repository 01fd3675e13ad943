"""Log lines to standard error, plain or as JSON, one line a record."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any, Literal


class JsonFormatter(logging.Formatter):
    """One JSON object a line; the fields of a refusal are an object of their own."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
        }
        fields = getattr(record, "edgeauth", None)
        if fields is not None:
            line["request"] = fields
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


_PLAIN = logging.Formatter("%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s")


def configure_logging(log_format: Literal["plain", "json"]) -> None:
    """Send the package's log lines, and the server's errors, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else _PLAIN)
    for name, level in (("edgeauth", logging.INFO), ("uvicorn.error", logging.ERROR)):
        # uvicorn warns of each request that cannot be parsed: strangers could fill a disk.
        # They are counted instead.
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False

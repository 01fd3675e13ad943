"""Log lines as JSON, for apps and the service alike.

::

    "formatters": {"json": {"()": "edgeauth.logs.JsonFormatter"}}             # logging.config
"""

from __future__ import annotations

import json
import logging
from typing import Any

__all__ = ["JsonFormatter"]


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

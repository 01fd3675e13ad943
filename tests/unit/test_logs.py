"""Log lines as JSON: the formatter, and what the guide shows of Django and structlog."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.counted_apps import GUIDE, write_files
from support.requests import PlainRequest
from support.vectors import SECRET

import edgeauth.service.logs
from edgeauth import EdgeAuthScheme, Guard, sign
from edgeauth.logs import JsonFormatter

TEXT = GUIDE.read_text("utf-8")

# Refuses one request, with logging as the guide's files have it.
_REFUSES = f"""
from edgeauth import EdgeAuthScheme, Guard
from support.requests import PlainRequest
Guard(EdgeAuthScheme([{SECRET!r}])).check(PlainRequest(peer="203.0.113.9"))
"""
_DJANGO = (
    """
import django
from django.conf import settings
from django_logging import LOGGING
settings.configure(LOGGING=LOGGING)
django.setup()
"""
    + _REFUSES
)
_DICT_CONFIG = (
    """
import logging.config
from django_logging import LOGGING
logging.config.dictConfig(LOGGING)
"""
    + _REFUSES
)


def _line(script, folder):
    """The one line that *script* logs, beside the files of the guide."""
    write_files(folder)
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[1])])
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    return json.loads(ran.stderr)


def _shown():
    return json.loads(TEXT.partition("```json\n")[2].partition("```")[0])


@pytest.mark.parametrize("script", [_DJANGO, _DICT_CONFIG], ids=["django", "dictConfig"])
def test_a_refusal_is_logged_as_the_guide_shows(tmp_path, script):
    line, shown = _line(script, tmp_path), _shown()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", line["time"])
    assert line["pid"]
    differ = {"time", "pid"}
    assert {k: v for k, v in line.items() if k not in differ} == {
        k: v for k, v in shown.items() if k not in differ
    }
    assert list(line) == list(shown)


def test_structlog_takes_the_fields_of_a_decision_along(tmp_path):
    line, shown = _line("import structlog_logging\n" + _REFUSES, tmp_path), _shown()
    assert line["request"] == shown["request"]
    assert (line["event"], line["level"], line["logger"]) == (
        shown["message"],
        "warning",
        "edgeauth",
    )


def test_the_fields_of_a_line_are_those_that_the_guide_names(caplog):
    table = re.search(r"^\| field \| there \|.*?\n\n", TEXT, re.MULTILINE | re.DOTALL)[0]
    named = set(re.findall(r"`(\w+)`", table))
    guard = Guard(EdgeAuthScheme([SECRET], max_age=60))
    guard.check(PlainRequest(), now=1e9)
    old = sign(SECRET, pop="LHR", timestamp=10**9 - 90).encode()
    guard.check(PlainRequest(fields=[("Edge-Auth", old)]), now=1e9)
    for record in caplog.records:
        line = json.loads(JsonFormatter().format(record))
        assert {*line, *line["request"]} <= named


def test_a_line_of_any_logger_has_no_request_and_a_traceback_is_a_field():
    def record(error=None):
        info = (type(error), error, None) if error else None
        return logging.LogRecord("shop", logging.ERROR, "", 0, "it %s", ("broke",), info)

    line = json.loads(JsonFormatter().format(record()))
    assert line.keys() == {"time", "level", "logger", "pid", "message"}
    assert (line["level"], line["logger"], line["message"]) == ("error", "shop", "it broke")
    assert line["pid"] == os.getpid()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", line["time"])
    line = json.loads(JsonFormatter().format(record(ValueError("what"))))
    assert line["exception"] == "ValueError: what"


def test_what_json_cannot_say_is_said_as_text():
    record = logging.LogRecord("edgeauth", logging.INFO, "", 0, "text", (), None)
    record.edgeauth = {"path": Path("/x")}
    assert json.loads(JsonFormatter().format(record))["request"] == {"path": "/x"}


def test_the_service_writes_with_the_same_formatter():
    edgeauth.service.logs.configure_logging("json")
    (handler,) = logging.getLogger("edgeauth").handlers
    assert type(handler.formatter) is JsonFormatter

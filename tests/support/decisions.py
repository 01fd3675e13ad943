"""Files of decisions, as they are read."""

from __future__ import annotations

import contextlib
import json

from edgeauth import AddressList
from edgeauth.ops.report.reading import opened
from edgeauth.ops.report.summary import Summary


def lines(file):
    return [json.loads(line) for line in file.read_text("ascii").splitlines()]


def lines_of(file):
    """Those that can be read."""
    found = []
    for line in file.read_text("ascii").splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


def summed_up(file):
    """What edgeauth report makes of the file."""
    summary = Summary(AddressList.fastly(), max_age=60, max_future=5)
    with opened(str(file)) as source:
        summary.read("log", source)
    return summary

"""What tests of the SQLite store share: a clock, and errors of SQLite."""

from __future__ import annotations

import sqlite3
import time

NOW = 1_700_000_000.0


def error_of(code):
    error = sqlite3.OperationalError("said by SQLite")
    if code is not None:
        error.sqlite_errorcode = code
    return error


class Clock:
    """Stands for the module ``time``: it goes on when a test says so, or somebody sleeps."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def monotonic(self):
        return self.now

    def time_ns(self):
        return time.time_ns()

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

"""What tests of the SQLite store share: a clock, and errors of SQLite."""

from __future__ import annotations

import sqlite3

NOW = 1_700_000_000.0


def error_of(code):
    error = sqlite3.OperationalError("said by SQLite")
    if code is not None:
        error.sqlite_errorcode = code
    return error

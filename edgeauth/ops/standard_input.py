"""Reads standard input, which may be closed."""

from __future__ import annotations

import sys
from typing import BinaryIO

from edgeauth.errors import ConfigurationError, explain

# Its name in the options and arguments of commands.
STDIN = "-"


def standard_input() -> BinaryIO:
    """The bytes of standard input.

    Raises:
        ConfigurationError: the process was started without one (``<&-``).
    """
    if sys.stdin is None:
        raise ConfigurationError("standard input is closed: give the command a file or a pipe")
    return sys.stdin.buffer


def read_standard_input(limit: int) -> bytes:
    """The contents of standard input, up to *limit* bytes.

    Raises:
        ConfigurationError: it is closed, or cannot be read.
    """
    stream = standard_input()
    try:
        return stream.read(limit)
    except OSError as error:
        raise ConfigurationError(f"standard input cannot be read: {explain(error)}") from None

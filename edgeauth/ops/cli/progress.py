"""How far a command is: a bar on standard error, where that is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What is over sooner needs no bar.
SECONDS = 2


def on_terminal(stream: TextIO | None) -> bool:
    """Whether *stream* is a terminal; one that is closed is None."""
    return stream is not None and stream.isatty()


@contextmanager
def progress(length: int, label: str, *, shown: bool = True) -> Iterator[Callable[[int], object]]:
    """Give a function to be told how much more is done; a bar shows it unless *shown* is false.

    Args:
        length: what all of it is.
        label: what is done.
        shown: whether it is long enough to be waited for, and nothing else tells how far it is.
    """
    if not shown or not on_terminal(sys.stderr):
        yield lambda _more: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update

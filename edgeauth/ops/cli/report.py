"""``edgeauth report``: says whether it is safe to enforce."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from edgeauth.addresses import AddressList
from edgeauth.errors import ConfigurationError, explain
from edgeauth.ops.atomic_write import replace_file
from edgeauth.ops.cli.file_type import FILE
from edgeauth.ops.cli.options import config_option
from edgeauth.ops.cli.progress import on_terminal, progress
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.report.conclusion import conclude
from edgeauth.ops.report.document import MEMBERS, document
from edgeauth.ops.report.page import page
from edgeauth.ops.report.reading import opened
from edgeauth.ops.report.summary import Summary
from edgeauth.ops.schemes.configured import widest
from edgeauth.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgeauth.ops.report.reading import Line, Source

# The window in seconds that ages are compared with where no scheme has one.
_MAX_AGE, _MAX_FUTURE = 60, 5

# The progress is updated each time so many lines were read.
_STEP = 10_000

# A shorter file is read before anybody sees a bar.
_LONG = 4 << 20


@click.command("report")
@click.argument("files", metavar="FILE...", type=FILE, nargs=-1, required=True)
@json_option(MEMBERS)
@click.option(
    "--html", metavar="FILE", type=FILE, help="Also write a page that opens without network."
)
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    files: tuple[str, ...],
    as_json: bool,
    html: str | None,
    config: str | None,
) -> None:
    """Say from the app's decisions whether it is safe to enforce.

    FILE is what the setting decisions wrote, plain or compressed with gzip; - is standard input.
    The window (max_age, max_future) and the addresses of the edge are read from the app's
    settings; without an address list, the bundled one tells the edge from strangers.

    Exit status: 0 nothing speaks against it, 1 something does or nothing can be said, since
    more than 1 in 100 lines is missing; 2 wrong usage or configuration.
    """
    settings = Settings.load(config)
    addresses = settings.build_addresses() or AddressList.fastly()
    summary = Summary(
        addresses,
        max_age=_bound(settings, "max_age", _MAX_AGE),
        max_future=_bound(settings, "max_future", _MAX_FUTURE),
        kinds=[scheme.kind for scheme in settings.schemes],
    )
    show = None if as_json else _terminal()
    for name in files:
        with opened(name) as source, _progress(source) as watched:
            summary.read(name, watched)
    found = conclude(summary)
    if html is not None:
        try:
            replace_file(html, page(summary, found).encode())
        except OSError as error:
            raise ConfigurationError(
                f"--html {html!r} cannot be written: {explain(error)}"
            ) from None
    if show is None:
        print_json(document(summary, found))
    else:
        show(summary, found)
    ctx.exit(0 if found.safe else 1)


def _bound(settings: Settings, option: str, default: float) -> float:
    found = widest(settings, option)
    return default if found is None else found


def _terminal() -> Callable[..., None]:
    try:
        from edgeauth.ops.report.terminal import print_report  # noqa: PLC0415 - needs rich
    except ImportError:
        raise ConfigurationError(
            "the report on a terminal needs rich: pip install 'edgeauth[report]', or use --json"
        ) from None
    return print_report


@contextmanager
def _progress(source: Source) -> Iterator[Iterator[Line]]:
    """The lines of *source*; a bar on standard error if that is a terminal and it is long."""
    if source.size is None or source.size < _LONG or not on_terminal(sys.stderr):
        yield iter(source)
        return
    with progress(source.size, click.format_filename(source.name)) as advance:

        def watched() -> Iterator[Line]:
            before = 0
            for number, line in enumerate(source):
                if number % _STEP == 0:
                    advance(source.position - before)
                    before = source.position
                yield line
            advance(source.position - before)

        yield watched()

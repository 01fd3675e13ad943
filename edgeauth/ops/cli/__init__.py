"""The command ``edgeauth``: one file a command.

Exit status of every command: 0 done (or accepted), 1 refused, 2 wrong usage or
configuration. What a program may read goes to standard output, the rest to standard error.
As in a shell, an interrupted command ends with 130, and one whose reader has left with 141:
neither is an answer.

Errors of the system that a command lets through are reported here, so no user sees a traceback.

It may import everything. Only ``__main__`` may import it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from importlib import import_module
from typing import Any

import click

from edgeauth import __version__
from edgeauth.errors import ConfigurationError, explain
from edgeauth.ops.cli.group import Commands

# Name and one line of help. The command is the object ``command`` in the file of that name,
# which is imported when the command is run, so that none pays for the imports of another.
# "pass" is a keyword, so its module has another name.
COMMANDS = {
    "sign": "Print a header as the edge would send it.",
    "verify": "Say whether a credential is accepted, and if not, why.",
    "keygen": "Print a new secret, or make a pair of keys, and say where to put it.",
    "addresses": "Show, check and update the list of the edge's addresses.",
    "jwks": "Update the key set of an issuer of tokens.",
    "report": "Say from the app's decisions whether it is safe to enforce.",
    "keys": "Rotate the keys, and say which the edge signs with.",
    "check-config": "Print the settings as the app reads them, without secrets.",
    "serve": "Decide about requests that a reverse proxy asks about.",
    "edge": "Stand in for a POP in local development: sign requests and forward them.",
    "snippet": "Print the configuration of an edge or a proxy that fits the settings.",
    "pass": "Issue a pass: a person reaches the origin directly for a while.",
    "probe": "Try an origin from outside, as an attacker and as the edge.",
    "doctor": "Look for set-ups that go wrong.",
    "help": "Explain a command or a topic.",
}
_FILES = {"pass": "passes"}


class _Failure(click.ClickException):
    """A configuration that cannot be used: one line, and the exit status of wrong usage."""

    exit_code = 2


# 128 and the number of the signal that would have ended it.
_INTERRUPTED = 128 + 2
_READER_LEFT = 128 + 13


class _Commands(Commands):
    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 - Click's signature
        for stream in (sys.stdout, sys.stderr):
            # Arguments need not be UTF-8, and a terminal need not support it.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().main(*args, **extra)
        except OSError as error:
            _give_up_output()
            where = "" if error.filename is None else f"{error.filename!a}: "
            failure = _Failure(f"{where}{explain(error)}")
            failure.show()
            sys.exit(failure.exit_code)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - Click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        file = _FILES.get(cmd_name, cmd_name.replace("-", "_"))
        module = import_module(f"edgeauth.ops.cli.{file}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        # https://no-color.org: set, and not empty. Otherwise Click colours on a terminal only.
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            try:
                return super().invoke(ctx)
            finally:
                # Flush now, while an error can still be reported.
                if sys.stdout is not None:
                    sys.stdout.flush()
        except ConfigurationError as error:
            raise _Failure(str(error)) from None
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            _give_up_output()
            ctx.exit(_READER_LEFT)


def _give_up_output() -> None:
    """Drop the output that was not written: Python would try again when it ends."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        sys.stdout.flush()
        return
    with contextlib.suppress(OSError, AttributeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Make and check what an origin knows its CDN edge by.

    Exit status: 0 done or accepted, 1 refused, 2 wrong usage or configuration.
    """

"""What ``edgeauth snippet`` prints."""

from __future__ import annotations

from click.testing import CliRunner

from edgeauth.ops.cli import main


def snippet(*arguments: str, **settings: str) -> str:
    """Its output for a name and options, with *settings* in the environment."""
    done = CliRunner().invoke(main, ["snippet", *arguments], env=settings)
    assert done.exit_code == 0, done.output
    return done.output

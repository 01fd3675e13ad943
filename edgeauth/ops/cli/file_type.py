"""The type of a parameter that names a file: a shell completes it."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


class _File(click.types.StringParamType):
    # click.Path looks at the file, before a command can say in its own words what is wrong.
    name = "file"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - Click's signature
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


FILE = _File()

"""A group of commands that suggests the nearest one for a mistyped name."""

from __future__ import annotations

import click


class Commands(click.Group):
    """Commands of which a mistyped one gets a suggestion, with every release of Click."""

    group_class = type  # groups in it are alike

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        # With a dash it is an option in the place of a command, which Click reports.
        if name.startswith("-") or ctx.resilient_parsing or self.get_command(ctx, name):
            return super().resolve_command(ctx, args)
        hint = did_you_mean(name, self.list_commands(ctx))
        raise click.UsageError(f"No such command {name!a}.{hint}", ctx)


def did_you_mean(name: str, known: list[str]) -> str:
    """A question that names those of *known* that are near *name*; empty if none is."""
    # Imported here, since only a mistake needs it.
    import difflib  # noqa: PLC0415

    wanted = name.lower().replace("_", "-")
    begun = [command for command in known if wanted and command.startswith(wanted)]
    near = begun or difflib.get_close_matches(wanted, known, n=2)
    return f" Did you mean {' or '.join(near)}?" if near else ""

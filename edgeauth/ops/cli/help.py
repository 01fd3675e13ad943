"""``edgeauth help``: explains a command, or one of a few topics, from what the code goes by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from edgeauth.ops.cli.group import did_you_mean
from edgeauth.ops.cli.results import JsonOption
from edgeauth.reasons import REASONS
from edgeauth.schemes.registry import kinds, scheme_class
from edgeauth.service.settings import ServiceSettings
from edgeauth.settings import OPTIONS
from edgeauth.settings.scheme import SCHEME_OPTIONS
from edgeauth.settings.table import options_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EXIT_STATUS = re.compile(r"Exit status: (.*?)\.(?:\s|$)", re.DOTALL)
_NEXT_STATUS = re.compile(r"[,;] (?=[0-9])")

#: What every command may end with besides what its help says.
OF_ALL = {
    0: "done",
    2: "wrong usage or configuration",
    130: "interrupted",
    141: "whoever read its output has left",
}

#: What makes a shell complete commands, options and the names of files, for this session.
COMPLETION = {
    "bash": 'eval "$(_EDGEAUTH_COMPLETE=bash_source edgeauth)"',
    "zsh": 'eval "$(_EDGEAUTH_COMPLETE=zsh_source edgeauth)"',
    "fish": "_EDGEAUTH_COMPLETE=fish_source edgeauth | source",
}

#: Where a line of it is for all sessions.
STARTUP_FILES = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc",
    "fish": "~/.config/fish/completions/edgeauth.fish",
}


def commands(ctx: click.Context) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something below that of *ctx*, by its words."""
    group = ctx.command
    if not isinstance(group, click.Group):
        yield ctx.command_path.partition(" ")[2], group
        return
    for name in group.list_commands(ctx):
        below = group.get_command(ctx, name)
        if below is not None:
            yield from commands(click.Context(below, parent=ctx, info_name=name))


def exit_statuses(command: click.Command) -> dict[int, str]:
    """What 0, and 1 where it can be, mean for *command*: its help says so."""
    said = _EXIT_STATUS.search(command.help or "")
    if said is None:
        return {0: OF_ALL[0]}
    one_line = " ".join(said[1].split())
    pairs = (part.partition(" ") for part in _NEXT_STATUS.split(one_line))
    return {int(status): meaning for status, _, meaning in pairs if status != "2"}


def json_members(command: click.Command) -> dict[str, str]:
    """What ``--json`` of *command* prints; empty without such an option."""
    found = (option.members for option in command.params if isinstance(option, JsonOption))
    return dict(next(found, {}))


def _exit_status(root: click.Context, out: click.HelpFormatter) -> None:
    with out.section("Of every command"):
        out.write_dl([(str(status), meaning) for status, meaning in OF_ALL.items()])
    for name, command in commands(root):
        if 1 in (meanings := exit_statuses(command)):
            with out.section(f"Of {name}"):
                out.write_dl([(str(status), meaning) for status, meaning in meanings.items()])


def _json(root: click.Context, out: click.HelpFormatter) -> None:
    for name, command in commands(root):
        if members := json_members(command):
            with out.section(f"edgeauth {name} --json"):
                out.write_dl([*members.items()])
    out.write_paragraph()
    out.write_text("An error is a sentence on standard error; then standard output is empty.")


def _reasons(_root: click.Context, out: click.HelpFormatter) -> None:
    for admits, words in ((True, "Let in"), (False, "Refused")):
        with out.section(words):
            found = [one for one in REASONS.values() if one.admits is admits]
            out.write_dl([(reason.code, reason.meaning) for reason in found])


def _settings(_root: click.Context, out: click.HelpFormatter) -> None:
    out.write_text(
        "EDGEAUTH_<NAME> in the environment, or the name in the file of EDGEAUTH_CONFIG."
    )
    tables = {
        "Of the gate": OPTIONS.values(),
        "Of every scheme": SCHEME_OPTIONS,
        **{f"Of the scheme {kind}": scheme_class(kind).OPTIONS for kind in kinds()},
        "Of edgeauth serve: EDGEAUTH_SERVICE_<NAME>, or in the table [service]": options_in(
            ServiceSettings
        ),
    }
    for of, options in tables.items():
        with out.section(of):
            out.write_dl([(option.name, option.doc.replace("`", "")) for option in options])


def _completion(_root: click.Context, out: click.HelpFormatter) -> None:
    for shell, line in COMPLETION.items():
        with out.section(f"{shell}, in {STARTUP_FILES[shell]}"):
            # To be copied, so it is not wrapped.
            out.write(f"  {line}\n")


#: What there is to explain besides commands: a line about it, and what writes the text.
TOPICS: dict[str, tuple[str, Callable[[click.Context, click.HelpFormatter], None]]] = {
    "exit-status": ("what the exit status of each command means", _exit_status),
    "json": ("what --json of each command prints", _json),
    "reasons": ("the reasons for which a request is let in or refused", _reasons),
    "settings": ("what there is to set", _settings),
    "completion": ("how a shell completes commands and options", _completion),
}


@click.command("help")
@click.argument("words", metavar="[COMMAND|TOPIC]...", nargs=-1)
@click.pass_context
def command(ctx: click.Context, *, words: tuple[str, ...]) -> None:
    """Explain a command or a topic.

    A command is explained as by its --help. Topics: exit-status, json, reasons, settings,
    completion.
    """
    root = ctx.find_root()
    out = root.make_formatter()
    if words[:1] and words[0] in TOPICS:
        if words[1:]:
            raise click.UsageError(f"{words[0]} is a topic: nothing comes behind it", ctx)
        TOPICS[words[0]][1](root, out)
    else:
        explained = _named(words, root)
        explained.command.format_help(explained, out)
        if explained is root:
            with out.section("Topics"):
                out.write_dl([(topic, told) for topic, (told, _) in TOPICS.items()])
    click.echo(out.getvalue().strip("\n"))


def _named(words: tuple[str, ...], root: click.Context) -> click.Context:
    """The command of these *words*, to be explained."""
    found = root
    for word in words:
        group = found.command
        known = group.list_commands(found) if isinstance(group, click.Group) else []
        below = group.get_command(found, word) if isinstance(group, click.Group) else None
        if below is None:
            near = did_you_mean(word, [*known, *TOPICS] if found is root else known)
            raise click.UsageError(f"No such command or topic {word!a}.{near}", root)
        found = click.Context(below, parent=found, info_name=word)
    return found

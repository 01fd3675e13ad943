"""``edgeauth jwks``: shows and updates the key set of an issuer of tokens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeauth.errors import ConfigurationError
from edgeauth.ops.address_update.errors import ListRefused
from edgeauth.ops.cli.group import Commands
from edgeauth.ops.cli.options import config_option
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.jwks_update.update import update
from edgeauth.ops.text import escaped
from edgeauth.schemes.signed_token.arguments import PUBLISHED
from edgeauth.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.group("jwks", cls=Commands)
def command() -> None:
    """Update the key set of an issuer of tokens.

    The app never fetches anything: it reads the file that the setting jwks names, and watches it.
    """


@command.command("update")
@click.argument("url", required=False)
@click.argument("file", required=False)
@config_option
@click.option("--force", is_flag=True, help="Take a set that is not plausible.")
@json_option(
    {
        "file": "the file",
        "changed": "whether the keys are others now",
        "keys": "a list of the kids that are in it now",
        "removed": "a list of those that are no longer",
        "added": "a list of the new ones",
    }
)
@click.pass_context
def update_command(
    ctx: click.Context,
    *,
    url: str | None,
    file: str | None,
    config: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Fetch a key set, check it, put it into the file, and print what changed.

    URL is where the issuer publishes its set. Default: where the one of the setting preset does.
    FILE is the file. Default: that of the setting jwks.

    The file is replaced in one step, and only by a set that is plausible: keys for the algorithm
    of the settings, none of them private, and one at least of those that were there. Run it once
    a day: a running app reads the file by itself, and an issuer announces a key before it signs
    with it. Exit status: 0 the file is up to date, 1 the set was not to be had or not believed and
    the file is as it was.
    """
    options = _options(config)
    algorithm = options.get("algorithm")
    path = _file(file, options)
    try:
        done = update(path, url or _url(options), algorithm=algorithm, force=force)
    except ListRefused as error:
        click.echo(f"Error: {error}. The file is as it was.", err=True)
        ctx.exit(1)
    if as_json:
        changed = bool(done.removed or done.added)
        kids = {"keys": done.kids, "removed": done.removed, "added": done.added}
        print_json({"file": str(path), "changed": changed, **kids})
        return
    for kid in done.removed:
        click.secho(f"- {escaped(kid)}", fg="red")
    for kid in done.added:
        click.secho(f"+ {escaped(kid)}", fg="green")
    outcome = "updated" if done.removed or done.added else "no change"
    click.echo(f"{outcome}: {len(done.kids)} keys in {escaped(str(path))}")


def _options(config: str | None) -> Mapping[str, Any]:
    """The options of the first scheme of the settings that has a key set; empty without one."""
    for scheme in Settings.load(config).schemes:
        if scheme.options.get("jwks") is not None:
            return {name: value for name, value in scheme.options.items() if value is not None}
    return {}


def _file(file: str | None, options: Mapping[str, Any]) -> Path:
    named = file if file is not None else options.get("jwks")
    if not isinstance(named, str):
        raise ConfigurationError("which file? Give FILE behind the URL, or set jwks to a file")
    return Path(named)


def _url(options: Mapping[str, Any]) -> str:
    published = PUBLISHED.get(options.get("preset", ""))
    if published is None:
        raise ConfigurationError("which URL? Give the one at which the issuer publishes its keys")
    if "{issuer}" in published and "issuer" not in options:
        raise ConfigurationError("issuer is not set: https://<team>.cloudflareaccess.com")
    return published.format(**options)

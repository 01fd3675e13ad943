"""``edgeauth check-config``: the settings as the app reads them."""

from __future__ import annotations

import dataclasses
import os

import click

from edgeauth.cli.options import config_option
from edgeauth.cli.text import table
from edgeauth.escaping import escaped
from edgeauth.guard import Guard
from edgeauth.service.settings import ServiceSettings
from edgeauth.settings import PREFIX, Settings, read_toml


@click.command("check-config")
@config_option
def command(*, config: str | None) -> None:
    """Print the settings as the app reads them, without secrets.

    Each line is a setting, its value and where that comes from: default, file or
    environment. Keys and the address list are loaded too, and the service's own settings
    are read, so that what the app or the service would refuse at start is refused here,
    with exit status 2.
    """
    settings = Settings.load(config)
    ServiceSettings.load(config)
    # Not the decisions: looking must not leave a file that the app may then not write to.
    guard = Guard.from_settings(dataclasses.replace(settings, decisions=None))
    in_file = {} if config is None else read_toml(config)
    names = [field.name for field in dataclasses.fields(settings)]
    for line in table([name, _shown(settings, name), _source(name, in_file)] for name in names):
        click.echo(line)
    click.echo()
    ids = [key.id for key in settings.build_keys()]
    click.echo(f"keys: {len(ids)}, oldest to newest: {', '.join(ids)}")
    if guard.addresses is None:
        click.echo("addresses: not checked")
    else:
        as_of = guard.addresses.as_of or "an unknown date"
        click.echo(f"addresses: {len(guard.addresses)} networks, as of {as_of}")
    if settings.mode == "report-only":
        click.secho("REPORT-ONLY: every request is let through", fg="red", bold=True)


def _source(name: str, in_file: dict[str, object]) -> str:
    if PREFIX + name.upper() in os.environ:
        return "environment"
    return "file" if name in in_file else "default"


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if name in {"secret", "pass_secret"}:
        return "-" if value is None else "set, not shown"
    if isinstance(value, tuple):
        return escaped(", ".join(value)) or "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "-" if value is None else escaped(str(value))

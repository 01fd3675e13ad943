"""``edgeauth check-config``: the settings as the app reads them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from edgeauth.ops.cli.options import config_option
from edgeauth.ops.cli.text import table
from edgeauth.ops.doctor.rehearsal import rehearse
from edgeauth.ops.text import escaped
from edgeauth.service.settings import ServiceSettings
from edgeauth.settings import Settings, read_document, read_variables

if TYPE_CHECKING:
    from collections.abc import Container


@click.command("check-config")
@config_option
def command(*, config: str | None) -> None:
    """Print the settings as the app reads them, without secrets.

    Each line is a setting, its value and where that comes from: default, file or
    environment. The guard is built as at start, without making a file of decisions, and the
    service's own settings are read: what either would refuse is refused here, with exit
    status 2. Run it as the user that runs the app.
    """
    document = read_document(config)
    settings = Settings.of_document(document)
    ServiceSettings.of_document(document)
    guard = rehearse(settings)
    variables = read_variables()
    names = [field.name for field in dataclasses.fields(settings)]
    for line in table(
        [name, _shown(settings, name), _source(name, variables, document)] for name in names
    ):
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


def _source(name: str, variables: Container[str], in_file: Container[str]) -> str:
    if name in variables:
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

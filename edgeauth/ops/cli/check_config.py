"""``edgeauth check-config``: the settings as the app reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edgeauth.dry_run import dry_run
from edgeauth.ops.cli.options import config_option
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.cli.text import table
from edgeauth.ops.rotation.judgement import kind_of
from edgeauth.ops.shown import shown_settings
from edgeauth.ops.text import escaped
from edgeauth.service.settings import ServiceSettings
from edgeauth.settings import SchemeSettings, Settings, named_by_variables, read_document

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from edgeauth.keys import Key
    from edgeauth.ops.shown import Shown
    from edgeauth.public_keys import PublicKey


@click.command("check-config")
@json_option(
    {
        "settings": "a list: name, value (of a secret null), set, source",
        "schemes": "a list: kind, and keys, a list of ids, oldest to newest; null without a ring",
        "addresses": "count and as_of of the list; null where addresses are not checked",
        "mode": "enforce or report-only",
    }
)
@config_option
def command(*, config: str | None, as_json: bool) -> None:
    """Print the settings as the app reads them, without secrets.

    Each line is a setting, its value and where that comes from: default, cdn, file
    or environment. The guard is built as at start, without making a file of decisions, and the
    service's own settings are read: what either would refuse is refused here, with exit
    status 2. Run it as the user that runs the app.
    """
    document = read_document(config)
    settings = Settings.of_document(document)
    ServiceSettings.of_document(document)
    guard = dry_run(settings)
    variables = named_by_variables()
    read = [
        (one, _source(one.name, variables, document, settings)) for one in shown_settings(settings)
    ]
    rings = [(scheme.kind, _ring(scheme)) for scheme in settings.schemes]
    if as_json:
        print_json(
            {
                "settings": [_facts(one, source) for one, source in read],
                "schemes": [
                    {"kind": kind, "keys": keys and [key.id for key in keys]}
                    for kind, keys in rings
                ],
                "addresses": guard.addresses
                and {"count": len(guard.addresses), "as_of": guard.addresses.as_of},
                "mode": settings.mode,
            }
        )
        return
    for line in table([one.name, _text(one), source] for one, source in read):
        click.echo(line)
    click.echo()
    for kind, keys in rings:
        if keys is None:
            continue
        ids = [_key(key) for key in keys]
        of = f" of {kind}" if len(rings) > 1 else ""
        click.echo(f"keys{of}: {len(ids)}, oldest to newest: {', '.join(ids)}")
    if guard.addresses is None:
        click.echo("addresses: not checked")
    else:
        as_of = guard.addresses.as_of or "an unknown date"
        click.echo(f"addresses: {len(guard.addresses)} networks, as of {as_of}")
    if settings.mode == "report-only":
        click.secho("REPORT-ONLY: every request is let through", fg="red", bold=True)


def _ring(scheme: SchemeSettings) -> list[Key | PublicKey] | None:
    keys = scheme.build_keys()
    if keys is None:
        # It may have some from a file that an option names.
        keys = getattr(scheme.build_scheme(), "keys", None)
    return None if keys is None else [*keys]


def _facts(one: Shown, source: str) -> dict[str, Any]:
    value = one.value
    if one.option.secret:
        value = None
    elif value is not None and one.option.show is not None:
        value = one.option.show(value)
    return {"name": one.name, "value": value, "set": one.value is not None, "source": source}


def _source(
    name: str, variables: Container[str], document: Mapping[str, Any], settings: Settings
) -> str:
    if name in variables:
        return "environment"
    scheme = settings.schemes[0]
    if name.startswith("schemes["):
        place, _, own = name.removeprefix("schemes[").partition("].")
        document, name = document["schemes"][int(place)], own
        scheme = settings.schemes[int(place)]
    if name in document:
        return "file"
    return f"cdn {scheme.cdn}" if name in _set_by_cdn(scheme, settings) else "default"


def _set_by_cdn(scheme: SchemeSettings, settings: Settings) -> set[str]:
    """The settings that the name of the CDN sets, where nobody sets them."""
    if scheme.cdn is None:
        return set()
    listed = {"addresses"} if settings.default("addresses") is not None else set()
    return {"scheme", *scheme.preset_options, *listed}


def _key(key: Key | PublicKey) -> str:
    kind = kind_of(key)
    return f"{key.id} ({kind})" if kind else key.id


def _text(one: Shown) -> str:
    value = one.value
    if value is None:
        return "-"
    if one.option.secret:
        return "set, not shown"
    if one.option.show is not None:
        return escaped(one.option.show(value))
    if isinstance(value, tuple):
        return escaped(", ".join(map(str, value))) or "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return escaped(str(value))

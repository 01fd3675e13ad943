"""``edgeauth addresses``: shows, checks and updates the address list of the edge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeauth._record.list_age import AgeWarning
from edgeauth.addresses import AddressList, canonical_address
from edgeauth.errors import ConfigurationError
from edgeauth.ops.address_update.errors import ListRefused
from edgeauth.ops.address_update.export import FORMATS, export
from edgeauth.ops.address_update.list_file import ListFile
from edgeauth.ops.address_update.published import PUBLISHED, urls_of
from edgeauth.ops.address_update.update import GRACE_DAYS, Difference, public_list, update
from edgeauth.ops.cli.file_type import FILE
from edgeauth.ops.cli.group import Commands
from edgeauth.ops.cli.options import config_option
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.text import escaped
from edgeauth.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from edgeauth.networks import Network
    from edgeauth.ops.address_update.update import Update

_DEFAULT = "fastly"


def _file_option(command: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option(
        "--file",
        "file",
        metavar="FILE",
        type=FILE,
        help="The list. Default: that of the setting addresses, or else the bundled one.",
    )
    return option(config_option(command))


def _public_options(command: Callable[..., Any]) -> Callable[..., Any]:
    cdn = click.option(
        "--cdn",
        type=click.Choice(list(PUBLISHED)),
        help="Whose list it is. Default: the setting cdn, or else fastly.",
    )
    urls = click.option(
        "--url",
        "urls",
        multiple=True,
        help="Where the list is, each part of it. Default: where that CDN publishes it.",
    )
    return cdn(urls(command))


@click.group("addresses", cls=Commands)
def command() -> None:
    """Show, check and update the list of the edge's addresses.

    The app never fetches anything: it reads the file that EDGEAUTH_ADDRESSES names, or the
    list that this package brings.
    """


@command.command("show")
@_file_option
@json_option(
    {
        "source": "the file, or the bundled list",
        "as_of": "the date of the list, or null",
        "networks": "a list: network, and until, the last day of one that left the list; else null",
    }
)
def show(*, file: str | None, config: str | None, as_json: bool) -> None:
    """Print the networks that are accepted, and how old the list is."""
    source, addresses = _read(file, config)
    if as_json:
        networks = [_network(network, addresses) for network in addresses.networks]
        print_json({"source": source, "as_of": addresses.as_of, "networks": networks})
    else:
        click.echo(f"# {source}, {_dated(addresses)}")
        for network in addresses.networks:
            last_day = addresses.retiring.get(network)
            click.echo(f"{network}" + ("" if last_day is None else f"  # left, until {last_day}"))
    age = AgeWarning(Settings.load(config).addresses_stale_days).age_if_old(addresses)
    if age is not None:
        click.secho(f"The list is {age} days old: edgeauth addresses update", fg="red", err=True)


@command.command("check")
@click.argument("address", metavar="IP")
@_file_option
@json_option(
    {
        "address": "the address, in its usual spelling",
        "listed": "whether it is on the list",
        "network": "the network that it is in, or null",
        "until": "the last day of a network that left the list; else null",
        "as_of": "the date of the list, or null",
    }
)
@click.pass_context
def check(
    ctx: click.Context, *, address: str, file: str | None, config: str | None, as_json: bool
) -> None:
    """Say whether an address is on the list. Exit status: 0 it is, 1 it is not."""
    canonical = canonical_address(address)
    if canonical is None:
        raise click.UsageError(f"{escaped(address)} is not an IP address")
    _, addresses = _read(file, config)
    within = [net for net in addresses.networks if canonical in AddressList([str(net)])]
    if as_json:
        found = _network(within[0], addresses) if within else {"network": None, "until": None}
        about = {"address": canonical, "listed": bool(within), "as_of": addresses.as_of}
        print_json({**about, **found})
        ctx.exit(0 if within else 1)
    if not within:
        click.echo(f"{canonical} is not on the list ({_dated(addresses)})")
        ctx.exit(1)
    last_day = addresses.retiring.get(within[0])
    until = "" if last_day is None else f", which left the list and is accepted until {last_day}"
    click.echo(f"{canonical} is in {within[0]}{until}")


@command.command("update")
@_file_option
@_public_options
@click.option("--force", is_flag=True, help="Take a list that is not plausible.")
@click.option(
    "--grace-days",
    type=click.IntRange(0, 365),
    default=GRACE_DAYS,
    show_default=True,
    help="How long networks that leave the list stay accepted.",
)
@json_option(
    {
        "file": "the file",
        "changed": "whether the list is another one now",
        "as_of": "the date of the list",
        "count": "how many networks are on it",
        "removed": "a list of those that left it: network, and until, the last day",
        "added": "a list of the new networks",
        "ended": "a list of networks that left it earlier and are no longer accepted",
    }
)
@click.pass_context
def update_command(
    ctx: click.Context,
    *,
    file: str | None,
    config: str | None,
    cdn: str | None,
    urls: tuple[str, ...],
    force: bool,
    grace_days: int,
    as_json: bool,
) -> None:
    """Fetch the public list, check it, put it into the file, and print what changed.

    The file is replaced in one step, and only by a list that is plausible: not empty, no
    private or huge networks, and at least half of what was there. Exit status: 0 the file
    is up to date, 1 the list was not to be had or not believed and the file is as it was.
    """
    path = _writable(file, config)
    whose = _whose(cdn, config)
    try:
        done = update(path, *urls_of(whose, urls), cdn=whose, force=force, grace_days=grace_days)
    except ListRefused as error:
        _refused(ctx, error, "The file is as it was.")
    if as_json:
        print_json(_updated(path, done))
        return
    for network in done.difference.removed:
        last_day = done.stored.retiring.get(network)
        until = "" if last_day is None else f"  accepted until {last_day}"
        click.secho(f"- {network}{until}", fg="red")
    _print_added(done.difference)
    for network in done.ended:
        if network not in done.difference.removed:
            click.secho(f"- {network}  its days are over", fg="red")
    count = len(done.stored.listed)
    changed = "updated" if done.difference else "no change"
    click.echo(f"{changed}: {count} networks in {escaped(str(path))}, as of {done.stored.as_of}")


@command.command("diff")
@_file_option
@_public_options
@click.argument("other", metavar="[OTHER]", type=FILE, required=False)
@json_option(
    {
        "removed": "a list of the networks that the other list does not have",
        "added": "a list of those that only the other list has",
    }
)
@click.pass_context
def diff(
    ctx: click.Context,
    *,
    file: str | None,
    config: str | None,
    cdn: str | None,
    urls: tuple[str, ...],
    other: str | None,
    as_json: bool,
) -> None:
    """Compare the list with the file OTHER, or else with the public list; change nothing.

    Exit status: 0 they are the same, 1 they differ or the public list was not to be had.
    """
    _, addresses = _read(file, config)
    try:
        new = (
            public_list(*urls_of(_whose(cdn, config), urls))
            if other is None
            else ListFile.of(AddressList.from_file(other))
        )
    except ListRefused as error:
        _refused(ctx, error)
    difference = Difference.between(ListFile.of(addresses), new)
    if as_json:
        print_json({"removed": _texts(difference.removed), "added": _texts(difference.added)})
    else:
        for network in difference.removed:
            click.secho(f"- {network}", fg="red")
        _print_added(difference)
    ctx.exit(1 if difference else 0)


@command.command("export")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), required=True)
@_file_option
def export_command(*, form: str, file: str | None, config: str | None) -> None:
    """Print the list for another program, with how to load it in its first line.

    Behind a load balancer or a proxy these programs see its address, not the edge's: there
    this wall stands in the wrong place.
    """
    _, addresses = _read(file, config)
    click.echo(export(addresses, form), nl=False)


def _read(file: str | None, config: str | None) -> tuple[str, AddressList]:
    """The list that the options name, and its name for people."""
    named = file if file is not None else Settings.load(config).addresses
    if named is None or named in PUBLISHED:
        return "the bundled list", AddressList.bundled(named or _whose(None, config))
    return escaped(named), AddressList.from_file(named)


def _whose(cdn: str | None, config: str | None) -> str:
    """The CDN whose list is meant."""
    named = (one.cdn for one in Settings.load(config).schemes if one.cdn is not None)
    return cdn or next(named, _DEFAULT)


def _writable(file: str | None, config: str | None) -> Path:
    named = file if file is not None else Settings.load(config).addresses
    if named is None or named in PUBLISHED:
        raise ConfigurationError(
            "which file? Give --file FILE, or set EDGEAUTH_ADDRESSES to a file; the bundled "
            "list is part of the package and is not changed"
        )
    return Path(named)


def _dated(addresses: AddressList) -> str:
    return f"{len(addresses)} networks as of {addresses.as_of or 'an unknown date'}"


def _updated(path: Path, done: Update) -> dict[str, Any]:
    retiring = done.stored.retiring
    return {
        "file": str(path),
        "changed": bool(done.difference),
        "as_of": done.stored.as_of,
        "count": len(done.stored.listed),
        "removed": [
            {"network": str(network), "until": _day(retiring.get(network))}
            for network in done.difference.removed
        ],
        "added": _texts(done.difference.added),
        "ended": _texts(net for net in done.ended if net not in done.difference.removed),
    }


def _network(network: Network, addresses: AddressList) -> dict[str, Any]:
    return {"network": str(network), "until": _day(addresses.retiring.get(network))}


def _day(last: date | None) -> str | None:
    return None if last is None else last.isoformat()


def _texts(networks: Iterable[Network]) -> list[str]:
    return [str(network) for network in networks]


def _print_added(difference: Difference) -> None:
    for network in difference.added:
        click.secho(f"+ {network}", fg="green")


def _refused(ctx: click.Context, error: ListRefused, consequence: str = "") -> None:
    click.echo(f"Error: {error}. {consequence}".rstrip(), err=True)
    ctx.exit(1)

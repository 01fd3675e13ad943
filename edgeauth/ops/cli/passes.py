"""``edgeauth pass``: issues passes for people who must reach the origin directly."""

from __future__ import annotations

import re
import time

import click

from edgeauth.errors import ConfigurationError
from edgeauth.ops.cli.group import Commands
from edgeauth.ops.cli.options import config_option
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.cli.text import curl_command
from edgeauth.passes import HEADER
from edgeauth.settings import Settings

_TTL = re.compile(r"([0-9]{1,6})([smh])")
_UNITS = {"s": 1, "m": 60, "h": 3600}


def _ttl(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    match = _TTL.fullmatch(value)
    if match is None:
        raise click.BadParameter("write a length such as 90s, 15m or 2h")
    return int(match[1]) * _UNITS[match[2]]


@click.group("pass", cls=Commands)
def command() -> None:
    """Issue a pass: a person reaches the origin directly for a while.

    The edge's secret stays where it is. Passes are off until pass_secret
    (EDGEAUTH_PASS_SECRET) is set at the origin.
    """


@command.command("issue")
@click.option("--for", "holder", metavar="NAME", required=True, help="Whom it is for: see the log.")
@click.option(
    "--ttl",
    metavar="LENGTH",
    default="15m",
    show_default=True,
    callback=_ttl,
    help="How long it is good: 90s, 15m, 2h; at most 24h.",
)
@click.option("--method", "methods", metavar="METHOD", multiple=True, help="Good for this method.")
@click.option("--path-exact", "paths", metavar="PATH", multiple=True, help="Good for this path.")
@click.option("--curl", "url", metavar="URL", help="Print a curl command that requests URL.")
@json_option(
    {
        "header": "the name of the header field",
        "value": "the pass itself: who has it can use it",
        "id": "by which it is revoked",
        "for": "whom it is for",
        "expires_at": "Unix seconds",
        "methods": "a list; none means any",
        "paths": "a list; none means any",
    }
)
@config_option
def issue(
    *,
    holder: str,
    ttl: int,
    methods: tuple[str, ...],
    paths: tuple[str, ...],
    url: str | None,
    as_json: bool,
    config: str | None,
) -> None:
    """Print the header of a new pass.

    Only the header goes to standard output; what it is good for, and the id by which it is
    revoked, go to standard error. --method and --path-exact may be given several times.
    """
    if as_json and url is not None:
        raise click.UsageError("--json and --curl: give one of them")
    passes = Settings.load(config).build_passes()
    if passes is None:
        raise ConfigurationError(
            "no pass secret: set EDGEAUTH_PASS_SECRET or EDGEAUTH_PASS_SECRET_FILE here and at "
            "the origin; edgeauth keygen makes one"
        )
    value, issued = passes.issue(holder, ttl=ttl, methods=methods, paths=paths)
    line = f"{HEADER}: {value}"
    if as_json:
        print_json(
            {
                "header": HEADER,
                "value": value,
                "id": issued.id,
                "for": holder,
                "expires_at": issued.expires_at,
                "methods": methods,
                "paths": paths,
            }
        )
    else:
        click.echo(line if url is None else curl_command([line], url))
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(issued.expires_at))
    scope = f"{' '.join(methods) or 'any method'}, {' '.join(paths) or 'any path'}"
    click.echo(f"pass {issued.id} for {holder}: until {until}, {scope}", err=True)
    click.echo(
        f"Send the header with a request: curl --header '{HEADER}: ...' URL. Whoever has it can "
        f"use it. To revoke it, add {issued.id} to revoked_passes or its file.",
        err=True,
    )

"""``edgeauth sign``: a header as the edge would send it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import click

from edgeauth.ops.cli.options import at_option, read_settings, settings_options
from edgeauth.ops.cli.text import curl_command
from edgeauth.schemes.edge_auth import sign

if TYPE_CHECKING:
    from edgeauth.settings import Settings

# What the edge's local simulators call themselves, so that a value which was made by hand
# is told from one of a real POP in the origin's log.
_NO_POP = "XXX"


@click.command("sign")
@click.option(
    "--pop",
    metavar="CODE",
    help=f"The POP that signs. Default: the first of the setting pops, else {_NO_POP}.",
)
@at_option
@click.option(
    "--encoding",
    type=click.Choice(["hex", "base64"]),
    default="hex",
    show_default=True,
    help="hex is what VCL sends, base64 is what Compute Rust sends.",
)
@click.option("--two-field", is_flag=True, help="Name no POP, as Compute JavaScript does.")
@click.option("--curl", "url", metavar="URL", help="Print a curl command that requests URL.")
@settings_options
def command(
    *,
    pop: str | None,
    at: float | None,
    encoding: Literal["hex", "base64"],
    two_field: bool,
    url: str | None,
    config: str | None,
    secret_file: str | None,
    secrets_file: str | None,
) -> None:
    """Print a header as the edge would send it.

    The newest secret signs. Where the scheme is shared-secret there is nothing to sign, and
    the command refuses: the header would be the secret itself.
    """
    if two_field and pop is not None:
        raise click.UsageError("--two-field names no POP: leave --pop out")
    settings = read_settings(config, secret_file, secrets_file)
    if settings.scheme == "shared-secret":
        raise click.UsageError(
            "the scheme is shared-secret: its header is the secret itself, which is not printed. "
            f"Write '{settings.header}: <secret>' into a file and use curl --header @FILE"
        )
    moment = time.time() if at is None else at
    value = sign(
        settings.read_keys().signing_key(moment),
        pop=_default_pop(settings) if pop is None and not two_field else pop,
        timestamp=int(moment),
        encoding=encoding,
    )
    line = f"{settings.header}: {value}"
    click.echo(line if url is None else curl_command(line, url))


def _default_pop(settings: Settings) -> str:
    return settings.pops[0] if settings.pops else _NO_POP

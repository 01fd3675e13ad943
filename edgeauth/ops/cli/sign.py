"""``edgeauth sign``: a header as the edge would send it."""

from __future__ import annotations

import time
from typing import Literal

import click
from click.core import ParameterSource

from edgeauth.ops.cli.options import at_option, read_settings, settings_options
from edgeauth.ops.cli.text import curl_command
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.configured import signing
from edgeauth.ops.schemes.credential import credential
from edgeauth.schemes.base import SIMULATED_POP, Outgoing


@click.command("sign")
@click.option(
    "--pop",
    metavar="CODE",
    help=f"The POP that signs. Default: the first of the setting pops, else {SIMULATED_POP}.",
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
@click.option(
    "--scheme", "kind", metavar="KIND", help="Which of several schemes. Default: the first."
)
@settings_options
@click.pass_context
def command(
    ctx: click.Context,
    *,
    pop: str | None,
    at: float | None,
    encoding: Literal["hex", "base64"],
    two_field: bool,
    url: str | None,
    kind: str | None,
    config: str | None,
    secret_file: str | None,
    secrets_file: str | None,
) -> None:
    """Print a header as the edge would send it.

    The newest secret signs. Where the scheme is one that sends the secret itself there is
    nothing to sign, and the command refuses.
    """
    if two_field and pop is not None:
        raise click.UsageError("--two-field names no POP: leave --pop out")
    settings = read_settings(config, secret_file, secrets_file)
    scheme = signing(settings, kind)
    tools = tools_of(scheme.kind)
    if tools.sends_secret:
        raise click.UsageError(
            f"the scheme is {scheme.kind}: its header is the secret itself, which is not printed. "
            f"Write '{scheme.headers[0]}: <secret>' into a file and use curl --header @FILE"
        )
    how = {"pop": pop, "encoding": encoding}
    asked = {name for name in how if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if two_field:
        asked.add("pop")
    if idle := asked - tools.wishes:
        raise click.UsageError(f"--{min(idle)} has no meaning for the scheme {scheme.kind}")
    make = credential(scheme, **{name: how[name] for name in asked})
    fields = make(None if url is None else _outgoing(url), time.time() if at is None else at)
    lines = [f"{name}: {value}" for name, value in fields]
    click.echo("\n".join(lines) if url is None else curl_command(lines, url))


def _outgoing(url: str) -> Outgoing:
    # Here, since most callers name none, and it is slow to import.
    from urllib.parse import urlsplit  # noqa: PLC0415

    try:
        parts = urlsplit(url)
    except ValueError:
        raise click.UsageError(f"--curl {url!a} is no URL") from None
    query = f"?{parts.query}" if parts.query else ""
    return Outgoing("GET", parts.netloc.rpartition("@")[2], f"{parts.path or '/'}{query}")

"""``edgeauth sign``: a header as the edge would send it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

import click
from click.core import ParameterSource

from edgeauth.ops.cli.file_type import FILE
from edgeauth.ops.cli.options import (
    at_option,
    key_options,
    read_settings,
    settings_options,
)
from edgeauth.ops.cli.outgoing import read_body, read_fields, request_of
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.cli.text import curl_command
from edgeauth.ops.private_key import read_private_key
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.configured import signing
from edgeauth.ops.schemes.credential import credential
from edgeauth.schemes.base import SIMULATED_POP

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.schemes.base import Outgoing


def _request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say what is signed, where the scheme signs the request."""
    url = click.option(
        "--url", metavar="URL", help="The request, where it is signed; as the edge sends it."
    )
    curl = click.option(
        "--curl", metavar="URL", help="As --url, and print a curl command that requests it."
    )
    method = click.option("--method", default="GET", show_default=True, help="Of that request.")
    header = click.option(
        "-H",
        "--header",
        "headers",
        metavar="'NAME: VALUE'",
        multiple=True,
        help="A field of that request; Host is the one that is signed.",
    )
    body = click.option(
        "--body",
        metavar="FILE",
        type=FILE,
        help="Its body, where content-digest is signed; - is standard input.",
    )
    return url(curl(method(header(body(command)))))


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
@_request_options
@key_options
@json_option({"FIELD": "the value of each header field of the credential, by the field's name"})
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
    curl: str | None,
    method: str,
    headers: tuple[str, ...],
    body: str | None,
    key_file: str | None,
    key_id: str | None,
    as_json: bool,
    kind: str | None,
    config: str | None,
    secret_file: str | None,
    secrets_file: str | None,
) -> None:
    """Print a header as the edge would send it.

    The newest secret signs, or the private key of --key-file. Where the scheme is one that sends
    the secret itself there is nothing to sign, and the command refuses.
    """
    _refuse_both(two_field and pop is not None, "--two-field names no POP: leave --pop out")
    _refuse_both(url is not None and curl is not None, "--url and --curl: give one of them")
    _refuse_both(as_json and curl is not None, "--json and --curl: give one of them")
    settings = read_settings(config, secret_file, secrets_file)
    private = None if key_file is None else read_private_key(key_file, settings, key_id)
    scheme = signing(settings, kind, private)
    tools = tools_of(scheme.kind)
    if tools.sends_secret:
        raise click.UsageError(
            f"the scheme is {scheme.kind}: its header is the secret itself, which is not printed. "
            f"Write '{scheme.headers[0]}: <secret>' into a file and use curl --header @FILE"
        )
    how = {"pop": pop, "encoding": encoding, "key": private}
    asked = {name for name in how if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if two_field:
        asked.add("pop")
    if private is not None:
        asked.add("key")
    if idle := asked - tools.wishes:
        option = "key-file" if idle == {"key"} else min(idle)
        raise click.UsageError(f"--{option} has no meaning for the scheme {scheme.kind}")
    request: Outgoing | None = None
    if (target := curl if url is None else url) is not None:
        option, content = "--curl" if url is None else "--url", None
        if body is not None:
            content = read_body(body)
        request = request_of(option, target, method, read_fields(headers), content)
    make = credential(scheme, **{name: how[name] for name in asked})
    made = make(request, time.time() if at is None else at)
    lines = [f"{name}: {value}" for name, value in made]
    if as_json:
        print_json(dict(made))
    elif curl is None:
        click.echo("\n".join(lines))
    else:
        click.echo(curl_command([*headers, *lines], curl, method, body))


def _refuse_both(given: bool, why: str) -> None:  # noqa: FBT001 - its one meaning
    if given:
        raise click.UsageError(why)

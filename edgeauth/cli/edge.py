"""``edgeauth edge``: a stand-in POP for local development."""

from __future__ import annotations

import dataclasses
import logging
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import click

from edgeauth.cli.options import read_settings, settings_options
from edgeauth.errors import ConfigurationError
from edgeauth.schemes import sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.settings import Settings

_SHUTDOWN_SECONDS = 1


@click.command("edge")
@click.option(
    "--upstream", metavar="URL", required=True, help="The origin, such as http://127.0.0.1:8000."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=7070, show_default=True)
@click.option("--pop", metavar="CODE", default="XXX", show_default=True, help="The POP it plays.")
@click.option(
    "--scheme",
    type=click.Choice(["edge-auth", "shared-secret"]),
    help="Sign, or send the secret. Default: the setting scheme.",
)
@settings_options
def command(
    *,
    upstream: str,
    host: str,
    port: int,
    pop: str,
    scheme: Literal["edge-auth", "shared-secret"] | None,
    config: str | None,
    secret_file: str | None,
    secrets_file: str | None,
) -> None:
    """Stand in for a POP in local development: sign requests and forward them.

    Point a browser at it to reach a guarded app. It streams, keeps connections alive and
    relays WebSockets; what a client sends in the credential header is removed.

    Whoever reaches it can send signed requests, so it listens on this machine alone.
    """
    try:
        from aiohttp import web  # noqa: PLC0415 - needs the extra

        from edgeauth.edge.pop import StandInPop  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"{error.name} is missing: pip install 'edgeauth[edge]'") from None
    settings = read_settings(config, secret_file, secrets_file)
    if scheme is not None:
        settings = dataclasses.replace(settings, scheme=scheme)
    # Building the scheme finds every mistake in the settings now, and not on a request.
    header = settings.build_scheme(settings.read_keys()).header
    credential = _credential(settings, pop)
    credential()
    edge = StandInPop(_origin(upstream), header, credential)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    if not _is_loopback(host):
        click.echo(
            f"edgeauth edge: {host} is not the loopback address: everybody who reaches it can "
            "send requests that the origin takes for the edge's",
            err=True,
        )
    click.echo(f"edgeauth edge: http://{_authority(host)}:{port} -> {upstream}", err=True)
    web.run_app(
        edge.app(),
        host=host,
        port=port,
        print=None,
        access_log_format='%s "%r" %Tf s',
        # An open WebSocket or event stream must not keep Ctrl-C waiting.
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )


def _credential(settings: Settings, pop: str) -> Callable[[], str]:
    """What makes a credential; the key is looked up each time, since keys may be dated."""
    keys = settings.read_keys()

    def shared_secret() -> str:
        return keys.signing_key().secret.decode()

    def signature() -> str:
        return sign(keys.signing_key(), pop=pop)

    return shared_secret if settings.scheme == "shared-secret" else signature


def _origin(upstream: str) -> str:
    try:
        parts = urlsplit(upstream)
        usable = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable or parts.scheme not in ("http", "https"):
        raise ConfigurationError(f"--upstream {upstream!r}: write http://HOST:PORT")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigurationError(
            f"--upstream {upstream!r} has a path: paths are forwarded as they are, write only "
            "http://HOST:PORT"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _authority(host: str) -> str:
    return f"[{host}]" if ":" in host else host

"""``edgeauth edge``: a stand-in POP for local development."""

from __future__ import annotations

import errno
import logging
import os
import time
from ipaddress import ip_address
from urllib.parse import urlsplit

import click

from edgeauth.errors import ConfigurationError, explain
from edgeauth.ops.cli.options import key_options, read_settings, settings_options
from edgeauth.ops.private_key import read_private_key
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.configured import signing
from edgeauth.ops.schemes.credential import credential, refuse_unusable
from edgeauth.ops.text import escaped
from edgeauth.schemes.base import SIMULATED_POP
from edgeauth.schemes.registry import kinds

_SHUTDOWN_SECONDS = 1


@click.command("edge")
@click.option(
    "--upstream", metavar="URL", required=True, help="The origin, such as http://127.0.0.1:8000."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=7070, show_default=True)
@click.option(
    "--pop", metavar="CODE", default=SIMULATED_POP, show_default=True, help="The POP it plays."
)
@click.option(
    "--scheme",
    type=click.Choice(kinds()),
    help="Sign, or send the secret. Default: the setting scheme.",
)
@key_options
@settings_options
def command(
    *,
    upstream: str,
    host: str,
    port: int,
    pop: str,
    scheme: str | None,
    key_file: str | None,
    key_id: str | None,
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

        from edgeauth.ops.dev_edge.pop import StandInPop  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"{error.name} is missing: pip install 'edgeauth[edge]'") from None
    settings = read_settings(config, secret_file, secrets_file)
    if scheme is not None and scheme not in {one.kind for one in settings.schemes}:
        settings = settings.with_kind(scheme)
    # Finds every mistake in the settings now, and not on a request.
    private = None if key_file is None else read_private_key(key_file, settings, key_id)
    signer = signing(settings, scheme, private)
    how = {"pop": pop, "key": private}
    wishes = tools_of(signer.kind).wishes
    if private is not None and "key" not in wishes:
        raise click.UsageError(f"--key-file has no meaning for the scheme {signer.kind}")
    make = credential(signer, **{name: how[name] for name in wishes & how.keys() if how[name]})
    refuse_unusable([make], time.time())
    edge = StandInPop(_origin(upstream), signer.headers, make)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    # aiohttp's server logs whatever a peer did wrong with a trace-back.
    for name in ("aiohttp.server", "asyncio"):
        logging.getLogger(name).addFilter(_in_one_line)
    if not _is_loopback(host):
        click.echo(
            f"edgeauth edge: {host} is not the loopback address: everybody who reaches it can "
            "send requests that the origin takes for the edge's",
            err=True,
        )
    click.echo(f"edgeauth edge: http://{_authority(host)}:{port} -> {upstream}", err=True)
    try:
        web.run_app(
            edge.app(),
            host=host,
            port=port,
            print=None,
            access_log_format='%s "%r" %Tf s',
            # An open WebSocket or event stream must not keep Ctrl-C waiting.
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
    except OSError as error:
        raise ConfigurationError(_no_listener(host, port, error)) from None


def _in_one_line(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        record.msg, record.args = f"{escaped(record.getMessage())}: {type(error).__name__}", ()
        record.exc_info = record.exc_text = None
    return True


def _origin(upstream: str) -> str:
    try:
        parts = urlsplit(upstream)
        usable = (
            bool(parts.hostname)
            and upstream.isprintable()
            and parts.port != 0
            and "@" not in parts.netloc
        )
    except ValueError:
        usable = False
    if not usable or not upstream.isprintable() or parts.scheme not in ("http", "https"):
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


def _no_listener(host: str, port: int, error: OSError) -> str:
    where = f"cannot listen at {_authority(host)}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: another program does. Stop it, or name another --port"
    # asyncio writes a sentence of its own around the words of the system.
    if error.errno is not None and error.errno in errno.errorcode:
        return f"{where}: {os.strerror(error.errno)}"
    return f"{where}: {explain(error)}"

"""``edgeauth serve``: runs the decision service for reverse proxies."""

from __future__ import annotations

import click

from edgeauth.errors import ConfigurationError
from edgeauth.ops.cli.file_type import FILE
from edgeauth.posix import demand


@click.command("serve")
@click.option(
    "--config",
    metavar="FILE",
    type=FILE,
    help="A TOML file: the guard's settings, and a table [service] for the options below. "
    "A pipe is read once: then SIGHUP is refused. [EDGEAUTH_CONFIG]",
)
@click.option(
    "--listen",
    metavar="ADDRESS",
    help="unix:/path, host:port (each address of a name), or systemd.",
)
@click.option("--socket-mode", metavar="OCTAL", help="Permissions of the Unix socket. [660]")
@click.option(
    "--proxy",
    metavar="KIND",
    help="Which proxy asks: nginx, ingress-nginx, forward-auth (Caddy, Traefik), envoy or haproxy."
    " [nginx]",
)
@click.option(
    "--proxy-addresses",
    metavar="CIDR,...",
    help="Who is believed about the original request. [unix,127.0.0.0/8,::1]",
)
@click.option("--workers", metavar="N", help="Processes that decide. [1]")
@click.option("--deny-status", metavar="STATUS", help="403 or 401. [403]")
@click.option(
    "--admin", metavar="ADDRESS", help="Where /healthz, /readyz and /metrics listen. [off]"
)
@click.option("--log-format", metavar="FORMAT", help="plain or json. [plain]")
def command(config: str | None, **flags: str | None) -> None:
    """Decide about requests that a reverse proxy asks about.

    Each option is also EDGEAUTH_SERVICE_<NAME> in the environment. SIGHUP reads the
    configuration again, SIGTERM drains.
    """
    demand("edgeauth serve", "fcntl", "resource", "os.fork")
    try:
        from edgeauth.service.state import State  # noqa: PLC0415 - needs the extra
        from edgeauth.service.supervisor import Supervisor  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{error.name} is missing: pip install 'edgeauth[serve]'"
        ) from None
    given = {name: value for name, value in flags.items() if value is not None}
    Supervisor(lambda generation: State.read(generation, config, None, given)).run()

"""``edgeauth doctor``: finds set-ups that go wrong, before they do."""

from __future__ import annotations

import os
import time
from typing import Any

import click

from edgeauth.errors import ConfigurationError
from edgeauth.ops.cli.options import config_option
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.doctor.app_checks import check_app
from edgeauth.ops.doctor.app_loading import is_asgi, load_app
from edgeauth.ops.doctor.cdn_checks import check_cdn
from edgeauth.ops.doctor.clock_checks import check_clock
from edgeauth.ops.doctor.finding import Finding
from edgeauth.ops.doctor.peer_checks import check_peer
from edgeauth.ops.doctor.replay_checks import check_replay
from edgeauth.ops.doctor.secret_checks import check_secrets
from edgeauth.ops.doctor.server_checks import check_server, check_target
from edgeauth.ops.doctor.setting_checks import check_settings, check_start
from edgeauth.ops.schemes.configured import configured
from edgeauth.ops.text import escaped
from edgeauth.settings import Settings, config_path

_WIDTH = 88
_COLOURS = {"error": "red", "warning": "yellow"}


@click.command("doctor")
@click.option(
    "--app",
    "app_name",
    metavar="MODULE:ATTRIBUTE",
    help="The app, to be imported and asked; MODULE:FACTORY() is called.",
)
@click.option("--factory", is_flag=True, help="--app names what makes the app: call it.")
@click.option(
    "--host",
    metavar="NAME",
    help="The Host that --app is asked for. Default: one of Django's ALLOWED_HOSTS, or localhost.",
)
@click.option("--listen", metavar="ADDRESS", help="Where the server listens, as unix:/path.")
@click.option("--server", metavar="NAME", help="What serves the app, as gunicorn or uwsgi.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="How many processes serve the app. Default: what variables and gunicorn.conf.py say.",
)
@click.option("--clock", "clock_url", metavar="URL", help="A server to compare the clock with.")
@json_option({"findings": "a list: id, severity (error or warning), seen, advice"})
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    app_name: str | None,
    factory: bool,
    host: str | None,
    listen: str | None,
    server: str | None,
    workers: int | None,
    clock_url: str | None,
    as_json: bool,
    config: str | None,
) -> None:
    """Look for set-ups that go wrong.

    Run it as the app is run: by the same user, in the same folder, with the same variables.
    It changes nothing, and asks the network nothing but the Date of --clock. --app is imported
    and asked in this process: GET, OPTIONS and handshakes of WebSockets, none of them signed.
    Of an app that is behind its gate only what is exempt runs.

    Exit status: 0 nothing found, 1 something found, 2 wrong usage.
    """
    if factory and app_name is None:
        raise click.UsageError("--factory: name what makes the app with --app")
    try:
        path = config_path(config)
        settings = Settings.load(path)
    except ConfigurationError as error:
        # Without settings nothing else can be checked.
        found = [Finding("settings-unusable", "error", str(error), "The app does not start.")]
    else:
        app = None if app_name is None else load_app(app_name, factory=factory)
        found = _findings(
            settings,
            app,
            path,
            host=host,
            listen=listen,
            server=server,
            workers=workers,
            clock_url=clock_url,
        )
    if as_json:
        print_json({"findings": [finding._asdict() for finding in found]})
    else:
        for finding in found:
            _print(finding)
        click.echo(f"{len(found)} found" if found else "nothing found")
    ctx.exit(1 if found else 0)


def _findings(
    settings: Settings,
    app: Any,  # noqa: ANN401 - of any framework
    path: str | os.PathLike[str] | None,
    *,
    host: str | None,
    listen: str | None,
    server: str | None,
    workers: int | None,
    clock_url: str | None,
) -> list[Finding]:
    found = []
    # An app may get its settings in code. Then only its gate can be checked.
    if app is None or settings.has_secret:
        found += check_secrets(settings, path)
    found += check_settings(settings, now=time.time())
    found += check_cdn(settings)
    found += check_start(settings, found)
    asgi = app is None or is_asgi(app)
    found += check_peer(settings, os.environ, listen=listen, is_asgi=asgi)
    found += check_server(settings, server, is_wsgi=app is not None and not asgi)
    try:
        schemes = configured(settings, without_secret=True)
    except ConfigurationError:
        schemes = []  # Said above.
    found += check_target(schemes, server, is_wsgi=app is not None and not asgi)
    found += check_replay(settings, schemes, path, os.environ, workers)
    found += check_clock(settings, clock_url)
    if app is not None:
        found += check_app(app, settings.exempt, host=host)
    return found


def _print(finding: Finding) -> None:
    word = click.style(finding.severity.upper(), fg=_COLOURS[finding.severity], bold=True)
    click.echo(f"{word}  {finding.id}")
    for text in (finding.seen, finding.advice):
        click.echo(click.wrap_text(escaped(text), _WIDTH, "  ", "  "))
    click.echo()

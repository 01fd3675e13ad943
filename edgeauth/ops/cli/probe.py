"""``edgeauth probe``: tries an origin from outside, as an attacker and as the edge."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeauth.addresses import AddressList
from edgeauth.errors import ConfigurationError, explain
from edgeauth.exemptions import is_exact_path, is_method
from edgeauth.ops.cli.file_type import FILE
from edgeauth.ops.cli.options import key_options, read_settings, settings_options
from edgeauth.ops.cli.probe_page import page
from edgeauth.ops.cli.probe_report import MEMBERS, count, document, junit
from edgeauth.ops.cli.progress import SECONDS, on_terminal, progress
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.private_key import read_private_key
from edgeauth.ops.probe.judge import Result, Unreachable, run
from edgeauth.ops.probe.rows import rows
from edgeauth.ops.probe.wire import Target
from edgeauth.ops.schemes.configured import configured
from edgeauth.ops.schemes.probe_rows import Plan
from edgeauth.ops.text import escaped
from edgeauth.settings import CDNS

if TYPE_CHECKING:
    from edgeauth.ops.schemes.probe_rows import Row
    from edgeauth.settings import Settings

_WIDTH = 88
_COLOURS = {"pass": "green", "fail": "red", "not tried": "yellow"}
_WORDS = {"pass": "PASS", "fail": "FAIL", "not tried": "-   "}


def _refused(_ctx: click.Context, _param: click.Parameter, value: str) -> frozenset[int | str]:
    words = value.split(",")
    if not all(word == "closed" or re.fullmatch(r"[45][0-9]{2}", word) for word in words):
        raise click.BadParameter("write statuses, and closed, with commas: 401,403,closed")
    return frozenset(word if word == "closed" else int(word) for word in words)


def _exempt(
    _ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    entries = tuple(entry if " " in entry else f"GET {entry}" for entry in value)
    for entry in entries:
        method, _, path = entry.partition(" ")
        if not is_method(method) or not is_exact_path(path):
            raise click.BadParameter(f"{entry!a}: write /healthz or 'HEAD /healthz'")
    return entries


@click.command("probe")
@click.argument("url")
@click.option("--connect", metavar="HOST:PORT", help="Connect there; URL gives Host and TLS name.")
@click.option("--cacert", metavar="FILE", type=FILE, help="Trust the CA in this file, for TLS.")
@click.option(
    "--exempt",
    metavar="[METHOD] PATH",
    multiple=True,
    callback=_exempt,
    help="A path that needs no credential. Default: the setting exempt.",
)
@click.option("--websocket", metavar="PATH", help="A path that takes WebSockets.")
@click.option(
    "--refused",
    metavar="STATUS,...",
    default="401,403",
    show_default=True,
    callback=_refused,
    help="What counts as a refusal; closed: the connection is closed without an answer.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0.1, 100),
    default=5,
    show_default=True,
    help="Requests a second, at most.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 60),
    default=5,
    show_default=True,
    help="Seconds for one request.",
)
@json_option(MEMBERS)
@click.option(
    "--junit", "junit_file", metavar="FILE", type=FILE, help="Write a JUnit file as well."
)
@click.option(
    "--html", metavar="FILE", type=FILE, help="Also write a page to hand on, without network."
)
@key_options
@settings_options
@click.pass_context
def command(
    ctx: click.Context,
    *,
    url: str,
    connect: str | None,
    cacert: str | None,
    exempt: tuple[str, ...],
    websocket: str | None,
    refused: frozenset[int | str],
    rate: float,
    timeout: float,
    as_json: bool,
    junit_file: str | None,
    html: str | None,
    key_file: str | None,
    key_id: str | None,
    config: str | None,
    secret_file: str | None,
    secrets_file: str | None,
) -> None:
    """Try an origin from outside, as an attacker and as the edge.

    URL is a page of the origin that answers 2xx to the edge. Only probe an origin of your
    own: to one without a gate, the requests (a POST among them) are real.

    With the secret, by the options or the variables of the app, it also sends requests that
    are signed as the edge does, and some that are not quite. Where the origin has public keys
    alone, --key-file is what signs.

    Exit status: 0 everything tried is as it must be, 1 something is not, 2 wrong usage,
    or nothing answered at all.
    """
    settings = read_settings(config, secret_file, secrets_file)
    target = Target.parse(url, connect=connect, cacert=cacert)
    if websocket is not None and not (is_exact_path(websocket) and websocket.isascii()):
        raise click.UsageError("--websocket: write one path, such as /ws")
    plan = Plan(
        target.authority,
        target.path,
        exempt=exempt or settings.exempt,
        websocket=websocket,
        no_key=None if settings.has_secret or key_file else "no secret was given",
        private_key=None if key_file is None else read_private_key(key_file, settings, key_id),
        again=_why_again(settings),
        remembers=settings.replay is not None,
        **of_the_edge(settings),
    )
    tried = _rows(plan, settings)
    began, found = time.time(), []
    try:
        # On a terminal the rows themselves tell how far it is.
        waiting = len(tried) > rate * SECONDS and (as_json or not on_terminal(sys.stdout))
        with progress(len(tried), "probing", shown=waiting) as advance:
            for result in run(tried, target, rate=rate, timeout=timeout, refused=refused):
                found.append(result)
                advance(1)
                if not as_json:
                    _print(result)
    except Unreachable as error:
        raise ConfigurationError(str(error)) from None
    if as_json:
        print_json(document(url, found))
    else:
        click.echo()
        numbers = [f"{count(found, outcome)} {outcome}" for outcome in _WORDS]
        click.echo(", ".join(numbers))
    if junit_file is not None:
        _write("--junit", junit_file, junit(url, found))
    if html is not None:
        shown = page(url, target, found, began=began, ended=time.time(), refused=refused)
        _write("--html", html, shown.encode())
    ctx.exit(1 if count(found, "fail") else 0)


def _rows(plan: Plan, settings: Settings) -> list[Row]:
    found = rows(plan, configured(settings, without_secret=not settings.has_secret))
    # What cannot be signed must not come up in the midst of the requests.
    for row in found:
        if row.request is not None:
            row.request(int(time.time()))
    return found


def of_the_edge(settings: Settings) -> dict[str, Any]:
    """What the edge has that anybody can claim: an address, and the fields of its servers."""
    named = [one.cdn for one in settings.schemes if one.cdn is not None] or ["fastly"]
    marks = dict(mark for name in named for mark in CDNS[name].marks)
    addresses = settings.build_addresses() or AddressList.fastly()
    network = addresses.networks[0]
    return {
        "marks": tuple(marks.items()),
        # A bare address is a network of one.
        "edge": str(network[min(1, network.num_addresses - 1)]),
    }


def _why_again(settings: Settings) -> str | None:
    """Why a request that is signed for once may be sent again; None where it must not."""
    if settings.replay_methods == "unsafe":
        return "replay_methods is unsafe: a GET may be sent again"
    return None


def _print(result: Result) -> None:
    word = click.style(_WORDS[result.outcome], fg=_COLOURS[result.outcome], bold=True)
    click.echo(f"{word}  {result.answer or '-':<11}  {escaped(result.row.title)}")
    if result.outcome == "fail":
        click.echo(click.wrap_text(escaped(result.meaning), _WIDTH, " " * 6, " " * 6))


def _write(option: str, path: str, content: bytes) -> None:
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise ConfigurationError(f"{option} {path!a} cannot be written: {explain(error)}") from None

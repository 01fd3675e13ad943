"""``edgeauth verify``: whether a credential is accepted, and if not, why."""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

import click

from edgeauth.errors import Replayed, StoreUnavailable, VerificationError
from edgeauth.ops.cli.options import at_option, read_settings, settings_options
from edgeauth.ops.cli.outgoing import request_of
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.cli.text import table
from edgeauth.ops.replay_lookup import looked_up
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.configured import configured
from edgeauth.ops.schemes.diagnosis import Diagnosis
from edgeauth.ops.schemes.request_lines import Hints, RequestLines
from edgeauth.ops.standard_input import STDIN, read_standard_input, standard_input
from edgeauth.replay import ReplayStoreError
from edgeauth.schemes.any_of import AnyOf
from edgeauth.verdict import EdgeIdentity

_MAX_INPUT_BYTES = 64 << 10
_WIDTH = 88


_MEMBERS = {
    "accepted": "whether it is",
    "reason": "a code: edgeauth help reasons",
    "message": "what a refusal says; else null",
    "at": "the moment that counted, Unix seconds",
    "timestamp": "when it was signed, Unix seconds; null where nothing authentic says so",
    "age": "seconds from then to the moment; null likewise",
    "pop": "the POP that signed; null likewise",
    "key_id": "the key that signed; null likewise",
    "fields": "a list of the parts of the credential: name, seen, ok, note",
    "findings": "a list of what is wrong: code, text",
    "schemes": "with several schemes alone: such an object of each, and scheme, its kind",
}


class _Judged(NamedTuple):
    """What one scheme says."""

    kind: str
    outcome: EdgeIdentity | VerificationError
    diagnosis: Diagnosis


@click.command("verify")
@click.argument("value", default=STDIN)
@at_option
@click.option("--method", metavar="METHOD", help="The method, where VALUE has no request line.")
@click.option("--url", metavar="URL", help="What was asked for, where VALUE does not tell it.")
@click.option(
    "--expect-host",
    "hosts",
    metavar="HOST",
    multiple=True,
    help="A Host that the edge may have signed in place of the one that came.",
)
@click.option(
    "--expect-prefix",
    "prefixes",
    metavar="/PATH",
    multiple=True,
    help="What a proxy may have taken away from the path. The setting mount_points is tried, too.",
)
@click.option(
    "--expect-url",
    "urls",
    metavar="URL",
    multiple=True,
    help="What the edge may have asked for, as its log says.",
)
@json_option(_MEMBERS)
@settings_options
@click.pass_context
def command(
    ctx: click.Context,
    *,
    value: str,
    at: float | None,
    method: str | None,
    url: str | None,
    hosts: tuple[str, ...],
    prefixes: tuple[str, ...],
    urls: tuple[str, ...],
    as_json: bool,
    config: str | None,
    secret_file: str | None,
    secrets_file: str | None,
) -> None:
    """Say whether a credential is accepted, and if not, why.

    VALUE is a header value, a line with it as it is copied ("Edge-Auth: value", "> Edge-Auth:
    value" of curl -v, an option of curl, a line of a log), or - (or nothing) for standard input,
    which may also hold all the header lines of a request. It is judged with the settings of the
    app, but only the credential: addresses, exemptions and report-only do not count here.

    A message signature needs the request as it came to the origin: its first line ("GET
    /path?query HTTP/1.1") and all its headers, or --method and --url beside them. What was signed
    is shown line by line. Of a wrong signature, what usually happens to a request on its way is
    tried, to name the line that differs. With a replay store that can be asked, it also says
    whether the nonce was seen before; with --at, before that moment.

    Exit status: 0 accepted, 1 refused, 2 wrong usage or configuration.
    """
    if value == secret_file == STDIN:
        raise click.UsageError("standard input can give the secret or the value, not both")
    settings = read_settings(config, secret_file, secrets_file)
    schemes = configured(settings)
    secret_kind = next((one.kind for one in schemes if tools_of(one.kind).sends_secret), None)
    if secret_kind is not None and value != STDIN:
        raise click.UsageError(
            f"the scheme is {secret_kind}, so the value is a secret: give it on standard input"
        )
    given = _read_stdin() if value == STDIN else os.fsencode(value)
    now = time.time() if at is None else at
    store = looked_up(settings.replay)

    def seen_at(key: bytes) -> float | None:
        try:
            seen = store(key)
        except ReplayStoreError as error:
            raise StoreUnavailable(str(error)) from None
        return None if seen is None or (at is not None and seen > at) else seen

    for option, named in (("--url", (url,)), ("--expect-url", urls)):
        for address in filter(None, named):
            request_of(option, address, method or "GET", [], None)
    hints = Hints(method, url, hosts, urls, (*prefixes, *settings.mount_points), seen_at)
    lines = RequestLines(given, [one.headers for one in schemes], hints)
    judged = [_judge(one, lines, now) for one in schemes]
    first, several = judged[0], judged if len(judged) > 1 else []
    if several:
        first = _Judged("", _outcome(AnyOf(*schemes), lines, now), Diagnosis((), ()))
    if as_json:
        print_json(_document(first, several, now))
    else:
        _print(first)
        for one in several:
            click.echo(f"\n{one.kind}:")
            _print(one)
    ctx.exit(0 if isinstance(first.outcome, EdgeIdentity) else 1)


def _read_stdin() -> bytes:
    if standard_input().isatty():
        click.echo("Paste the header, then press Enter and Ctrl-D.", err=True)
    given = read_standard_input(_MAX_INPUT_BYTES + 1)
    if len(given) > _MAX_INPUT_BYTES:
        raise click.UsageError(f"standard input is over {_MAX_INPUT_BYTES} bytes: no header is")
    return given


def _judge(scheme: Any, lines: RequestLines, now: float) -> _Judged:  # noqa: ANN401 - any kind
    diagnosis = tools_of(scheme.kind).explain(scheme, lines, now)
    return _Judged(scheme.kind, _outcome(scheme, lines, now), diagnosis)


def _outcome(
    scheme: Any,  # noqa: ANN401 - of any kind
    lines: RequestLines,
    now: float,
) -> EdgeIdentity | VerificationError:
    try:
        identity: EdgeIdentity = scheme.verify(lines, now=now)
        if identity.once is not None and lines.hints.seen_at(identity.once.key) is not None:
            return Replayed("it admits one request, and was used before", identity=identity)
    except VerificationError as error:
        return error
    return identity


def _document(judged: _Judged, several: list[_Judged], now: float) -> dict[str, Any]:
    outcome = judged.outcome
    refusal = outcome if isinstance(outcome, VerificationError) else None
    known = outcome.identity if isinstance(outcome, VerificationError) else outcome
    document: dict[str, Any] = {
        "accepted": refusal is None,
        "reason": refusal.reason if refusal else "ok",
        "message": refusal.message if refusal else None,
        "at": now,
        "timestamp": known.timestamp if known else None,
        "age": known.age(now) if known else None,
        "pop": known.pop if known else None,
        "key_id": known.key_id if known else None,
        "fields": [field._asdict() for field in judged.diagnosis.fields],
        "findings": [finding._asdict() for finding in judged.diagnosis.findings],
    }
    if several:
        document["schemes"] = [{"scheme": one.kind, **_document(one, [], now)} for one in several]
    return document


def _print(judged: _Judged) -> None:
    outcome, diagnosis = judged.outcome, judged.diagnosis
    if isinstance(outcome, VerificationError):
        word = click.style("REFUSED", fg="red", bold=True)
        click.echo(f"{word}  {outcome.reason}: {outcome.message}")
    else:
        word = click.style("ACCEPTED", fg="green", bold=True)
        click.echo(f"{word}  signed with key {outcome.key_id}")
    if diagnosis.fields:
        click.echo()
        lines = table([field.name, field.seen, field.note] for field in diagnosis.fields)
        for field, line in zip(diagnosis.fields, lines, strict=True):
            mark = click.style("ok  ", fg="green") if field.ok else click.style("FAIL", fg="red")
            click.echo(f"  {mark}  {line}")
    for finding in diagnosis.findings:
        click.echo()
        click.echo(click.wrap_text(finding.text, _WIDTH))

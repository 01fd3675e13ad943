"""``edgeauth verify``: whether a header value is accepted, and if not, why."""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING, Any

import click

from edgeauth.errors import VerificationError
from edgeauth.ops.cli.options import at_option, read_settings, settings_options
from edgeauth.ops.cli.text import table
from edgeauth.ops.schemes.edge_auth.explain import Diagnosis, diagnose
from edgeauth.ops.standard_input import STDIN, read_standard_input, standard_input
from edgeauth.schemes.shared_secret import SharedSecretScheme
from edgeauth.verdict import EdgeIdentity

if TYPE_CHECKING:
    from edgeauth.schemes.edge_auth import EdgeAuthScheme

_MAX_INPUT_BYTES = 64 << 10
_WIDTH = 88
# Lines that hold a header, most exact first. "NAME" stands for its name.
_FORMS = (
    # A field of a message; curl -v has one of "<>*" before it.
    rb"(?:[<>*][ \t]*)?NAME[ \t]*:(?P<value>.*)",
    # In quotes: an option of curl, a field of JSON or a mapping, a variable of a log.
    rb"(?:.*[ \t\[({,])?(?P<quote>[\"'])NAME[ \t]*:(?P<value>.*?)(?P=quote).*",
    (
        rb"(?:.*[ \t\[({,])?(?P<quote>[\"']?)NAME(?P=quote)[ \t]*[:=][ \t]*"
        rb"(?P<mark>[\"'])(?P<value>.*?)(?P=mark).*"
    ),
    # In brackets: curl -v of HTTP/2.
    rb"(?:.*[ \t])?\[NAME[ \t]*:(?P<value>[^\]]*)\].*",
    # Without quotes it ends at a space, but the one after a comma.
    rb"(?:.*[ \t\[({,])NAME[:=][ \t]*(?P<value>(?:[^ \t]|(?<=,)[ \t])+).*",
    rb"NAME=(?P<value>.*)",
)


@click.command("verify")
@click.argument("value", default=STDIN)
@at_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@settings_options
@click.pass_context
def command(
    ctx: click.Context,
    *,
    value: str,
    at: float | None,
    as_json: bool,
    config: str | None,
    secret_file: str | None,
    secrets_file: str | None,
) -> None:
    """Say whether a header value is accepted, and if not, why.

    VALUE is a header value, a line with it as it is copied ("Edge-Auth: value", "> Edge-Auth:
    value" of curl -v, an option of curl, a line of a log), or - (or nothing) for standard input,
    which may also hold all the header lines of a request. It is judged with the settings of the
    app, but only the credential: addresses, exemptions and report-only do not count here.

    Exit status: 0 accepted, 1 refused, 2 wrong usage or configuration.

    --json prints one object: accepted (bool), reason (a code), message, at, timestamp, age
    and pop (all three null where the value is not authentic or carries none), key_id,
    fields (name, seen, ok, note) and findings (code, text).
    """
    if value == secret_file == STDIN:
        raise click.UsageError("standard input can give the secret or the value, not both")
    settings = read_settings(config, secret_file, secrets_file)
    scheme: Any = settings.build_scheme(settings.read_keys())
    if isinstance(scheme, SharedSecretScheme) and value != STDIN:
        raise click.UsageError(
            "the scheme is shared-secret, so the value is a secret: give it on standard input"
        )
    given = _read_stdin() if value == STDIN else os.fsencode(value)
    received = header_value(given, scheme.header)
    now = time.time() if at is None else at
    outcome = _judge(scheme, received, now)
    diagnosis = _diagnosis(scheme, received, now)
    if as_json:
        click.echo(json.dumps(_document(outcome, diagnosis, now)))
    else:
        _print(outcome, diagnosis)
    ctx.exit(0 if isinstance(outcome, EdgeIdentity) else 1)


def header_value(given: bytes, header: str) -> bytes:
    """The value of *header* in *given*: a value, a header line, or the lines of a request.

    A line may be as it is copied from where one sees it: ``> Edge-Auth: value`` of curl -v,
    ``-H 'Edge-Auth: value'`` of a command, ``"edge-auth": "value"`` of a program,
    ``edge-auth="value"`` of a log. White space around the value is left out, and lines of the
    same name are joined with commas: what HTTP servers do before an application sees the
    value (RFC 9110, 5.3 and 5.5).
    """
    name = rb"(?i:" + re.escape(header.encode()) + rb")"
    lines = [text.rstrip(b"\r") for text in given.split(b"\n")]
    for form in _FORMS:
        line = re.compile(form.replace(b"NAME", name))
        matches = [match for text in lines if (match := line.fullmatch(text))]
        if matches:
            return b", ".join(match["value"].strip(b" \t") for match in matches)
    # Quotes around a bare value stay: an edge that sends them is refused, and must be told of.
    return given.strip(b" \t\r\n")


def _read_stdin() -> bytes:
    if standard_input().isatty():
        click.echo("Paste the header, then press Enter and Ctrl-D.", err=True)
    given = read_standard_input(_MAX_INPUT_BYTES + 1)
    if len(given) > _MAX_INPUT_BYTES:
        raise click.UsageError(f"standard input is over {_MAX_INPUT_BYTES} bytes: no header is")
    return given


def _judge(
    scheme: EdgeAuthScheme | SharedSecretScheme, value: bytes, now: float
) -> EdgeIdentity | VerificationError:
    try:
        return scheme.verify_value(value, now=now)
    except VerificationError as error:
        return error


def _diagnosis(scheme: EdgeAuthScheme | SharedSecretScheme, value: bytes, now: float) -> Diagnosis:
    # A shared secret has no parts, and nothing of it may be shown.
    if isinstance(scheme, SharedSecretScheme):
        return Diagnosis((), ())
    return diagnose(value, scheme, now=now)


def _document(
    outcome: EdgeIdentity | VerificationError, diagnosis: Diagnosis, now: float
) -> dict[str, Any]:
    refusal = outcome if isinstance(outcome, VerificationError) else None
    known = outcome.identity if isinstance(outcome, VerificationError) else outcome
    return {
        "accepted": refusal is None,
        "reason": refusal.reason if refusal else "ok",
        "message": refusal.message if refusal else None,
        "at": now,
        "timestamp": known.timestamp if known else None,
        "age": known.age(now) if known else None,
        "pop": known.pop if known else None,
        "key_id": known.key_id if known else None,
        "fields": [field._asdict() for field in diagnosis.fields],
        "findings": [finding._asdict() for finding in diagnosis.findings],
    }


def _print(outcome: EdgeIdentity | VerificationError, diagnosis: Diagnosis) -> None:
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

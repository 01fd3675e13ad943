"""``edgeauth keys``: rotates a key step by step, and says how far a rotation is.

A rotation never leaves the edge with a key that the origin does not know::

    begin    the origin takes both keys; the new secret is printed, for the edge
             (the operator puts it at the edge)
    status   says whether the edge still signs with the old one
    finish   the origin drops the old one

Exit status: 1 if the state of a rotation forbids the step, 2 for wrong usage.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeauth._reload.watched_file import grace
from edgeauth.errors import ConfigurationError, seconds
from edgeauth.keys import KeyRing
from edgeauth.ops.cli.file_type import FILE
from edgeauth.ops.cli.group import Commands
from edgeauth.ops.cli.options import config_option
from edgeauth.ops.cli.progress import SECONDS, progress
from edgeauth.ops.cli.results import json_option, print_json
from edgeauth.ops.cli.text import table
from edgeauth.ops.rotation.evidence import accepted_in_decisions, verified_by_metrics
from edgeauth.ops.rotation.judgement import Evidence, judge, key_ids, kind_of
from edgeauth.ops.rotation.secrets_file import SecretsFile
from edgeauth.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgeauth.named_key import NamedKey

# Longer than a value of the old key is accepted by default: max_age and max_future.
_OVER_SECONDS = 120.0

_BEGUN = """\
The secret of key {new} stands alone on standard output. It is the last line of
{path}. {accepted}

  1. Wait {grace} s: then every process that watches the file accepts it.
  2. Put it at the edge, in the place of the old one.
  3. edgeauth keys status, with --log or --metrics, says whether the edge has switched.
  4. edgeauth keys rotate finish drops the old key.

Until then the edge can go back at any time.
"""


_OF_PAIRS = """\
the newest key in {path} is public, and its other half is made for the edge. To change it:
  1. edgeauth keygen --type ed25519 --out FILE
  2. Put the line that it prints at the end of {path}, and wait {grace} s.
  3. Let the edge sign with the private key in FILE.
  4. edgeauth keys rotate finish drops the old line.
(--force adds a secret to it instead)"""


class _Refusal(click.ClickException):
    """A step that is not safe now: one line, and the exit status of a refusal."""

    exit_code = 1


_secrets_file_option = click.option(
    "--secrets-file",
    metavar="FILE",
    type=FILE,
    help="The file of id:secret lines. Default: the setting secrets_file.",
)


def _evidence_options(command: Callable[..., Any]) -> Callable[..., Any]:
    log = click.option(
        "--log",
        metavar="FILE",
        type=FILE,
        help="The app's file of decisions (the setting decisions).",
    )
    metrics = click.option(
        "--metrics",
        metavar="URL",
        help="/metrics of edgeauth serve; asked twice, --over seconds apart.",
    )
    over = click.option(
        "--over",
        metavar="SECONDS",
        type=click.FloatRange(min=0, max=86_400),
        default=_OVER_SECONDS,
        show_default=True,
        help="For how long the old key must not have been seen.",
    )
    return log(metrics(over(command)))


@click.group("keys", cls=Commands)
def command() -> None:
    """Rotate the keys, and say which the edge signs with.

    rotate begin adds a new key beside the old and prints its secret; you put it at the edge;
    status says whether the edge still signs with the old key; rotate finish drops that.
    """


@command.group("rotate")
def rotate() -> None:
    """Change the key without refusing a request: begin, switch the edge, finish."""


@rotate.command("begin")
@click.option("--id", "key_id", metavar="ID", help="Of the new key. Default: today's date.")
@click.option(
    "--force", is_flag=True, help="Add a key to several, or make a file that is not there."
)
@json_option(
    {
        "id": "of the new key",
        "secret": "its secret, for the edge",
        "file": "the secrets file",
        "accepted_before": "a list of the ids of the keys that were in it",
        "wait_seconds": "after which every process accepts the new key",
    }
)
@config_option
@_secrets_file_option
def begin(
    *,
    key_id: str | None,
    force: bool,
    as_json: bool,
    config: str | None,
    secrets_file: str | None,
) -> None:
    """Add a new key to the secrets file and print its secret, for the edge.

    Only the secret goes to standard output.

    Exit status: 0 done, 1 refused, since an earlier rotation is unfinished.
    """
    settings = Settings.load(config)
    path = _path(settings, secrets_file)
    # Hex, for the reasons of keygen.
    secret = secrets.token_hex(32)
    if force and not path.exists():
        old: list[str] = []
        new, accepted = key_id or _new_id(()), "There was no such file, and no key before it."
        SecretsFile.create(path, new, secret)
    else:
        with SecretsFile.locked(path) as file:
            if len(file.keys) > 1 and not force:
                raise _Refusal(
                    f"a rotation is under way: {path} holds the keys {key_ids(file.keys)}. See "
                    "edgeauth keys status, then edgeauth keys rotate finish; or add one more "
                    "with --force"
                )
            if kind_of([*file.keys][-1]) and not force:
                raise _Refusal(
                    _OF_PAIRS.format(path=path, grace=seconds(grace(settings.watch_interval)))
                )
            old = [key.id for key in file.keys]
            accepted = f"Accepted as before: {key_ids(file.keys)}."
            new = key_id or _new_id(file.keys)
            file.add(new, secret)
    wait = seconds(grace(settings.watch_interval))
    if as_json:
        made = {"id": new, "secret": secret, "file": str(path), "accepted_before": old}
        print_json({**made, "wait_seconds": grace(settings.watch_interval)})
    else:
        click.echo(secret)
    click.echo(_BEGUN.format(new=new, path=path, accepted=accepted, grace=wait), err=True, nl=False)


@rotate.command("finish")
@click.option("--force", is_flag=True, help="Do it, whatever was seen of the old key.")
@_evidence_options
@json_option(
    {
        "kept": "the id of the key that stays",
        "dropped": "a list of the ids of the others",
        "file": "the secrets file",
        "wait_seconds": "within which it is in force",
    }
)
@config_option
@_secrets_file_option
def finish(
    *,
    force: bool,
    log: str | None,
    metrics: str | None,
    over: float,
    as_json: bool,
    config: str | None,
    secrets_file: str | None,
) -> None:
    """Drop all keys but the newest from the secrets file.

    Refused, unless --log or --metrics shows that the edge signs with the newest key and no
    longer with another.

    Exit status: 0 done, 1 refused.
    """
    settings = Settings.load(config)
    path = _path(settings, secrets_file)
    evidence = _evidence(log, metrics, over)
    with SecretsFile.locked(path) as file:
        *old, new = file.keys
        if not old:
            raise _Refusal(f"no rotation is under way: {path} holds one key, {new.id}")
        judgement = judge(file.keys, evidence)
        if not judgement.safe and not force:
            raise _Refusal(
                f"{judgement.sentence} Nothing was changed. To drop {key_ids(old)} all the same, "
                "give --force"
            )
        file.drop_old()
    wait = seconds(grace(settings.watch_interval))
    if as_json:
        dropped = [key.id for key in old]
        done = {"kept": new.id, "dropped": dropped, "file": str(path)}
        print_json({**done, "wait_seconds": grace(settings.watch_interval)})
        return
    click.echo(f"Dropped {key_ids(old)}; {new.id} stays. In force within {wait} s.")


@command.command("status")
@_evidence_options
@json_option(
    {
        "safe": "whether nothing keeps the rotation from being finished",
        "answer": "the same as a sentence",
        "keys": "a list, oldest to newest: id, newest, seen (null without evidence), valid, kind",
    }
)
@config_option
@_secrets_file_option
@click.pass_context
def status(
    ctx: click.Context,
    *,
    log: str | None,
    metrics: str | None,
    over: float,
    as_json: bool,
    config: str | None,
    secrets_file: str | None,
) -> None:
    """Say how far a rotation is, and whether the old key is still seen.

    Exit status: 0 nothing keeps the rotation from being finished, or none is under way; 1 the
    old key is still seen, or nothing shows that it is not.
    """
    # Named, it is one file, however many schemes there are.
    keys = (
        Settings.load(config).only_scheme().read_keys()
        if secrets_file is None
        else KeyRing.from_file(secrets_file)
    )
    evidence = _evidence(log, metrics, over)
    now = time.time()
    judgement = judge(keys, evidence)
    if as_json:
        rows = [_facts(key, keys, evidence, now) for key in keys]
        print_json({"safe": judgement.safe, "answer": judgement.sentence, "keys": rows})
        ctx.exit(0 if judgement.safe else 1)
    for line in table(_row(key, keys, evidence, now) for key in keys):
        click.echo(line)
    click.echo()
    click.echo(judgement.sentence)
    ctx.exit(0 if judgement.safe else 1)


def _evidence(log: str | None, metrics: str | None, over: float) -> Evidence | None:
    if log is not None and metrics is not None:
        raise click.UsageError("--log and --metrics: give one of them")
    if log is not None:
        now = time.time()
        return Evidence(accepted_in_decisions(log, since=now - over, now=now), over)
    if metrics is None:
        return None
    before = verified_by_metrics(metrics)
    click.echo(f"Watching the metrics for {seconds(over)} s ...", err=True)
    whole = int(over)
    with progress(whole, "watching", shown=whole > SECONDS) as advance:
        for _ in range(whole):
            time.sleep(1)
            advance(1)
    time.sleep(over - whole)
    return Evidence(verified_by_metrics(metrics).since(before), over)


def _path(settings: Settings, secrets_file: str | None) -> Path:
    if secrets_file is not None:
        return Path(secrets_file)
    scheme = settings.only_scheme()
    if scheme.secrets_file is not None:
        return Path(scheme.secrets_file)
    if scheme.secrets_dir is not None:
        raise ConfigurationError(
            "the secrets are in secrets_dir: add and remove its files where they are made; "
            "docs/rotation.md has the order"
        )
    raise ConfigurationError(
        "a rotation needs a secrets_file: put a line id:secret with the present secret into a "
        "file, set EDGEAUTH_SECRETS_FILE to it instead of EDGEAUTH_SECRET, and restart once"
    )


def _new_id(keys: Iterable[NamedKey]) -> str:
    taken = {key.id for key in keys}
    today = datetime.now(UTC).date().isoformat()
    later = (f"{today}.{number}" for number in range(2, len(taken) + 3))
    return next(key_id for key_id in (today, *later) if key_id not in taken)


def _facts(key: NamedKey, keys: KeyRing, evidence: Evidence | None, now: float) -> dict[str, Any]:
    return {
        "id": key.id,
        "newest": key is [*keys][-1],
        "seen": None if evidence is None else evidence.accepted.by_key[key.id],
        "valid": key.valid_at(now),
        "kind": kind_of(key) or "hmac",
    }


def _row(key: NamedKey, keys: KeyRing, evidence: Evidence | None, now: float) -> list[str]:
    facts = _facts(key, keys, evidence, now)
    seen = "" if evidence is None else f"seen {facts['seen']} times"
    valid = "" if facts["valid"] else "NOT VALID NOW"
    return [key.id, "newest" if facts["newest"] else "old", seen, valid, kind_of(key)]

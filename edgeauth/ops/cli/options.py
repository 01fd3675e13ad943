"""Options that several commands share, and the settings that are read by them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from edgeauth.errors import ConfigurationError
from edgeauth.keys import MAX_SECRET_FILE_BYTES, bare_secret
from edgeauth.ops.cli.file_type import FILE
from edgeauth.ops.standard_input import STDIN, read_standard_input
from edgeauth.settings import Settings
from edgeauth.text_files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

_UNIX = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    if _UNIX.fullmatch(value):
        return float(value)
    if value.isdigit():
        raise click.BadParameter("too many digits: write seconds, not milliseconds")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("write 1700000000 or 2023-11-14T22:13:20Z") from None
    # Edges log UTC, and a host that means another zone can write it.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


config_option = click.option(
    "--config",
    metavar="FILE",
    type=FILE,
    help="A TOML file of settings; EDGEAUTH_* variables win over it. [EDGEAUTH_CONFIG]",
)

at_option = click.option(
    "--at",
    metavar="UNIX|ISO",
    callback=_moment,
    help="The moment: Unix seconds, or 2023-11-14T22:13:20Z (UTC unless it names an offset). "
    "Default: now.",
)

_secret_file_option = click.option(
    "--secret-file",
    metavar="FILE",
    type=FILE,
    help="A file that holds one secret and nothing else (a newline at its end is left out); "
    "- is standard input.",
)

_secrets_file_option = click.option(
    "--secrets-file", metavar="FILE", type=FILE, help="A file of id:secret lines, oldest to newest."
)


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* --config, --secret-file and --secrets-file.

    A secret is never an argument: every user of the machine sees arguments in ``ps``.
    """
    return config_option(_secret_file_option(_secrets_file_option(command)))


def key_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* --key-file and --key-id: what signs where the origin only verifies."""
    file = click.option(
        "--key-file",
        metavar="FILE",
        type=FILE,
        help="The private key that signs, in PEM without a password.",
    )
    key_id = click.option(
        "--key-id",
        metavar="ID",
        help="Its id. Default: that of the public key in the settings that goes with it.",
    )
    return file(key_id(command))


def read_settings(
    config: str | None, secret_file: str | None, secrets_file: str | None
) -> Settings:
    """The settings as the application would load them, with the secrets that options name.

    Raises:
        ConfigurationError: a file or a setting cannot be used.
        click.UsageError: both options for secrets are given.
    """
    if secret_file is not None and secrets_file is not None:
        raise click.UsageError("--secret-file and --secrets-file: give one of them")
    settings = Settings.load(config)
    if secret_file is None and secrets_file is None:
        return settings
    secret = None if secret_file is None else _bare_secret(secret_file)
    return settings.with_secrets(secret=secret, secrets_file=secrets_file)


def _bare_secret(path: str) -> str:
    where = "--secret-file " + ("- (standard input)" if path == STDIN else repr(path))
    limit = MAX_SECRET_FILE_BYTES + 1
    raw = read_standard_input(limit) if path == STDIN else read_bytes(path, where, limit)
    try:
        return bare_secret(raw, where)
    except ConfigurationError as error:
        if b"\n" not in raw.strip():
            raise
        raise ConfigurationError(
            f"{error}, or give a file of id:secret lines with --secrets-file"
        ) from None

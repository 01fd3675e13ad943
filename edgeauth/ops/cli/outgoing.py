"""A request that somebody describes by options, as what signs it sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from edgeauth.errors import ConfigurationError
from edgeauth.ops.standard_input import STDIN, read_standard_input
from edgeauth.schemes.base import Outgoing
from edgeauth.text_files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

_URL = re.compile(
    r"https?://(?:[^/?#\s]*@)?([^/?#@\s]+)([^?#\s]*)(\?[^#\s]*)?(?:#.*)?", re.IGNORECASE
)
_FIELD = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_METHOD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}")

# More than is sent in one request by hand.
_MOST = 1 << 30


def request_of(
    option: str,
    url: str,
    method: str,
    fields: list[tuple[str, str]],
    body: bytes | None,
) -> Outgoing:
    """The request that options describe; a Host among *fields* is its authority.

    Raises:
        click.UsageError: *url*, the value of *option*, is none, or *method* is none.
    """
    # Here, since most callers name no URL, and it is slow to import.
    from urllib.parse import urlsplit  # noqa: PLC0415

    match = _URL.fullmatch(url)
    try:
        urlsplit(url)
    except ValueError:
        match = None
    if match is None:
        raise click.UsageError(
            f"{option} {url!a} is no URL: write one that begins with http:// or https://"
        )
    if not _METHOD.fullmatch(method):
        raise click.UsageError(f"--method {method!a} is no method of HTTP")
    authority, path, query = match.groups()
    hosts = [value for name, value in fields if name.lower() == "host"]
    others = [(name, value) for name, value in fields if name.lower() != "host"]
    target = f"{path or '/'}{query or ''}"
    return Outgoing(method, hosts[0] if hosts else authority, target, others, body)


def read_fields(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Name and value of each of *lines*.

    Raises:
        click.UsageError: one is no field of HTTP.
    """
    found = []
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise click.UsageError("-H: write 'Name: value'")
        found.append((match[1], match[2]))
    return found


def read_body(path: str) -> bytes:
    """The bytes of *path*, or of standard input.

    Raises:
        ConfigurationError: it cannot be read.
    """
    raw = (
        read_standard_input(_MOST) if path == STDIN else read_bytes(path, f"--body {path!r}", _MOST)
    )
    if len(raw) >= _MOST:
        raise ConfigurationError(f"--body {path!r} has {_MOST} bytes or more")
    return raw

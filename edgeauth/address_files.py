"""Files with an address list, in the shape of Fastly's public list, and the bundled one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edgeauth.errors import ConfigurationError, explain

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

# Source: https://api.fastly.com/public-ip-list
FASTLY = Path(__file__).parent / "data" / "fastly-public-ip-list.json"

_MAX_FILE_BYTES = 16 << 20
_FORM = '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": ["2001:db8::/32"]}'


class ListFields(NamedTuple):
    """What a file says. Only its shape was checked: the values may be anything.

    Attributes:
        networks: of both versions.
        as_of: the date of the list, or None.
        retiring: networks that have left the list, and the last day of each.
    """

    networks: list[Any]
    as_of: Any
    retiring: Mapping[str, Any]


def read_list(path: str | os.PathLike[str], where: str) -> str:
    """The text of a file; *where* is what errors call it.

    Raises:
        ConfigurationError: unreadable, over 16 MiB, or not UTF-8.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{where} cannot be read: {explain(error)}") from None
    if len(raw) > _MAX_FILE_BYTES:
        raise ConfigurationError(f"{where} is over {_MAX_FILE_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{where} is not UTF-8 text") from None


def parse_list(text: str, where: str) -> ListFields:
    """The fields of such a text; *where* is what errors call it.

    Raises:
        ConfigurationError: it is not of that shape.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigurationError(f"{where} is not JSON; expected {_FORM}") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{where} has the wrong shape; expected {_FORM}")
    networks: list[str] = []
    for name in ("addresses", "ipv6_addresses"):
        entries = document.get(name)
        if not isinstance(entries, list):
            raise ConfigurationError(f"{where} has no list {name!r}; expected {_FORM}")
        networks += entries
    retiring = document.get("retiring", {})
    if not isinstance(retiring, dict):
        raise ConfigurationError(f'{where}: retiring must be like {{"192.0.2.0/24": "2026-10-31"}}')
    return ListFields(networks, document.get("as_of"), retiring)

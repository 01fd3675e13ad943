"""Files with an address list, in the form in which its CDN publishes it; and the bundled ones.

The content tells the form, so a file may be what was downloaded:

- Fastly, and what ``edgeauth addresses update`` writes: ``addresses`` and ``ipv6_addresses``
- AWS, ``ip-ranges.json``: of ``prefixes`` and ``ipv6_prefixes`` those from which CloudFront
  meets origins
- Google, ``goog.json``: ``prefixes``
- Azure, ``ServiceTags_Public_*.json``: of ``values`` that from which Front Door meets origins
- Cloudflare's API: ``result``
- bunny: a list of addresses
- Cloudflare, bunny, Akamai: text, a network or an address a line; ``#`` begins a comment
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edgeauth.errors import ConfigurationError, explain

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

# Source: https://api.fastly.com/public-ip-list
FASTLY = Path(__file__).parent / "data" / "fastly-public-ip-list.json"

#: The lists that come with the package, by the name that a setting has for them.
BUNDLED: Mapping[str, Path] = {"fastly": FASTLY}

# https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-ranges.html
_CLOUDFRONT = "CLOUDFRONT_ORIGIN_FACING"
# https://learn.microsoft.com/azure/frontdoor/origin-security
_FRONT_DOOR = "AzureFrontDoor.Backend"

_MAX_FILE_BYTES = 16 << 20
_FORM = '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": ["2001:db8::/32"]}'
_LINE = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")

# No CDN has a wider one. In a text that is torn, 172.64.0.0/13 can end as 172.64.0.0/1.
_WIDEST = {False: 8, True: 16}


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
        ConfigurationError: it is of no form that is known, or has nothing of an edge in it.
    """
    lines = _lines(text)
    if lines:
        return _published(lines, None, where)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigurationError(
            f"{where} is not JSON; expected {_FORM}, what a CDN publishes, or a network a line"
        ) from None
    if isinstance(document, list) and document and all(isinstance(one, str) for one in document):
        return _published(document, None, where)
    if not isinstance(document, dict):
        raise ConfigurationError(f"{where} has the wrong shape; expected {_FORM}")
    if not {"addresses", "ipv6_addresses"} & document.keys():
        for name, (read, missing) in _FORMS.items():
            if name in document:
                networks = list(read(document))
                if not networks:
                    raise ConfigurationError(f"{where} has the wrong shape: {missing}")
                date = document.get("createDate", document.get("creationTime"))
                return _published(networks, date, where)
    return _own(document, where)


def _own(document: dict[str, Any], where: str) -> ListFields:
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


def _lines(text: str) -> list[str] | None:
    """The networks of a text that has one a line; None if it is no such text."""
    found = [bare for line in text.splitlines() if (bare := line.partition("#")[0].strip())]
    return found if all(map(_LINE.fullmatch, found)) else None


def _published(networks: list[str], date: object, where: str) -> ListFields:
    for network in networks:
        length = network.partition("/")[2]
        if length.isascii() and length.isdigit() and int(length[:4]) < _WIDEST[":" in network]:
            raise ConfigurationError(f"{where} has {network}: no network of a CDN is so wide")
    day = _DAY.match(date) if isinstance(date, str) else None
    return ListFields(networks, None if day is None else day[0], {})


def _objects(document: dict[str, Any], *names: str) -> Iterator[dict[str, Any]]:
    for name in names:
        entries = document.get(name)
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                yield entry


def _of_prefixes(document: dict[str, Any]) -> Iterator[str]:
    for entry in _objects(document, "prefixes", "ipv6_prefixes"):
        of_aws = "ip_prefix" in entry or "ipv6_prefix" in entry
        if of_aws and entry.get("service") != _CLOUDFRONT:
            continue
        names = ("ip_prefix", "ipv6_prefix") if of_aws else ("ipv4Prefix", "ipv6Prefix")
        yield from (entry[name] for name in names if isinstance(entry.get(name), str))


def _of_service_tags(document: dict[str, Any]) -> Iterator[str]:
    for entry in _objects(document, "values"):
        if entry.get("name") == _FRONT_DOOR and isinstance(entry.get("properties"), dict):
            yield from _texts(entry["properties"].get("addressPrefixes"))


def _of_result(document: dict[str, Any]) -> Iterator[str]:
    result = document["result"]
    for name in ("ipv4_cidrs", "ipv6_cidrs"):
        yield from _texts(result.get(name) if isinstance(result, dict) else None)


def _texts(values: object) -> Iterator[str]:
    yield from (one for one in (values if isinstance(values, list) else ()) if isinstance(one, str))


# By a name in the object that no other form has: what reads it, and what is said of nothing.
_FORMS: dict[str, tuple[Callable[[dict[str, Any]], Iterator[str]], str]] = {
    "prefixes": (_of_prefixes, f"it has no prefix of {_CLOUDFRONT}, and none of Google"),
    "values": (_of_service_tags, f"it has no service tag {_FRONT_DOOR}"),
    "result": (_of_result, "its result has no networks of Cloudflare"),
}

"""Address lists that take a while to read."""

from __future__ import annotations

import json
from ipaddress import IPv4Address

# No two of them merge, and no address of 10.0.0.0/8, 127.0.0.0/8 or 192.0.2.0/24 is in one.
_FIRST = 0x20000000


def large_list(*networks: str, size: int = 50_000) -> str:
    """The file of a list of *size* networks, and of those that are given."""
    many = [f"{IPv4Address(_FIRST + (number << 9))}/24" for number in range(size)]
    return json.dumps({"addresses": [*networks, *many], "ipv6_addresses": []})

"""Checks whether a list can be that of a CDN's edge."""

from __future__ import annotations

from ipaddress import IPv6Network, collapse_addresses, ip_network
from typing import TYPE_CHECKING

from edgeauth.ops.address_update.errors import ListRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth.networks import Network

# Not addresses of anybody on the internet:
# https://www.iana.org/assignments/iana-ipv4-special-registry and, for IPv6, everything that
# is not global unicast, and what is set aside within it.
_SPECIAL = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")

# The bundled list has no network above /16 and /32, and covers less than a thousandth of
# all IPv4 addresses.
_SHORTEST = {4: 10, 6: 24}
_LARGEST_SHARE = 1 / 64

# A list that keeps a smaller share of the old one has more likely been cut than changed.
_KEPT_SHARE = 1 / 2


def check_plausible(new: Iterable[Network], old: Iterable[Network]) -> None:
    """Refuse *new* if it has networks that no edge has, or too few of *old*.

    Raises:
        ListRefused: the message says why.
    """
    for network in new:
        _check_network(network)
    for version, bits in ((4, 32), (6, 125)):
        covered, before = _collapsed(new, version), _collapsed(old, version)
        if _size(covered) > 2**bits * _LARGEST_SHARE:
            raise ListRefused(f"the list covers more than 1 in 64 of all IPv{version} addresses")
        kept = _common(before, covered)
        if kept < _size(before) * _KEPT_SHARE:
            raise ListRefused(
                f"the list has {kept / _size(before):.0%} of the IPv{version} addresses that "
                "were on it before: it has probably been cut"
            )


def _check_network(network: Network) -> None:
    for special in _SPECIAL:
        if network.version == special.version and network.overlaps(special):
            raise ListRefused(
                f"the list has {network}, which overlaps {special}: private and reserved "
                "addresses are nobody's edge"
            )
    if isinstance(network, IPv6Network) and not network.subnet_of(_GLOBAL_UNICAST):
        raise ListRefused(f"the list has {network}, which is not on the public internet")
    if network.prefixlen < _SHORTEST[network.version]:
        raise ListRefused(f"the list has {network}: no network of an edge is so large")


def _collapsed(networks: Iterable[Network], version: int) -> list[Network]:
    """The networks of one IP version, without overlaps."""
    chosen = [net for net in networks if net.version == version]
    return list(collapse_addresses(chosen))  # type: ignore[type-var]


def _size(networks: Iterable[Network]) -> int:
    return sum(net.num_addresses for net in networks)


def _common(some: list[Network], others: list[Network]) -> int:
    """How many addresses are in both. Of two networks that overlap, one contains the other."""
    return sum(
        min(one.num_addresses, other.num_addresses)
        for one in some
        for other in others
        if one.overlaps(other)
    )

"""IP networks and addresses as integers: parsed, compared and merged.

The ipaddress module does the same in ten times the time. It is asked only about what the short
forms here do not cover, and for the errors that people read.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_pton
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

Network = IPv4Network | IPv6Network

V4_BITS, V6_BITS = 32, 128

_V4_MAPPED = 0xFFFF << 32
_V4_MAX = 0xFFFF_FFFF
# A network that begins below this may overlap the IPv4-mapped addresses.
_AFTER_V4_MAPPED = _V4_MAPPED + _V4_MAX + 1
_LENGTHS = {str(length): length for length in range(V6_BITS + 1)}
_V4_MAPPED_NETWORK = IPv6Network("::ffff:0:0/96")
# The result for a text that is no address; it is in no range.
_NO_ADDRESS = (-1, True)


class Span(NamedTuple):
    """A network as integers.

    Attributes:
        bits: the length of an address: 32 or 128.
        first: its first address.
        length: the length of its prefix, in bits.
    """

    bits: int
    first: int
    length: int

    @property
    def network(self) -> Network:
        """The same as an object of the ipaddress module."""
        # The classes themselves: ip_network takes a small number for an IPv4 address.
        parts = (self.first, self.length)
        return IPv4Network(parts) if self.bits == V4_BITS else IPv6Network(parts)


def parse_network(entry: object) -> Span:
    """The network that *entry* names, such as ``192.0.2.0/24`` or a single address.

    Raises:
        ConfigurationError: it is no network, admits every address, or is IPv4-mapped.
    """
    span = None
    if type(entry) is str:
        span = _plain_span(entry)
    return _any_span(entry) if span is None else span


def _plain_span(entry: str) -> Span | None:
    """The network of a CIDR in its usual form; None for every other form."""
    text, slash, digits = entry.partition("/")
    try:
        if ":" in text:
            bits, first = V6_BITS, int.from_bytes(inet_pton(AF_INET6, text))
        else:
            bits, first = V4_BITS, int.from_bytes(inet_pton(AF_INET, text))
    except (OSError, ValueError):
        return None
    length = _LENGTHS.get(digits, 0) if slash else bits
    if (
        not 0 < length <= bits
        or first & ((1 << (bits - length)) - 1)
        or (bits == V6_BITS and first < _AFTER_V4_MAPPED)
    ):
        return None
    return Span(bits, first, length)


def _any_span(entry: object) -> Span:
    if not isinstance(entry, str):
        raise ConfigurationError(f"{entry!r} is not a network; write a CIDR such as 192.0.2.0/24")
    try:
        network = ip_network(entry)
    except ValueError as error:
        raise ConfigurationError(f"{entry!r} is not a network: {error}") from None
    if network.prefixlen == 0:
        raise ConfigurationError(f"{entry!r} admits every address: the list would check nothing")
    if isinstance(network, IPv6Network) and network.overlaps(_V4_MAPPED_NETWORK):
        raise ConfigurationError(f"{entry!r} is IPv4-mapped: write the IPv4 network")
    return Span(network.max_prefixlen, int(network.network_address), network.prefixlen)


def ranges(spans: Iterable[Span]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The first and the last addresses of the networks, sorted, with overlaps merged."""
    firsts: list[int] = []
    lasts: list[int] = []
    for first, last in sorted(
        (first, first | ((1 << (bits - length)) - 1)) for bits, first, length in spans
    ):
        if lasts and first <= lasts[-1] + 1:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)
    return tuple(firsts), tuple(lasts)


def parse_address(ip: object) -> tuple[int, bool]:
    """The address as an integer, and whether it is IPv4; a negative integer if it is none.

    An IPv4-mapped IPv6 address counts as the IPv4 address in it. This runs on every request,
    and inet_pton takes a third of the time of the ipaddress module.
    """
    if isinstance(ip, str):
        try:
            if ":" not in ip:
                return int.from_bytes(inet_pton(AF_INET, ip)), True
            number = int.from_bytes(inet_pton(AF_INET6, ip))
        except (OSError, ValueError):
            return _NO_ADDRESS
    elif isinstance(ip, IPv4Address):
        return int(ip), True
    elif isinstance(ip, IPv6Address):
        number = int(ip)
    else:
        return _NO_ADDRESS
    if number >> 32 == _V4_MAPPED >> 32:
        return number & _V4_MAX, True
    return number, False

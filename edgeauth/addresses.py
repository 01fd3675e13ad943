"""Lists of networks with a fast look-up, and the bundled snapshot of Fastly's list."""

from __future__ import annotations

import contextlib
import json
import math
import re
from bisect import bisect_right
from datetime import UTC, date, datetime, time
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import TYPE_CHECKING, NamedTuple

from edgeauth.errors import ConfigurationError, explain

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

Network = IPv4Network | IPv6Network

_FASTLY = Path(__file__).parent / "data" / "fastly-public-ip-list.json"
_MAX_FILE_BYTES = 16 << 20
_V4_MAPPED = 0xFFFF << 32
_V4_MAX = 0xFFFF_FFFF
# What begins below this may overlap the addresses that are IPv4-mapped.
_AFTER_V4_MAPPED = _V4_MAPPED + _V4_MAX + 1
_V4_BITS, _V6_BITS = 32, 128
_LENGTHS = {str(length): length for length in range(_V6_BITS + 1)}
_V4_MAPPED_NETWORK = IPv6Network("::ffff:0:0/96")
# What stands for a text that is no address; it is in no range.
_NO_ADDRESS = (-1, True)
_AS_OF = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_FORM = '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": ["2001:db8::/32"]}'


class Span(NamedTuple):
    """A network as numbers, which are made and compared in a tenth of the time.

    Attributes:
        bits: of an address: 32 or 128.
        first: its first address.
        length: of its prefix, in bits.
    """

    bits: int
    first: int
    length: int


class AddressList:
    """A set of networks; ``ip in addresses`` is a bisection over integers.

    All customers of a CDN share its addresses, so a list is a cheap outer wall and never
    the gate.

    Args:
        networks: CIDRs (``192.0.2.0/24``) or single addresses, IPv4 and IPv6.
        as_of: the day or month for which the list was true (``2026-10``), or None.
        retiring: networks that have left the list and are in it all the same for a while,
            each with the last day (``2026-10-31``, UTC) on which it is meant to be.

    Attributes:
        spans: all networks that are looked up, those that retire included.
        next_retirement: Unix seconds at which the next of them is meant to be over; infinity
            where none retires. A look-up does not ask: whoever keeps the list reads it anew.

    Raises:
        ConfigurationError: no network at all, one that cannot be read, one with host bits
            set, one that admits every address, or a date of the wrong form.
    """

    __slots__ = ("_v4", "_v6", "as_of", "next_retirement", "retiring", "spans")

    def __init__(
        self,
        networks: Iterable[str],
        *,
        as_of: str | None = None,
        retiring: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(networks, (str, bytes)):
            raise ConfigurationError(f"networks must be a list of CIDRs, not {networks!r}")
        waiting = {_span(entry): _day(day) for entry, day in (retiring or {}).items()}
        self.retiring = {_network(span): day for span, day in waiting.items()}
        self.next_retirement = min(map(_end_of, waiting.values()), default=math.inf)
        listed = tuple(map(_span, networks))
        if not listed:
            raise ConfigurationError("the address list is empty: it would refuse everybody")
        known = set(listed) if waiting else ()
        self.spans = (*listed, *(span for span in waiting if span not in known))
        if as_of is not None and not (isinstance(as_of, str) and _AS_OF.fullmatch(as_of)):
            raise ConfigurationError("as_of must be like 2026-10 or 2026-10-31")
        self.as_of = as_of
        self._v4 = _ranges(span for span in self.spans if span[0] == _V4_BITS)
        self._v6 = _ranges(span for span in self.spans if span[0] == _V6_BITS)

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks of :attr:`spans`, made anew each time."""
        return tuple(map(_network, self.spans))

    @classmethod
    def fastly(cls) -> AddressList:
        """The bundled snapshot of Fastly's public list; its date is in ``as_of``.

        Source: https://api.fastly.com/public-ip-list. The list changes a few times a year
        and shrinks too; nothing here fetches it.
        """
        return cls.from_file(_FASTLY)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, now: float | None = None) -> AddressList:
        """Read a JSON file in the shape of Fastly's public list.

        Beside the two lists it may have ``as_of``, and ``retiring``: an object of networks
        and the last day of each. One whose day is over is left out. Days are looked at
        here and at no other time, so that a look-up never asks for the time; a guard that
        watches the file reads it anew when one is over (:mod:`edgeauth._reload.watched`).

        Args:
            path: the file.
            now: Unix seconds by which retiring networks are judged; None is the present.

        Raises:
            ConfigurationError: unreadable, over 16 MiB, not of that shape, or for the
                constructor. How old the list is, is not checked.
        """
        where = f"addresses file {str(path)!r}"
        try:
            with Path(path).open("rb") as file:
                raw = file.read(_MAX_FILE_BYTES + 1)
            text = raw.decode("utf-8-sig")
        except OSError as error:
            raise ConfigurationError(f"{where} cannot be read: {explain(error)}") from None
        except UnicodeDecodeError:
            raise ConfigurationError(f"{where} is not UTF-8 text") from None
        except ValueError:
            raise ConfigurationError(f"{where} is not a usable path") from None
        if len(raw) > _MAX_FILE_BYTES:
            raise ConfigurationError(f"{where} is over {_MAX_FILE_BYTES} bytes")
        return cls.from_json(text, where, now=now)

    @classmethod
    def from_json(cls, text: str, where: str, *, now: float | None = None) -> AddressList:
        """Read the text of such a file; *where* is what errors call it.

        Raises:
            ConfigurationError: as :meth:`from_file`.
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
            raise ConfigurationError(
                f'{where}: retiring must be like {{"192.0.2.0/24": "2026-10-31"}}'
            )
        today = _today(now)
        try:
            waiting = {net: day for net, day in retiring.items() if _day(day) >= today}
            return cls(networks, as_of=document.get("as_of"), retiring=waiting)
        except ConfigurationError as error:
            raise ConfigurationError(f"{where}: {error}") from None

    def age_days(self, now: float | None = None) -> int | None:
        """Days from ``as_of`` (of a month, its first) to *now* (Unix seconds; None: today).

        None where the list has no date, or one that no calendar has.
        """
        first = self.first_day
        return None if first is None else (_today(now) - first).days

    @property
    def first_day(self) -> date | None:
        """The day of ``as_of``, of a month its first; None as for :meth:`age_days`."""
        if self.as_of is None:
            return None
        with contextlib.suppress(ValueError):
            return date.fromisoformat(
                self.as_of if self.as_of.count("-") > 1 else f"{self.as_of}-01"
            )
        return None

    def __contains__(self, ip: object) -> bool:
        """Whether *ip* (str, or an address of the ipaddress module) is in a network.

        An IPv4-mapped IPv6 address counts as the IPv4 address in it. Anything that is not
        an address is in no network.
        """
        number, is_v4 = _parse(ip)
        starts, ends = self._v4 if is_v4 else self._v6
        place = bisect_right(starts, number) - 1
        return place >= 0 and number <= ends[place]

    def __len__(self) -> int:
        return len(self.spans)

    def __repr__(self) -> str:
        return f"<AddressList {len(self.spans)} networks as of {self.as_of}>"


def canonical_address(text: str) -> str | None:
    """*text* as an address without port, brackets or IPv4 mapping; None if it is none.

    Proxies write ``192.0.2.1``, ``192.0.2.1:8080``, ``2001:db8::1`` and
    ``[2001:db8::1]:443`` into X-Forwarded-For.
    """
    host = text
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            return None
    elif text.count(":") == 1:
        host, _ = text.split(":")
    number, is_v4 = _parse(host)
    if number < 0:
        return None
    return str(IPv4Address(number) if is_v4 else IPv6Address(number))


def _parse(ip: object) -> tuple[int, bool]:
    """The address as an integer and whether it is IPv4.

    inet_pton instead of the ipaddress module: a third of the time, on every request.
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


def _today(now: float | None) -> date:
    moment = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    return moment.date()


def _end_of(day: date) -> float:
    """The Unix seconds of the midnight after *day*, by UTC."""
    return datetime.combine(day, time(), UTC).timestamp() + 86_400


def _day(text: object) -> date:
    # The pattern, since fromisoformat takes other forms of a date too.
    if isinstance(text, str) and _DAY.fullmatch(text):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(text)
    raise ConfigurationError("the last day of a retiring network must be a date like 2026-10-31")


def _network(span: Span) -> Network:
    # The classes themselves: ip_network takes a small number for an IPv4 address.
    bits, first, length = span
    return IPv4Network((first, length)) if bits == _V4_BITS else IPv6Network((first, length))


def _span(entry: object) -> Span:
    """The network that *entry* names; the common forms without the ipaddress module."""
    span = None
    if type(entry) is str:
        span = _plain_span(entry)
    return _any_span(entry) if span is None else span


def _plain_span(entry: str) -> Span | None:
    """The network of a CIDR in its usual form; None for all that needs a closer look."""
    text, slash, digits = entry.partition("/")
    try:
        if ":" in text:
            bits, first = _V6_BITS, int.from_bytes(inet_pton(AF_INET6, text))
        else:
            bits, first = _V4_BITS, int.from_bytes(inet_pton(AF_INET, text))
    except (OSError, ValueError):
        return None
    length = _LENGTHS.get(digits, 0) if slash else bits
    if (
        not 0 < length <= bits
        or first & ((1 << (bits - length)) - 1)
        or (bits == _V6_BITS and first < _AFTER_V4_MAPPED)
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


def _ranges(spans: Iterable[Span]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """First and last addresses of the networks, sorted, overlaps merged."""
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

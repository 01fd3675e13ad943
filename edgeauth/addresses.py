"""A list of networks with a fast look-up; the bundled one is Fastly's."""

from __future__ import annotations

import contextlib
import math
import re
from bisect import bisect_right
from datetime import UTC, date, datetime, time
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from edgeauth.address_files import BUNDLED, FASTLY, parse_list, read_list
from edgeauth.errors import ConfigurationError
from edgeauth.networks import V4_BITS, V6_BITS, parse_address, parse_network, ranges

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from edgeauth.networks import Network

_AS_OF = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class AddressList:
    """A set of networks; ``ip in addresses`` is a bisection over integers.

    All customers of a CDN share its addresses, so a list is a cheap outer wall and never
    the gate.

    Args:
        networks: CIDRs (``192.0.2.0/24``) or single addresses, IPv4 and IPv6.
        as_of: the day or month for which the list was true (``2026-10``), or None.
        retiring: networks that have left the published list and are accepted for a while,
            each with its last day (``2026-10-31``, UTC).

    Attributes:
        spans: all networks, retiring ones included.
        next_retirement: Unix seconds at which the next of them ends; infinity if none
            retires. A look-up does not check it: the owner of the list reads it again then.

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
        waiting = {parse_network(entry): _day(day) for entry, day in (retiring or {}).items()}
        self.retiring = {span.network: day for span, day in waiting.items()}
        self.next_retirement = min(map(_end_of, waiting.values()), default=math.inf)
        listed = tuple(map(parse_network, networks))
        if not listed:
            raise ConfigurationError("the address list is empty: it would refuse everybody")
        known = set(listed) if waiting else ()
        self.spans = (*listed, *(span for span in waiting if span not in known))
        if as_of is not None and not (isinstance(as_of, str) and _AS_OF.fullmatch(as_of)):
            raise ConfigurationError("as_of must be like 2026-10 or 2026-10-31")
        self.as_of = as_of
        self._v4 = ranges(span for span in self.spans if span.bits == V4_BITS)
        self._v6 = ranges(span for span in self.spans if span.bits == V6_BITS)

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks of :attr:`spans`, made anew each time."""
        return tuple(span.network for span in self.spans)

    @classmethod
    def fastly(cls) -> AddressList:
        """The bundled snapshot of Fastly's public list; its date is in ``as_of``.

        Source: https://api.fastly.com/public-ip-list. The list changes a few times a year
        and shrinks too; nothing here fetches it.
        """
        return cls.from_file(FASTLY)

    @classmethod
    def bundled(cls, name: str) -> AddressList:
        """The bundled snapshot of the list of the CDN *name*; its date is in ``as_of``.

        Raises:
            ConfigurationError: there is none, since no copy with a date could be had.
        """
        path = BUNDLED.get(name)
        if path is None:
            raise ConfigurationError(
                f"no list of {name} comes with edgeauth: fetch it with edgeauth addresses update "
                f"--cdn {name} --file {name}.json, and name that file"
            )
        return cls.from_file(path)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, now: float | None = None) -> AddressList:
        """Read a file in the shape of Fastly's public list, or as another CDN publishes its own.

        The content tells which (:mod:`edgeauth.address_files`). Beside the two lists of Fastly's
        shape a file may have ``as_of``, and ``retiring``: an object of networks
        and the last day of each. A network whose last day is over is left out. Days are
        checked only here, so that a look-up needs no clock; a guard that watches the file
        reads it again when a day is over (:mod:`edgeauth._reload.watched_policy`).

        Args:
            path: the file.
            now: Unix seconds by which retiring networks are judged; None is the present.

        Raises:
            ConfigurationError: it is unreadable, over 16 MiB, not of that shape, or the
                constructor refuses it. The age of the list is not checked.
        """
        where = f"addresses file {str(path)!r}"
        return cls.from_json(read_list(path, where), where, now=now)

    @classmethod
    def from_json(cls, text: str, where: str, *, now: float | None = None) -> AddressList:
        """Read the text of such a file; *where* is what errors call it.

        Raises:
            ConfigurationError: as :meth:`from_file`.
        """
        networks, as_of, retiring = parse_list(text, where)
        today = _today(now)
        try:
            waiting = {net: day for net, day in retiring.items() if _day(day) >= today}
            return cls(networks, as_of=as_of, retiring=waiting)
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
        number, is_v4 = parse_address(ip)
        starts, ends = self._v4 if is_v4 else self._v6
        index = bisect_right(starts, number) - 1
        return index >= 0 and number <= ends[index]

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
    number, is_v4 = parse_address(host)
    if number < 0:
        return None
    return str(IPv4Address(number) if is_v4 else IPv6Address(number))


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

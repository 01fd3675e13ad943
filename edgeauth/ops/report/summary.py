"""Sums up a stream of decisions."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network
from typing import TYPE_CHECKING, Literal

from edgeauth.ops.report.counting import Ages, BoundedCounter, RoundedAges, Timeline
from edgeauth.ops.report.reading import DAMAGED, Decision, Lost
from edgeauth.reasons import REPLAYED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth.addresses import AddressList
    from edgeauth.ops.report.reading import Line

# Who sent a refused request: the edge (the signature is authentic and new, or the address is its),
# somebody elsewhere, or unknown, since the address is that of a proxy in a private network.
Sender = Literal["edge", "unknown", "elsewhere"]

_MAX_EXAMPLES = 5
_MAX_KEYS = 1000
_MAX_POPS = 100
_UNKNOWN_NETWORK = "no address"


class KeySeen:
    """How often, and from when to when (Unix seconds), a key signed."""

    __slots__ = ("count", "first", "last")

    def __init__(self, time: float) -> None:
        self.count, self.first, self.last = 1, time, time

    def add(self, time: float) -> None:
        self.count += 1
        if time > self.last:
            self.last = time
        elif time < self.first:
            self.first = time


class Summary:
    """Counts decisions; its size does not depend on how many, or on what clients sent.

    Args:
        edge: the addresses of the edge, which tell it from other senders.
        max_age, max_future: the window, in seconds, that ages are compared with.
        kinds: of the schemes that the application accepts, to be seen where nobody uses them.
    """

    def __init__(
        self, edge: AddressList, *, max_age: float, max_future: float, kinds: Iterable[str] = ()
    ) -> None:
        self.kinds = tuple(kinds)
        self.max_age = max_age
        self.max_future = max_future
        self.decisions = 0
        self.accepted = 0
        self.enforced_refusals = 0
        # The first request that was refused for real.
        self.enforced_from: float | None = None
        self.first: float | None = None
        self.last: float | None = None
        self.reasons: dict[bool, BoundedCounter[str]] = {
            True: BoundedCounter(),
            False: BoundedCounter(),
        }
        # One counter a sender: a flood of strangers cannot displace the refusals of the edge.
        self.refused: dict[Sender, BoundedCounter[tuple[str, str, str]]] = {
            "edge": BoundedCounter(),
            "unknown": BoundedCounter(),
            "elsewhere": BoundedCounter(),
        }
        self.networks: dict[bool, BoundedCounter[str]] = {
            True: BoundedCounter(),
            False: BoundedCounter(),
        }
        self.pops: dict[bool, BoundedCounter[str]] = {
            True: BoundedCounter(),
            False: BoundedCounter(),
        }
        self.schemes: dict[bool, BoundedCounter[str]] = {
            True: BoundedCounter(),
            False: BoundedCounter(),
        }
        self.keys: dict[str, KeySeen] = {}
        self.ages = Ages()
        self.pop_ages: dict[str, Ages] = {}
        self.timeline = Timeline()
        self.malformed: BoundedCounter[str] = BoundedCounter()
        # Lines that the app could not write, and files that are damaged.
        self.lost = 0
        self.damaged: list[str] = []
        self.examples: list[tuple[str, int, str]] = []
        # Edges connect again and again from the same addresses.
        self._place = lru_cache(maxsize=65_536)(lambda peer: _place(peer, edge))

    @property
    def refusals(self) -> int:
        return self.decisions - self.accepted

    @property
    def missing(self) -> int:
        """How many lines could not be read, or were not written."""
        return self.malformed.total + self.lost

    def read(self, name: str, lines: Iterable[Line]) -> None:
        """Count the lines of the file *name*."""
        for number, line in enumerate(lines, 1):
            if isinstance(line, Decision):
                self._add(line)
            elif isinstance(line, Lost):
                self.lost += line.lines
            else:
                if line is DAMAGED:
                    self.damaged.append(name)
                self.malformed.add(line.why)
                if len(self.examples) < _MAX_EXAMPLES:
                    self.examples.append((name, number, line.why))

    def _add(self, line: Decision) -> None:
        accepted = line.accepted
        self.decisions += 1
        time = line.time
        if self.first is None or self.last is None:
            self.first = self.last = time
        elif time > self.last:
            self.last = time
        elif time < self.first:
            self.first = time
        self.reasons[accepted].add(line.reason)
        network, sender = self._place(line.peer)
        self.networks[accepted].add(network)
        if line.key is not None:
            # Whoever saw a request can send it again.
            if line.reason != REPLAYED.code:
                sender = "edge"
            self._add_identity(line, line.key)
        self.timeline.add(
            time,
            accepted=accepted,
            reason=line.reason,
            sender=sender,
            network=network if sender == "elsewhere" else None,
            key=line.key,
        )
        if accepted:
            self.accepted += 1
        else:
            if line.enforced:
                self.enforced_refusals += 1
                self.enforced_from = min(time, self.enforced_from or time)
            self.refused[sender].add((line.reason, line.method, line.path))

    def _add_identity(self, line: Decision, key: str) -> None:
        self.pops[line.accepted].add(line.pop or "none")
        # Files of earlier versions do not say it.
        self.schemes[line.accepted].add(line.scheme or "unknown")
        if line.age is not None:
            self.ages.add(line.age)
            self._ages_of(line.pop or "none").add(line.age)
        seen = self.keys.get(key)
        if seen is not None:
            seen.add(line.time)
        elif len(self.keys) < _MAX_KEYS:
            self.keys[key] = KeySeen(line.time)

    def _ages_of(self, pop: str) -> Ages:
        ages = self.pop_ages.get(pop)
        if ages is None:
            if len(self.pop_ages) >= _MAX_POPS:
                pop = "other"
            ages = self.pop_ages.setdefault(pop, RoundedAges())
        return ages


def _place(peer: str | None, edge: AddressList) -> tuple[str, Sender]:
    """The network of a peer, and which sender it is."""
    try:
        address = ip_address(peer or "")
    except ValueError:
        return _UNKNOWN_NETWORK, "unknown"
    address = getattr(address, "ipv4_mapped", None) or address
    # The length of what one customer of a network usually has.
    length = 24 if isinstance(address, IPv4Address) else 48
    network = str(ip_network((address, length), strict=False))
    if address in edge:
        return network, "edge"
    return network, "elsewhere" if address.is_global else "unknown"

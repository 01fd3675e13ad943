"""A guard that watches its files, by a clock that goes on when a test says so."""

from __future__ import annotations

from edgeauth import sign
from support.requests import PlainRequest

# Seconds from one look at the files to the next, and how long a file must have stood still.
LONGEST = 3600
SETTLE = 1


class Clock:
    """Stands for the module ``time`` in edgeauth._reload.watched: tests move it."""

    def __init__(self):
        self.now = 1_700_000_000.0
        self._steady = 1000.0

    def passes(self, seconds):
        self.now += seconds
        self._steady += seconds

    def is_set(self, seconds):
        self.now += seconds

    def time(self):
        return self.now

    def monotonic(self):
        return self._steady


def reason(guard, secret, *, now=None, peer="192.0.2.1"):
    value = sign(secret, pop="LHR", timestamp=1_700_000_000).encode()
    request = PlainRequest(peer=peer, fields=[("Edge-Auth", value)])
    return guard.check(request, now=now).reason


def logged(caplog, text):
    return [record for record in caplog.records if text in record.getMessage()]

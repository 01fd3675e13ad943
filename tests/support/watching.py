"""A guard that watches its files, by a clock that goes on when a test says so."""

from __future__ import annotations

from dataclasses import replace

from edgeauth import sign
from edgeauth._reload import watched_file, watched_policy
from support.requests import PlainRequest

# Seconds from one look at the files to the next, and how long a file must have stood still.
LONGEST = 3600
SETTLE = 1


class Clock:
    """Stands for the module ``time`` in edgeauth._reload: tests move it."""

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


def stop_the_clock(monkeypatch):
    """A clock in the place of the real one, in all that watches."""
    clock = Clock()
    for module in (watched_file, watched_policy):
        monkeypatch.setattr(module, "time", clock)
    return clock


def looks_next_at(guard, moment):
    """Let the next look of *guard* be due at *moment*."""
    source = guard._source
    source.policy = replace(source.policy, until=moment)
    guard._policy = source.policy


def decides_by(guard, policy):
    """Let *policy* be in force in *guard*, as if a look had found it."""
    source = guard._source
    source._seen = replace(source._seen, policy=policy)

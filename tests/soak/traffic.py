"""Each kind of request, and what must come of it: known before it is sent."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from support.service import question

from edgeauth import Key, sign

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

MAX_AGE = 60
EXEMPT = "/healthz"
# Below this path the application takes its time.
WORKING = "/working/"

# Fewer than the service has places to count by.
_POPS = tuple(f"P{number:02}" for number in range(100))
_FORGER = Key("forger", "a-secret-that-nobody-shares")

# A credential of each second and POP is another value, so that caches fill and are emptied.
_SIGNED_AGO = 30

# Not exempt, though they look like it.
_LOOK_ALIKES = ("//healthz", "/healthz/", "/HEALTHZ", "/healthz;a", "/x/../healthz", "/healthzz")

_HUGE = 65_000
_JUNK = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET / SMTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nEdge-Auth: a\0b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
)


class Line(NamedTuple):
    """What tells one decision from another in the file of decisions.

    Nearly every request has a path of its own, so that lines are compared one by one.
    """

    method: str
    path: str
    reason: str
    allowed: bool
    key: str | None = None
    pop: str | None = None


class Request(NamedTuple):
    """One request and what must come of it.

    Attributes:
        kind: for the report.
        sent: its bytes.
        method: says whether the answer has a body.
        statuses: what the client may get; none where it must get nothing.
        line: the decision about it, or None if there is none to be made.
    """

    kind: str
    sent: bytes
    method: str
    statuses: frozenset[int]
    line: Line | None


@dataclass(frozen=True)
class Manner:
    """What differs between the set-ups.

    Attributes:
        admitted: the status of an admission.
        unreadable: the statuses of what is no HTTP.
        is_asked: it is asked about requests, in the way of nginx.
        reads_raw: it compares the path as it was sent, before it is decoded.
        drops_empty: an empty field never reaches it.
        bears_huge: it decides about a head of 65 kB, instead of refusing to read it.
    """

    admitted: int = 200
    unreadable: frozenset[int] = frozenset({400, 431})
    is_asked: bool = False
    reads_raw: bool = False
    drops_empty: bool = False
    bears_huge: bool = False


@dataclass
class Keys:
    """Whose signature is good now; changed while the load runs.

    Attributes:
        current: signs.
        others: not accepted now: a key that is to come, and one that was removed.
    """

    current: Key
    others: tuple[Key, ...]


def numbered_key(number: int) -> Key:
    return Key(f"key-{number}", f"the-secret-of-key-number-{number}")


@dataclass
class Traffic:
    """The requests of one visitor, the same ones for the same seed but for their times."""

    manner: Manner
    keys: Keys
    name: str
    chance: random.Random
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def request(self, *, close: bool) -> Request:
        """Any that is whole and HTTP."""
        kind = self.chance.choices(_KINDS, _WEIGHTS)[0]
        return getattr(self, f"_{kind}")(kind.replace("_", " "), close=close)

    def signed(self, *, close: bool) -> Request:
        """One that is accepted, most likely by a value that no other has."""
        return self._vcl("vcl", close=close)

    def huge(self) -> Request:
        """A head that is longer than a server should bear."""
        kind, field_ = "huge head", _edge_auth("1" * _HUGE)
        if self.manner.bears_huge:
            return self._request(kind, "malformed", [field_], close=True)
        sent = question(field_)
        if self.manner.is_asked:
            # It must be refused before it ends.
            sent = sent.rstrip() + b"1" * 5_000
        return Request(kind, sent, "GET", self.manner.unreadable, None)

    def junk(self) -> Request:
        """No HTTP."""
        junk = self.chance.choice(_JUNK)
        return Request("no HTTP", junk, "GET", self.manner.unreadable, None)

    def half(self) -> Request:
        """A request that ends in its head."""
        whole = self.request(close=True).sent
        end = self.chance.randrange(1, whole.index(b"\r\n\r\n"))
        return Request("half-sent", whole[:end], "GET", frozenset(), None)

    # --- signed by the edge

    def _vcl(self, kind: str, *, close: bool) -> Request:
        return self._signed(kind, close=close)

    def _compute_rust(self, kind: str, *, close: bool) -> Request:
        return self._signed(kind, encoding="base64", close=close)

    def _compute_javascript(self, kind: str, *, close: bool) -> Request:
        return self._signed(kind, pop=None, close=close)

    def _head(self, kind: str, *, close: bool) -> Request:
        return self._signed(kind, method="HEAD", close=close)

    def _post(self, kind: str, *, close: bool) -> Request:
        return self._signed(kind, method="POST", close=close)

    def _working(self, kind: str, *, close: bool) -> Request:
        return self._signed(kind, folder=WORKING, close=close)

    def _signed(self, kind, *, pop="", encoding="hex", close, **options) -> Request:
        key, pop = self.keys.current, self._pop() if pop == "" else pop
        value = sign(key, pop=pop, timestamp=self._recently(), encoding=encoding)
        return self._request(kind, "ok", [_edge_auth(value)], key, pop, close=close, **options)

    # --- signed, and not good

    def _stale(self, kind: str, *, close: bool) -> Request:
        return self._at(kind, "expired", -MAX_AGE - 30, close=close)

    def _future(self, kind: str, *, close: bool) -> Request:
        return self._at(kind, "future", 120, close=close)

    def _at(self, kind: str, reason: str, seconds: int, *, close: bool) -> Request:
        key, pop = self.keys.current, self._pop()
        value = sign(key, pop=pop, timestamp=int(time.time()) + seconds)
        return self._request(kind, reason, [_edge_auth(value)], key, pop, close=close)

    def _tampered(self, kind: str, *, close: bool) -> Request:
        value = sign(self.keys.current, pop="XXX", timestamp=self._recently())
        fields = [_edge_auth(value.replace("XXX", self._pop()))]
        return self._request(kind, "bad-signature", fields, close=close)

    def _forged(self, kind: str, *, close: bool) -> Request:
        return self._by(_FORGER, kind, close=close)

    def _key_not_in_force(self, kind: str, *, close: bool) -> Request:
        # While a key comes or goes there is none of which it is certain.
        others = self.keys.others
        return self._by(self.chance.choice(others) if others else _FORGER, kind, close=close)

    def _by(self, key: Key, kind: str, *, close: bool) -> Request:
        value = sign(key, pop=self._pop(), timestamp=self._recently())
        return self._request(kind, "bad-signature", [_edge_auth(value)], close=close)

    # --- not signed

    def _two_headers(self, kind: str, *, close: bool) -> Request:
        good = _edge_auth(sign(self.keys.current, pop=self._pop()))
        return self._request(kind, "malformed", [good, good], close=close)

    def _high_bytes(self, kind: str, *, close: bool) -> Request:
        junk = "".join(chr(self.chance.randrange(128, 256)) for _ in range(40))
        return self._request(kind, "malformed", [_edge_auth(f"1{junk}1")], close=close)

    def _long_value(self, kind: str, *, close: bool) -> Request:
        return self._request(kind, "malformed", [_edge_auth("1" * 4_000)], close=close)

    def _empty_value(self, kind: str, *, close: bool) -> Request:
        reason = "missing" if self.manner.drops_empty else "malformed"
        return self._request(kind, reason, [_edge_auth("")], close=close)

    def _no_header(self, kind: str, *, close: bool) -> Request:
        return self._request(kind, "missing", [], close=close)

    def _claims_a_path(self, kind: str, *, close: bool) -> Request:
        claim = ("X-Original-URI", EXEMPT)
        if self.manner.is_asked:
            # Told two paths, it believes neither.
            return self._request(kind, "missing", [claim], close=close, line_as=("-", ""))
        return self._request(kind, "missing", [claim], close=close)

    # --- the exempt path

    def _exempt(self, kind: str, *, close: bool) -> Request:
        query = self.chance.choice(("", "?", "?x=/../secret"))
        return self._unsigned_at(EXEMPT + query, "exempt", kind, close=close)

    def _exempt_encoded(self, kind: str, *, close: bool) -> Request:
        if self.manner.reads_raw:
            return self._unsigned_at("/%68ealthz", "missing", kind, close=close)
        return self._unsigned_at("/%68ealthz", "exempt", kind, line_as=("GET", EXEMPT), close=close)

    def _exempt_look_alike(self, kind: str, *, close: bool) -> Request:
        path = self.chance.choice(_LOOK_ALIKES)
        return self._unsigned_at(path, "missing", kind, close=close)

    def _exempt_by_post(self, kind: str, *, close: bool) -> Request:
        return self._unsigned_at(EXEMPT, "missing", kind, method="POST", close=close)

    def _unsigned_at(self, target: str, reason: str, kind: str, **options) -> Request:
        return self._request(kind, reason, [], target=target, **options)

    # ---

    def _request(
        self,
        kind: str,
        reason: str,
        fields: list[tuple[str, str]],
        key: Key | None = None,
        pop: str | None = None,
        *,
        close: bool,
        method: str = "GET",
        folder: str = "/",
        target: str | None = None,
        line_as: tuple[str, str] | None = None,
    ) -> Request:
        if target is None:
            target = f"{folder}{self.name}-{next(self._numbers)}"
        allowed = reason in {"ok", "exempt"}
        line_method, path = line_as or (method, target.partition("?")[0])
        line = Line(line_method, path, reason, allowed, key.id if key else None, pop)
        if self.manner.is_asked:
            fields = [*fields, ("X-Original-Method", method), ("X-Original-URI", target)]
            method, target = "GET", "/"
        sent = question(*fields, method=method, target=target, close=close)
        statuses = frozenset({self.manner.admitted if allowed else 403})
        return Request(kind, sent, method, statuses, line)

    def _pop(self) -> str:
        return self.chance.choice(_POPS)

    def _recently(self) -> int:
        return int(time.time()) - self.chance.randrange(_SIGNED_AGO)


def _edge_auth(value: str) -> tuple[str, str]:
    return "Edge-Auth", value


# How often each of them is sent, as a share of the sum.
_SHARES = {
    "vcl": 20,
    "compute_rust": 8,
    "compute_javascript": 6,
    "head": 2,
    "post": 3,
    "working": 3,
    "stale": 5,
    "future": 5,
    "tampered": 6,
    "forged": 4,
    "key_not_in_force": 6,
    "two_headers": 4,
    "high_bytes": 4,
    "long_value": 3,
    "empty_value": 3,
    "no_header": 6,
    "claims_a_path": 3,
    "exempt": 4,
    "exempt_encoded": 2,
    "exempt_look_alike": 4,
    "exempt_by_post": 2,
}
_KINDS, _WEIGHTS = tuple(_SHARES), tuple(_SHARES.values())

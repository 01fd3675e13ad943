"""Raw requests that an edge signed, and what a thief, a server or a mistake makes of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from differential.grammar import MUTATIONS
from differential.kinds.table import CHOICE, KINDS, NOW, STRANGER
from edgeauth import Guard
from edgeauth.schemes.akamai_g2o import verify as akamai
from edgeauth.schemes.base import CannotSign, Outgoing
from edgeauth.schemes.message_signatures import sign as messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_METHODS = ["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE"]
_SEGMENTS = [
    *["a", "b", "B", "caf%C3%A9", "a%20b", "a%2Fb", "a+b", "~x", "%7Ex", "a%3Fb", "a%23b", "%2e"],
    *["", ".", "..", "a;v=1", "a:b", "a@b", "a,b", "(x)", "a'b", "a!$&*=", "%ff", "%00", "a%0Ab"],
]
_PAIRS = [
    *["a=1", "a=2", "b=%20", "b=+", "c", "c=", "=x", "acl", "versionId=1", "comp=list", "q=a%26b"],
    *["e=%C3%A9", "A=1", "%61=1", "x=a/b?c", "s=%27", "q=a,b:c", "", "x-oss-process=a", "t=~!*()"],
]
_HOSTS = [
    *["shop.example", "shop.example", "Shop.Example", "shop.example:8443", "SHOP.example:443"],
    *["127.0.0.1:8000", "[2001:db8::1]:443"],
]
_OTHERS = [
    *["Accept: */*", "Cookie: a=b", "Content-Type: text/plain", "If-Match: x", "X-Empty:"],
    *["x-amz-meta-a: one", "x-amz-meta-b: two  words", "x-ms-meta-a: one", "x-oss-meta-a: one"],
    *["x-ms-meta-b:", "Range: bytes=0-1", "User-Agent: x"],
]
_CLAIMS = [
    *[
        "X-Original-URL: /b",
        "X-Rewrite-URL: /b",
        "X-Forwarded-Host: other.example",
        "SCRIPT_NAME: /a",
    ],
    *["X-HTTP-Method-Override: DELETE", "X-Forwarded-Prefix: /a", f"X-Forwarded-For: {STRANGER}"],
    *[
        "RAW_URI: /b",
        "REQUEST_URI: /b",
        "Daphne-Root-Path: /a",
        "PATH_INFO: /b",
        "Forwarded: host=other.example",
        "X-Forwarded-Proto: http",
    ],
]
_REQUEST, _HOST = 0, 1
# They say which gate is asked, and end the connection; a server that waits for more tells nothing.
_FIXED = (CHOICE.lower(), "connection", "content-length")
_BODY, _DIGEST = b"hello", "Content-MD5: XUFAKrxLKna5cZ2REBfFkg=="


@dataclass(frozen=True)
class Case:
    """One request.

    Attributes:
        raw: its bytes.
        kind: which kind's gate it goes to.
        plain: whether it is as the edge signed it, just now.
    """

    raw: bytes
    kind: str
    plain: bool


# The lines of a request, and its body.
_Made = tuple[list[bytes], bytes]


class _Drawn(threading.local):
    """Stands where ``secrets`` does for signers: the same seed makes the same requests."""

    random: Random

    def token_urlsafe(self, _bytes: int) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def randbelow(self, end: int) -> int:
        return self.random.randrange(end)


_drawn = _Drawn()
akamai.random = messages.random = _drawn


@cache
def _signer(kind: str) -> Any:
    return Guard.from_settings(KINDS[kind].settings).scheme


def make(random: Random, kind: str) -> Case:
    """One request for the gate of *kind*; the same for the same state of *random*."""
    _drawn.random = random
    while True:
        try:
            lines, body = _signed(random, kind)
        except CannotSign:
            continue
        break
    changes = random.choice([0, 0, 1, 1, 1, 1, 2])
    for _ in range(changes):
        change = random.choice(_CHANGES)
        lines, body = change(random, kind, lines, body)
    raw = b"\r\n".join(lines) + b"\r\n\r\n" + body
    return Case(raw, kind, plain=not changes and b"\r\nX-Stale: 1" not in raw)


def _signed(random: Random, kind: str) -> _Made:
    """The lines of a request that the edge sends, and its body."""
    method, host = random.choice(_METHODS), random.choice(_HOSTS)
    target = "/" + "/".join(random.choices(_SEGMENTS, k=random.choice([1, 1, 2, 3])))
    if random.random() < 0.6:
        target += "?" + "&".join(random.choices(_PAIRS, k=random.choice([1, 1, 2, 3])))
    if kind.startswith("alibaba"):
        target = target.replace("%ff", "ff")  # its own signer knows no key that is not UTF-8
    others = random.sample(_OTHERS, random.choice([0, 0, 1, 2, 3]))
    body = _BODY if method in {"POST", "PUT"} and random.random() < 0.7 else b""
    if body:
        others += random.choice([[], [_DIGEST]])
    if method in {"POST", "PUT"}:
        others.append(f"Content-Length: {len(body)}")
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in others)]
    # No two requests are the same, though the clock stands still.
    unique = ("x-amz-meta-unique", f"{random.getrandbits(64):x}")
    if kind.startswith("aws"):
        fields.append(unique)
    fields += KINDS[kind].with_it
    stale = random.random() < 0.05
    now = NOW - 100_000 * stale
    asked = Outgoing(method, host, target, fields, body)
    made = _signer(kind).credential(now=now, request=asked)
    pairs = [*fields, *made.items()]
    random.shuffle(pairs)
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {host}",
        f"{CHOICE}: {random.randrange(6)} {kind}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in pairs),
    ]
    if stale:
        # What never ends, or was never signed, is as good as before.
        lines.append("X-Stale: 1")
    return [line.encode("latin-1") for line in lines], body


def _free(random: Random, lines: list[bytes], first: int = _REQUEST) -> int:
    """The place of a line that may be changed."""
    free = [place for place, line in enumerate(lines) if _name(line) not in _FIXED]
    return random.choice([place for place in free if place >= first])


def _in_bytes(random: Random, _kind: str, lines: list[bytes], body: bytes) -> _Made:
    place = _free(random, lines)
    lines[place] = random.choice(MUTATIONS)(random, lines[place])
    return lines, body


def _request_line(random: Random, _kind: str, lines: list[bytes], body: bytes) -> _Made:
    method, target, *rest = lines[_REQUEST].split(b" ")
    path, mark, query = target.partition(b"?")
    change = random.randrange(12)
    if change in {0, 11}:
        method = random.choice([b"GET", b"HEAD", b"HEAD", b"DELETE", method.lower()])
    elif change in {1, 10}:
        target = random.choice([path, path + b"?" + random.choice(_PAIRS).encode()])
    elif change == 2:
        target += random.choice([b"&a=1", b"?", b"&", b"#x", b";x", b"/", b"%20"])
    elif change == 3:
        target = target.swapcase()
    elif change == 4:
        target = (
            path.replace(b"%2F", b"/").replace(b"%20", b"+").replace(b"%7E", b"~") + mark + query
        )
    elif change == 5:
        target = path + mark + b"&".join(reversed(query.split(b"&")))
    elif change == 6:
        target = random.choice([b"/", b"/.", b"//x/..", b"http://shop.example", b"/b/.."]) + target
    elif change == 7:
        place = random.randrange(len(target))
        target = target[:place] + b"%%%02X" % target[place] + target[place + 1 :]
    elif change == 8:
        target = path + mark + query.replace(b"+", b"%20").replace(b"=", b"%3D", 1)
    else:
        target = path + mark + query + random.choice([b"&", b"?"]) + query
    lines[_REQUEST] = b" ".join([method, target, *rest])
    return lines, body


def _of_another(random: Random, kind: str, lines: list[bytes], body: bytes) -> _Made:
    """The credential of another request, all of it or a field."""
    try:
        others, _ = _signed(random, kind)
    except CannotSign:
        return lines, body
    names = random.choice([KINDS[kind].fields, random.choices(KINDS[kind].fields)])
    theirs = {_name(line): line for line in others}
    lines = [theirs.get(_name(line), line) if _name(line) in names else line for line in lines]
    return lines, body


def _name(line: bytes) -> str:
    return line.partition(b":")[0].decode("latin-1").lower()


def _twice(random: Random, kind: str, lines: list[bytes], body: bytes) -> _Made:
    """A field again, or another one for it: another value, or a name that looks like its own."""
    names = (*KINDS[kind].fields, "host", *(name.lower() for name, _ in KINDS[kind].with_it))
    wanted = [line for line in lines if _name(line) in names or _name(line).startswith("x-")]
    line = random.choice(wanted) if wanted else lines[_HOST]
    name, colon, value = line.partition(b":")
    if random.random() < 0.5:
        name = random.choice(
            [name.replace(b"-", b"_"), name.replace(b"-", b"_", 1), name.upper(), b"HTTP_" + name]
        )
    if random.random() < 0.6:
        value = random.choice(
            [b"", b" ", b" x", b" " + STRANGER.encode(), value[:-1], value + b"x"]
        )
    if random.random() < 0.2:
        lines[lines.index(line)] = name + colon + value
    else:
        lines.insert(random.randint(4, len(lines)), name + colon + value)
    return lines, body


def _swapped(random: Random, _kind: str, lines: list[bytes], body: bytes) -> _Made:
    """The values of two fields, each in the place of the other."""
    one, two = _free(random, lines, _HOST), _free(random, lines, _HOST)
    (name, colon, value), (other, _, of_other) = (lines[at].partition(b":") for at in (one, two))
    lines[one], lines[two] = name + colon + of_other, other + colon + value
    return lines, body


def _without(random: Random, _kind: str, lines: list[bytes], body: bytes) -> _Made:
    place = _free(random, lines, _HOST)
    if place == _HOST:
        lines[place] = b"X-Was: Host"
    else:
        del lines[place]
    return lines, body


def _more(random: Random, _kind: str, lines: list[bytes], body: bytes) -> _Made:
    line = random.choice([*_OTHERS, *_CLAIMS, _DIGEST]).encode()
    lines.insert(random.randint(4, len(lines)), line)
    return lines, body


def _of_the_host(random: Random, _kind: str, lines: list[bytes], body: bytes) -> _Made:
    value = lines[_HOST].partition(b": ")[2]
    lines[_HOST] = b"Host: " + random.choice(
        [b"other.example", value.swapcase(), value + b":443", value + b":80", value + b".", b""]
    )
    return lines, body


def _of_the_body(_random: Random, _kind: str, lines: list[bytes], body: bytes) -> _Made:
    """Another body of that length, or one where there was none."""
    if body:
        return lines, body.upper()
    others = [line for line in lines if _name(line) != "content-length"]
    return [*others, b"Content-Length: %d" % len(_BODY)], _BODY


_CHANGES: list[Callable[[Random, str, list[bytes], bytes], _Made]] = [
    *[_in_bytes] * 4,
    *[_request_line] * 5,
    *[_of_another, _of_another, _twice, _twice, _twice],
    *[_swapped, _without, _more, _of_the_host, _of_the_body, _of_the_body],
]

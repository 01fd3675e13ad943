"""Requests as an edge gets them and hardly anybody sends them, made from a seed."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

COMPONENTS = ["@method", "@authority", "@path", "@query"]

#: A field of the requests that may be signed too; some have it several times.
FIELD = "x-odd"

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_RARE_METHODS = ["PURGE", "M-SEARCH", "PROPFIND", "query"]

_HOSTS = ["shop.example", "SHOP.Example", "a.b-c.example", "127.0.0.1", "[::1]", "[2001:DB8::443]"]
_PORTS = ["", "", ":80", ":443", ":8443", ":65535"]
_RARE_PORTS = [":", ":0443", ":080"]

_SEGMENTS = [
    *("a", "B", "7", "-._~", "!$&'()*+,;=:@", "%2F", "%2f", "%25", "%00", "%C3%A9", "%e2%82%ac"),
    *("%20", "%3F", "%23", "%41", "%7e", ".", "..", "%2e%2e", "a.b", ";v=1", "index.html"),
]
_QUERY = [*_SEGMENTS, "&", "&&", "=", "a=", "=b", "a=b", "?", "/", "+", "a=b&a=c", "%26", "%3D"]

_VALUES = ["", "a", "a  b", " b ", "\tc\t", "a, b", ",", '"quoted, text"', "k=v; w", "x" * 300, "0"]


class OddRequest(NamedTuple):
    """One request: *fields* are those beside Host, in order; *signed* is what is to be signed."""

    method: str
    host: str
    target: str
    fields: list[tuple[str, str]]
    signed: list[str]


def odd_requests(count: int, seed: int, *, rare: bool) -> list[OddRequest]:
    """As many requests; *rare* ones have methods and hosts that not every program carries."""
    random = Random(seed)  # noqa: S311 - the same every time
    return [_request(random, rare=rare) for _ in range(count)]


def _request(random: Random, *, rare: bool) -> OddRequest:
    lines = [(FIELD, random.choice(_VALUES)) for _ in range(random.choice([1, 1, 2, 3]))]
    others = [("accept", "*/*"), ("x-other", random.choice(_VALUES))]
    signed = [*COMPONENTS, *([FIELD] if random.random() < 0.5 else [])]
    if rare:
        random.shuffle(signed)
        signed = signed[: random.randint(1, len(signed))]
    return OddRequest(
        random.choice(_METHODS + _RARE_METHODS * rare),
        random.choice(_HOSTS) + random.choice(_PORTS + _RARE_PORTS * rare),
        _path(random) + _query(random),
        [*lines, *others],
        signed,
    )


def _path(random: Random) -> str:
    # Not "//" at the beginning, which servers take for the name of a host.
    parts = [random.choice(_SEGMENTS) for _ in range(random.randint(0, 4))]
    ends = random.choice(["", "/", "//", "//x"]) if parts else ""
    return "/" + "/".join(parts) + ends


def _query(random: Random) -> str:
    kind = random.random()
    if kind < 0.3:
        return ""
    if kind < 0.45:
        return "?"
    return "?" + "".join(random.choice(_QUERY) for _ in range(random.randint(1, 6)))

"""Raw requests for the proxies: what may open an exempt path, a WebSocket or a look-alike."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeauth.ops.probe.spoofable import names

if TYPE_CHECKING:
    from random import Random

EXEMPT = "/healthz"
HANDSHAKE = "/ws"
LIE = "LIE"

# Of each part what is usual, and what is not.
_METHODS = (
    ["GET"] * 6 + ["HEAD", "POST"],
    ["WEBSOCKET", "get", "PUT", "OPTIONS", "TRACE", "PURGE", "FOO-BAR", "GET,HEAD", "CONNECT", "-"],
)
_TARGETS = (
    ["/healthz", "/healthz", "/healthz?x=1", "/", "/secret", "/ws"],
    [
        *["http://origin.example/healthz", "http://elsewhere.example/healthz", "HTTP://A/healthz"],
        *["http://origin.example/secret", "http://healthz", "http://a?/healthz", "//a/healthz"],
        *["/x/../healthz", "/healthz/..", "/healthz/../secret", "/healthz/%2e%2e/secret"],
        *[
            "/./healthz",
            "//healthz",
            "/healthz//",
            "/healthz/",
            "/%68ealthz",
            "/healthz%2f..%2fsecret",
        ],
        *["/healthz;/../secret", "/healthz#/secret", "/secret#/healthz", "/secret?/healthz"],
        *["/healthz%00", "/healthz%20", "/healthz%3fx", "/healthz\\..\\secret", "\\healthz", "*"],
        *["/edgeauth/healthz", "/_edgeauth", "/HEALTHZ", "/healthz.", "healthz", "", "?/healthz"],
        *["/ws/", "/ws?x", "//ws", "/healthz\xff", "/" + "a" * 3000, "/_external-auth-Lw-Prefix"],
    ],
)
_VERSIONS = ["HTTP/1.1"], ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0"]
_HOSTS = (
    ["origin.example"],
    [
        *[
            "origin.example/healthz?",
            "a/healthz",
            "/healthz",
            "a?/healthz",
            "a#/healthz",
            "a\\healthz",
        ],
        *[
            "",
            "origin.example:80",
            "origin.example:/healthz",
            "[::1]",
            "[::1]/healthz?",
            "a@b",
            "a b",
        ],
        *["http://a", "a%2fhealthz%3f", "localhost/healthz#"],
    ],
)
_SPOOFED = [
    *[EXEMPT] * 6,
    *[f"http://origin.example{EXEMPT}", HANDSHAKE, "GET", "websocket", "WEBSOCKET", "/", ""],
    *["/secret", "13", "origin.example", "on"],
]
_OURS = ["X-EdgeAuth-Pop", "X-EdgeAuth-Reason", "X-EdgeAuth-Key", "X-EdgeAuth-Age", "Edge-Auth"]
_OURS += ["Edge-Auth-Pass", "X-Forwarded-For"]
_LISTED = ["Edge-Auth", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Original-URI", "close", "TE"]
_LISTED += [
    "X-Original-Upgrade",
    "X-Original-Method",
    "X-EdgeAuth-Pop",
    "Sec-WebSocket-Key",
    "Upgrade",
]
_HANDSHAKE = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]
_OTHER_PARTS = [
    ("Upgrade", "WebSocket"),
    ("Upgrade", "h2c"),
    ("Upgrade", "websocket, h2c"),
    ("Connection", "keep-alive, upgrade"),
    ("Sec-WebSocket-Version", "8"),
    ("Sec-WebSocket-Protocol", "chat"),
    ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),
]
_TRAILERS = ["X-Forwarded-For: 192.0.2.7", "X-EdgeAuth-Pop: LIE", "Edge-Auth: LIE", "X-T: LIE"]
_TRAILERS += ["X-Original-URI: /healthz", "Host: a", "Content-Length: 3"]


@dataclass(frozen=True)
class Case:
    """One request.

    Attributes:
        name: in its field X-Case.
        raw: the bytes.
        method: of its first line.
        signed: whether it bears a credential that is good.
    """

    name: str
    raw: bytes
    method: str
    signed: bool


def _pick(random: Random, choices: tuple[list[Any], list[Any]], odd: float) -> Any:
    return random.choice(choices[random.random() < odd])


def make_case(random: Random, name: str, *, secret: str, now: int) -> Case:
    """One request; the same for the same state of *random*, but for the time in a credential."""
    method, version = _pick(random, _METHODS, 0.15), _pick(random, _VERSIONS, 0.06)
    target = _pick(random, _TARGETS, 0.35)
    lines = [f"{method} {target} {version}", f"X-Case: {name}"]
    hosts = random.choice([1] * 18 + [0, 2])
    lines += [f"Host: {_pick(random, _HOSTS, 0.15)}" for _ in range(hosts)]
    credentials = _credentials(random, secret, now)
    fields = [*credentials, *_claims(random), *_handshake(random, target)]
    more, body = _body(random, method)
    lines += [f"{field}: {value}" for field, value in [*fields, *more]]
    if not any(line.lower().startswith("connection:") for line in lines):
        lines.append("Connection: close")
    signed = [value for _, value in credentials] == [_signed(secret, now)]
    raw = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    return Case(name, raw, method, signed)


def _signed(secret: str, now: int) -> str:
    text = f"{now},LHR"
    return f"{text},0x{hmac.new(secret.encode(), text.encode(), 'sha256').hexdigest()}"


def _credentials(random: Random, secret: str, now: int) -> list[tuple[str, str]]:
    good, bad = _signed(secret, now), _signed("x" * 20, now)
    values = random.choice([[]] * 12 + [[good]] * 4 + [[bad], [good, good], [good, bad], [""]])
    return [("Edge-Auth", value) for value in values]


def _claims(random: Random) -> list[tuple[str, str]]:
    found = []
    for _ in range(random.choice([0, 0, 1, 2, 3, 5])):
        name, value = random.choice(names()), random.choice(_SPOOFED)
        found += [(_spelt(random, name), value)] * random.choice([1, 1, 1, 2])
    for _ in range(random.choice([0, 0, 0, 1, 2])):
        name = random.choice(_OURS)
        twin = random.choice([name.replace("-", "_"), name.replace("-", "_", 1)])
        # A claim under the credential's own name would be a second credential.
        own = name not in {"Edge-Auth", "Edge-Auth-Pass"} and random.random() < 0.5
        found.append((_cased(random, name if own else twin), LIE))
    if random.random() < 0.05:
        found.append(("Connection", ", ".join(random.sample(_LISTED, random.randint(1, 4)))))
    return found


def _spelt(random: Random, name: str) -> str:
    return _cased(random, random.choice([name, name, name, name.replace("-", "_")]))


def _cased(random: Random, name: str) -> str:
    return random.choice([name, name, name.lower(), name.upper()])


def _handshake(random: Random, target: str) -> list[tuple[str, str]]:
    likely = 0.6 if target.startswith(HANDSHAKE) else 0.1
    if random.random() > likely:
        return []
    if random.random() < 0.5:
        return list(_HANDSHAKE)
    parts = random.sample(_HANDSHAKE, random.randint(0, 4))
    return parts + random.sample(_OTHER_PARTS, random.randint(0, 2))


def _body(random: Random, method: str) -> tuple[list[tuple[str, str]], bytes]:
    if random.random() < (0.3 if method in {"POST", "PUT"} else 0.85):
        return ([("Content-Length", "0")] if method in {"POST", "PUT"} else []), b""
    chunked = ("Transfer-Encoding", "chunked")
    kind = random.randrange(8)
    if kind < 2:
        return [("Content-Length", "5")], b"hello"
    if kind == 2:
        return [("Content-Length", "5"), chunked], b"0\r\n\r\n"
    if kind == 3:
        return [("Transfer_Encoding", "chunked")], b""
    if kind == 4:
        return [chunked], b"5;x=1\r\nhello\r\n0\r\n\r\n"
    trailers = random.sample(_TRAILERS, random.randint(1, 3))
    announced = ", ".join(trailer.partition(":")[0] for trailer in trailers)
    more = random.choice(
        [[], [("Trailer", announced)], [("Trailer", announced), ("TE", "trailers")]]
    )
    body = "5\r\nhello\r\n0\r\n" + "".join(f"{trailer}\r\n" for trailer in trailers) + "\r\n"
    return [chunked, *more], body.encode()

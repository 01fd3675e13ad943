"""Raw requests that try to reach a view, well-formed ones and what mutations make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from differential.grammar import MUTATIONS, pick
from differential.routes.table import (
    CHOICE,
    EDGE,
    GATES,
    PASS_METHOD,
    PASS_PATH,
    ROOT,
    SOCKETS,
    STRANGER,
    pages,
    sockets,
)

if TYPE_CHECKING:
    from random import Random

# Stands for a value that the edge signed, which has the time in it.
SIGNED = b"{signed}"
# The same of a pass.
PASS = b"{pass}"

_METHODS = (
    [b"GET"] * 8 + [b"HEAD", b"POST"],
    [b"WEBSOCKET", b"WEBSOCKET", b"get", b"Websocket", b"OPTIONS", b"TRACE", b"PURGE", b"CONNECT"],
)
_VERSIONS = [b"HTTP/1.1"], [b"HTTP/1.0", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b""]
_PREFIXES = ([b"", b""], [b"/inner", ROOT.encode(), b"/elsewhere", b"/inner/inner", b"/", b"/."])
_ODD_TARGETS = [
    *[b"*", b"", b"healthz/", b"\\healthz/", b"//healthz/", b"/./healthz/", b"/x/../healthz/"],
    *[b"/healthz//", b"/healthz/.", b"/healthz/..", b"/admin/../healthz/", b"/healthz/../admin"],
    *[b"/healthz/..;/admin", b"/healthz/;/../admin", b"/healthz/%2e%2e/admin", b"/admin?/healthz/"],
    *[b"/admin#/healthz/", b"/admin%3f/healthz/", b"/healthz/%00", b"/healthz/\0", b"/healthz/\t"],
    *[
        b"/admin\t/healthz/",
        b"/healthz%2f",
        b"/healthz%2F",
        b"/HEALTHZ/",
        b"/healthz/?",
        b"/healthz",
    ],
    *[
        b"/status%2fadmin",
        b"/status//admin",
        b"/status/./admin",
        b"/status/x/../admin",
        b"/status;/admin",
    ],
    *[b"/cafe", b"/caf%c3%a9", b"/caf\xc3\xa9", b"/caf%E9", b"/cafe%cc%81", b"/caf%C3%A9/"],
    *[b"/p", b"/p;v=1", b"/p;v=2", b"/p%3bv=1", b"/p;v=1/", b"/p;v=1/../admin", b"/p;"],
    *[b"http://origin.example/healthz/", b"http://origin.example/admin", b"HTTP://x/healthz/"],
    *[b"http:///healthz/", b"http:healthz/", b"http://healthz/", b"//origin.example/healthz/"],
    *[b"https://u:p@origin.example:8/healthz/", b"origin.example:443", b"/http://x/healthz/"],
    *[b"/healthz/ /admin", b"/admin /healthz/", b"/\xff/healthz/", b"/%ff/../healthz/", b"/%zz"],
]

# What is known to move a mount point, and what something could take one, or a path, from.
_KNOWN_MOVERS = [b"Daphne-Root-Path", b"SCRIPT_NAME", b"X-Forwarded-Prefix"]
MOVERS = [
    *[b"Daphne-Root-Path", b"Daphne-Root-Path", b"SCRIPT_NAME", b"SCRIPT_NAME", b"Script-Name"],
    *[b"X-Script-Name", b"X-Forwarded-Prefix", b"X-Forwarded-Prefix", b"X_Forwarded_Prefix"],
    *[b"X-Forwarded-Path", b"X-Original-URL", b"X-Original-URI", b"X-Rewrite-URL", b"PATH_INFO"],
    *[b"Path-Info", b"Root-Path", b"root_path", b"UWSGI_SCRIPT_NAME", b"HTTP_SCRIPT_NAME"],
    *[b"Daphne_Root_Path", b"daphne-root-path", b"X-HTTP-Method-Override", b"REQUEST_METHOD"],
    *[b"Forwarded", b"X-Forwarded-Host", b"X-Forwarded-Uri", b"RAW_URI", b"REQUEST_URI"],
    *[b"UWSGI_MOUNT", b"UWSGI_APPID", b"Upgrade", b"X-Forwarded-Proto"],
]
_PLACES = [
    *[b"/healthz", b"/healthz/", b"/status", b"/status/", b"/inner", ROOT.encode(), b"/app", b"/"],
    *[
        b"",
        b"//",
        b"/live",
        b"/caf%C3%A9",
        b"/caf\xc3\xa9",
        b"/p;v=1",
        b"/inner/status",
        b"healthz",
    ],
    *[ROOT.encode() + b"/healthz", ROOT.encode() + b"/", b"/../healthz", b"/healthz%2f", b"/x"],
    *[
        b"/inner/healthz",
        b"/elsewhere",
        b"/healthz, /",
        b"GET",
        b"WEBSOCKET",
        b"websocket",
        b"/app/live",
    ],
]

# Fields by which an address is claimed, or taken for one.
_FOLDED = [b"X_Forwarded_For", b"X_FORWARDED_FOR", b"x_forwarded-for", b"X-Forwarded_For"]
_CLAIMS = [
    *[b"Forwarded", b"X-Real-IP", b"REMOTE_ADDR", b"Remote-Addr", b"X-Client-IP", b"Client-Ip"],
    *[b"True-Client-IP", b"HTTP_X_FORWARDED_FOR", b"X-Forwarded-For ", b"X-Forwarded-For\t"],
    *[b"X-Forwarded-For\0", b" X-Forwarded-For", b"X.Forwarded.For", b"Via", b"X-Forwarded"],
]
HANDSHAKE = [
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]


# The gates at which it is known what a request without oddities reaches.
_AT_THE_ROOT = {"plain", "proxied", "mounted", "address"}
_UNDER_A_ROOT = {"rooted", "several"}


@dataclass(frozen=True)
class Asked:
    """One request, or what a mutation left of it.

    Attributes:
        raw: its bytes, with :data:`SIGNED` and :data:`PASS` in the places of such values.
        gate: which gate it goes to.
        signed: whether it has a signed value, so that it may reach every view.
        wanted: what it must reach, if nothing in it is odd; None if it may be refused.
    """

    raw: bytes
    gate: str
    signed: bool = False
    wanted: str | None = None


def make(random: Random, kind: str, root: str | None = None) -> Asked:
    """One request to a server of *kind*; the same for the same state of *random*.

    Args:
        random: what chooses.
        kind: of applications.
        root: what a path has before it where the server has a mount point; None: it has none.
    """
    gate = random.choice([*GATES, "address", "pass"])
    framework = random.choice(["starlette" if kind == "asgi" else "flask", "django"])
    choice = f"{framework}/{gate}"
    chance = random.random()
    if chance < 0.08 and gate in (_AT_THE_ROOT if root is None else _UNDER_A_ROOT):
        return _usual(random, gate, choice, root)
    if gate == "address" and chance < 0.8:
        return _claiming(random, choice)
    method, target, fields = _question(random, gate)
    if target.startswith(b"/") and random.random() < 0.7:
        target = (root or "").encode() + GATES[gate].mounted.encode() + target
    if gate == "pass":
        fields.append(b"Edge-Auth-Pass: " + PASS)
    handshake = random.random() < 0.2
    if handshake:
        fields += [field for field in HANDSHAKE if random.random() < 0.95]
    random.shuffle(fields)
    more, body = _body(random, b"Daphne-Root-Path: /healthz")
    version = pick(random, _VERSIONS, odd=0.06)
    line = b" ".join(part for part in (method, target, version) if part or part is target)
    closing = b"Connection: " + (b"Upgrade" if handshake else b"close")
    return Asked(_written(random, choice, closing, [line, *fields, *more], body), gate)


def _usual(random: Random, gate: str, choice: str, root: str | None) -> Asked:
    """A request in which nothing is odd, so that what it must reach is known."""
    address = gate == "address"
    kinds = (
        ["signed", "signed", "stranger"] if address else ["signed", "exempt", "exempt", "socket"]
    )
    kind = random.choice(kinds)
    if kind == "socket" and not choice.startswith("starlette"):
        kind = "exempt"
    before = (GATES[gate].mounted + (root or "")).encode()
    always = [b"Host: origin.example", CHOICE.encode() + b": " + choice.encode()]
    if kind == "socket":
        fields = [*always, b"Connection: Upgrade", *HANDSHAKE]
        line = b"GET " + before + b"/live HTTP/1.1"
        return Asked(_join([line, *fields]), gate, wanted="WEBSOCKET live handshake")
    fields = [*always, b"Connection: close"]
    if kind == "exempt":
        # Not HEAD: tornado and Hypercorn's WSGI fail by themselves where it has no body.
        line = b"GET " + before + b"/healthz/?x=1 HTTP/1.1"
        return Asked(_join([line, *fields]), gate, wanted="GET health plain")
    if kind == "stranger":
        fields += [b"Edge-Auth: " + SIGNED, b"X-Forwarded-For: " + STRANGER.encode()]
        return Asked(_join([b"GET /admin HTTP/1.1", *fields]), gate)
    path, name = random.choice([*pages().items()])
    if address:
        fields.append(b"X-Forwarded-For: " + STRANGER.encode() + b", " + EDGE.encode())
    fields.append(b"Edge-Auth: " + SIGNED)
    line = b"GET " + before + quote_from_bytes(path.encode(), "/;=").encode() + b" HTTP/1.1"
    return Asked(_join([line, *fields]), gate, signed=True, wanted=f"GET {name} plain")


def _claiming(random: Random, choice: str) -> Asked:
    """A signed request of a stranger, whose proxy says so; and what the stranger says himself."""
    claims = [
        pick(random, (_FOLDED, _CLAIMS), odd=0.5)
        + b": "
        + random.choice([EDGE.encode(), b"for=" + EDGE.encode()])
        for _ in range(random.choice([0, 1, 1, 2]))
    ]
    # The proxy adds its peer to what the client sent, and sets no other field.
    hops = [EDGE.encode()] * random.choice([0, 1]) + [STRANGER.encode()]
    told = [b"X-Forwarded-For: " + b", ".join(hops)]
    if random.random() < 0.3:
        told = [b"X-Forwarded-For: " + hop for hop in hops]
    fields = [b"Edge-Auth: " + SIGNED, *claims]
    random.shuffle(fields)
    fields = [*fields, *told] if random.random() < 0.5 else [*told, *fields]
    more, body = _body(random, b"X-Forwarded-For: " + EDGE.encode())
    method = random.choice([b"GET", b"POST"])
    line = method + b" " + random.choice([b"/admin", b"/", b"/live"]) + b" HTTP/1.1"
    return Asked(
        _join([line, *_always(choice, b"Connection: close"), *fields, *more], body), "address"
    )


def _question(random: Random, gate: str) -> tuple[bytes, bytes, list[bytes]]:
    """Method, target, and fields that may move it elsewhere."""
    chance = random.random()
    entries = GATES[gate].settings.get("exempt", [f"{PASS_METHOD} {PASS_PATH}"])
    if chance < 0.3:
        # An open path in two: the client says that the first part is the mount point.
        method, _, path = random.choice(entries).partition(" ")
        place = random.choice([i for i, letter in enumerate(path) if letter == "/"] + [len(path)])
        before, after = path[:place].encode(), path[place:].encode()
        target = quote_from_bytes(after, "/;=").encode() or random.choice([b"/", b"/", b""])
        if random.random() < 0.4:
            # gunicorn takes the mount point off the path that it was sent.
            target = quote_from_bytes(path.encode(), "/;=").encode()
        method = "GET" if method == "WEBSOCKET" and random.random() < 0.5 else method
        return method.encode(), target, [_moving(random) + b": " + before]
    if chance < 0.4:
        # An open path as it is, and then perhaps with a handshake.
        method, _, path = random.choice(entries).partition(" ")
        return method.encode(), quote_from_bytes(path.encode(), "/;=").encode(), []
    if chance < 0.45:
        # A method that is called as a handshake is in the exemptions.
        return b"WEBSOCKET", random.choice([*sockets()]).encode(), []
    fields = [_mover(random) for _ in range(random.choice([0, 1, 1, 1, 2]))]
    return pick(random, _METHODS, odd=0.1), _target(random), fields


def _mover(random: Random) -> bytes:
    return _moving(random) + b": " + random.choice(_PLACES)


def _moving(random: Random) -> bytes:
    return pick(random, (_KNOWN_MOVERS, MOVERS), odd=0.35)


def _target(random: Random) -> bytes:
    if random.random() < 0.4:
        path = random.choice(_ODD_TARGETS)
    else:
        path = random.choice([*pages(), *sockets(), *SOCKETS]).encode()
        if random.random() < 0.5:
            path = quote_from_bytes(path, "/;=").encode()
    target = pick(random, _PREFIXES, odd=0.35) + path if path.startswith(b"/") else path
    if random.random() < 0.15 and target:
        place = random.randrange(len(target))
        target = target[:place] + b"%%%02x" % target[place] + target[place + 1 :]
    return target + random.choice([b""] * 6 + [b"?x=1", b"?/healthz/", b"#x"])


def _body(random: Random, trailer: bytes) -> tuple[list[bytes], bytes]:
    chance = random.random()
    if chance < 0.75:
        return [], b""
    if chance < 0.8:
        return [b"Content-Length: 5"], b"hello"
    more = [b"Transfer-Encoding: chunked", *random.choice([[], [b"Trailer: X-Forwarded-For"]])]
    return more, b"5\r\nhello\r\n0\r\n" + random.choice([trailer, _mover(random)]) + b"\r\n\r\n"


def _written(random: Random, choice: str, closing: bytes, lines: list[bytes], body: bytes) -> bytes:
    """The request of *lines*, some of them mutated; those that the tests need stay as they are."""
    for _ in range(random.choice([0, 0, 0, 0, 1, 2])):
        place = random.randrange(len(lines))
        lines[place] = random.choice(MUTATIONS)(random, lines[place])
    line, *fields = lines
    return _join([line, *_always(choice, closing), *fields], body)


def _always(choice: str, closing: bytes) -> list[bytes]:
    return [b"Host: origin.example", CHOICE.encode() + b": " + choice.encode(), closing]


def _join(lines: list[bytes], body: bytes = b"") -> bytes:
    return b"\r\n".join(lines) + b"\r\n\r\n" + body

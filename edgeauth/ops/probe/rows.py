"""What a probe sends, and what must come back: one row a request."""

from __future__ import annotations

import hmac
import secrets as random
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import quote

from edgeauth.addresses import AddressList
from edgeauth.ops.probe.spoofable import spoofs
from edgeauth.request import HANDSHAKE
from edgeauth.schemes.edge_auth import sign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgeauth.keys import Key

    # Given the time (Unix seconds) at which the request is sent.
    _Value = Callable[[int], bytes]
    _Fields = Callable[[int], list[tuple[str, bytes]]]
    _Request = Callable[[int], bytes]

# Beyond the window by so much that clocks which differ a little do not matter.
_BEYOND = 30
_POP = "LHR"
# How many exempt paths are tried with their look-alikes: a probe sends a handful.
_MAX_EXEMPT = 3
# What a path may hold as it is (RFC 3986, 3.3), beside letters and digits.
_IN_PATHS = "/!$&'()*+,;=:@-._~"
# What servers answer themselves to a request that is no good HTTP.
_BAD_REQUEST: frozenset[int | str] = frozenset({400, 414, 431, "closed"})
# gunicorn answers 500 itself to a SCRIPT_NAME that the path does not begin with.
_BAD_MOUNT = _BAD_REQUEST | {500}
# What servers answer to a handshake where nothing takes WebSockets; Django by ASGI fails.
_NO_WEBSOCKETS: frozenset[int | str] = frozenset({400, 426, 500, 501})
# Published in the vendor's documentation, and what an empty or missing secret turns into.
_KNOWN_SECRETS = (
    ("empty-secret", "an empty secret", b""),
    ("null-secret", "the secret (null)", b"(null)"),
    ("example-secret", "the secret of the vendor's examples", b"some-pre-shared-secret"),
)


class Plan(NamedTuple):
    """What is known of the origin.

    Attributes:
        authority: the value of the Host field.
        path: the path and query that the edge asks for.
        key: the key that the edge signs with.
        no_key: why that is not known, and *key* any other; None where it is known.
        header: the field of the credential.
        max_age, max_future, require_pop, pops: as the origin has them.
        exempt: ``METHOD /exact/path`` entries of the origin.
        websocket: a path that takes WebSockets, or None.
    """

    authority: str
    path: str
    key: Key
    no_key: str | None
    header: str = "Edge-Auth"
    max_age: float = 60
    max_future: float = 5
    require_pop: bool = True
    pops: tuple[str, ...] | None = None
    exempt: tuple[str, ...] = ()
    websocket: str | None = None


class Row(NamedTuple):
    """One request.

    Attributes:
        id: stable, for programs.
        title: for people.
        expected: ``refused``, ``answered`` (2xx) or ``upgraded`` (101).
        request: makes the bytes, given the time (Unix seconds) at which they are sent;
            None where the row is not tried.
        means: what it means if something else comes back; why it is not tried.
        also: answers that count as a refusal of this row only.
    """

    id: str
    title: str
    expected: Literal["refused", "answered", "upgraded"]
    request: _Request | None
    means: str
    also: frozenset[int | str] = frozenset()


def rows(plan: Plan) -> list[Row]:
    """All rows of *plan*: those of an attacker first, then those of the edge."""
    return [
        *_unsigned(plan),
        *_without_the_secret(plan),
        *_spoofed(plan),
        *_with_the_secret(plan),
        *_exemptions(plan),
        *_edge(plan),
    ]


# Without any credential


def _unsigned(plan: Plan) -> list[Row]:
    anybody = "anybody who finds the address of the origin gets an answer: no gate is in the way"
    half = "the gate does not look at requests of this kind"
    preflight = _constant(
        ("Origin", b"https://a.example"), ("Access-Control-Request-Method", b"GET")
    )
    tried = [
        ("unsigned-head", "HEAD", _request(plan, method="HEAD")),
        ("unsigned-post", "POST", _request(plan, method="POST")),
        ("unsigned-options", "OPTIONS of CORS", _request(plan, preflight, method="OPTIONS")),
        ("unsigned-http10", "HTTP/1.0", _request(plan, version="1.0")),
    ]
    return [
        Row("unsigned", "no credential", "refused", _request(plan), anybody),
        *(Row(id_, f"no credential, {what}", "refused", sent, half) for id_, what, sent in tried),
        Row(
            "unsigned-websocket",
            "no credential, WebSocket",
            "refused",
            _handshake(plan, _constant()),
            half,
            _NO_WEBSOCKETS,
        ),
    ]


# With what an attacker can make without the secret


def _without_the_secret(plan: Plan) -> list[Row]:
    forged = "a value that nobody signed is accepted: the signature is not checked"
    cut = "a signature is compared only as far as it goes, so an empty one fits"
    odd = "bytes that are no header value get past the gate, or break it"
    known = "whoever reads the documentation can sign: put a secret of your own on both sides"
    return [
        _bad(plan, "junk", "junk", forged, lambda _now: b"junk"),
        _bad(plan, "empty", "an empty value", forged, lambda _now: b""),
        _bad(plan, "empty-signature", "an empty signature", cut, lambda now: b"%d,LHR," % now),
        _bad(plan, "prefix-signature", "0x and nothing", cut, lambda now: b"%d,LHR,0x" % now),
        _bad(plan, "forged", "a random signature", forged, _forged),
        _bad(plan, "forged-twice", "two random signatures", forged, _forged, _forged),
        _bad(plan, "odd-bytes", "bytes outside ASCII", odd, lambda _now: b"\xff,\x80,0x\xc3\x28"),
        _bad(plan, "control-bytes", "control bytes", odd, lambda _now: b"1,\x00\x0b,\x1b"),
        _bad(plan, "long", "a value of 16 kB", odd, lambda now: b"%d,LHR,0x" % now + b"a" * 16_000),
        *(
            _bad(plan, id_, f"signed with {what}", known, _signed_with(secret))
            for id_, what, secret in _KNOWN_SECRETS
        ),
    ]


def _forged(now: int) -> bytes:
    return f"{now},{_POP},0x{random.token_hex(32)}".encode()


def _signed_with(secret: bytes) -> _Value:
    """Signed as the edge does, with a secret that :func:`edgeauth.sign` may refuse."""

    def value(now: int) -> bytes:
        signed = f"{now},{_POP}".encode()
        return signed + b",0x" + hmac.new(secret, signed, "sha256").hexdigest().encode()

    return value


# With fields that proxies write


def _spoofed(plan: Plan) -> list[Row]:
    believed = "a forwarding field is believed from anybody: it opens the gate"
    edge = str(AddressList.fastly().networks[0][1]).encode()
    method, exempt = _method_and_path(next(_of_requests(plan), "GET /healthz"))
    addresses = ("X-Forwarded-For", "X-Real-IP", "True-Client-IP", "Fastly-Client-IP")

    def addressed(address: bytes) -> _Fields:
        fields = [(name, address) for name in addresses]
        return _constant(*fields, ("Forwarded", b"for=" + address))

    among = _constant(
        ("Fastly-FF", b"x!LHR!cache-lhr1"), ("CDN-Loop", b"Fastly"), ("Via", b"1.1 v")
    )
    tried = [
        ("spoofed-edge-address", "an address of the edge in X-Forwarded-For", addressed(edge)),
        ("spoofed-loopback", "127.0.0.1 in X-Forwarded-For", addressed(b"127.0.0.1")),
        ("spoofed-edge", "the fields by which the edge's servers know each other", among),
    ]
    found = [
        Row(id_, f"no credential, {title}", "refused", _request(plan, fields), believed)
        for id_, title, fields in tried
    ]
    for spoof in spoofs(method, exempt):
        fields = _constant(*((name, value.encode()) for name, value in spoof.fields))
        sent = _request(plan, fields, path=spoof.path)
        title = f"no credential, {spoof.title}"
        also = _BAD_REQUEST if spoof.path is None else _BAD_MOUNT
        found.append(Row(spoof.id, title, "refused", sent, believed, also))
    return found


# Truly signed, and not as the edge does


def _with_the_secret(plan: Plan) -> list[Row]:
    window = "an old or early value is accepted: look at max_age, max_future and the clocks"
    changed = "what is signed can be changed: the signature does not cover it"
    twice = "one of two values counts, so a client may add its own beside the edge's"

    def good(now: int) -> bytes:
        return _signed(plan, now)

    def stale(now: int) -> bytes:
        return _signed(plan, now - int(plan.max_age) - _BEYOND)

    def future(now: int) -> bytes:
        return _signed(plan, now + int(plan.max_future) + _BEYOND)

    def redated(now: int) -> bytes:
        return str(now).encode() + b"," + stale(now).partition(b",")[2]

    def renamed(now: int) -> bytes:
        signed_at, _, rest = good(now).partition(b",")
        return signed_at + b",ZZZ," + rest.rpartition(b",")[2]

    def altered(now: int) -> bytes:
        value = good(now)
        return value[:-1] + (b"0" if value[-1:] != b"0" else b"1")

    def joined(now: int) -> bytes:
        return good(now) + b", " + _forged(now)

    tried: list[tuple[str, str, str, tuple[_Value, ...]]] = [
        ("stale", f"signed {plan.max_age + _BEYOND:g} s ago", window, (stale,)),
        ("future", f"signed {plan.max_future + _BEYOND:g} s ahead", window, (future,)),
        ("redated", "an old signature with a new time", changed, (redated,)),
        ("renamed", "the POP changed after signing", changed, (renamed,)),
        ("altered", "the last digit changed", changed, (altered,)),
        ("truncated", "half a signature", changed, (lambda now: good(now)[:-32],)),
        ("longer", "a digit too many", changed, (lambda now: good(now) + b"0",)),
        ("good-then-forged", "two fields, the first signed", twice, (good, _forged)),
        ("forged-then-good", "two fields, the second signed", twice, (_forged, good)),
        ("good-twice", "the signed field twice", twice, (good, good)),
        ("joined", "two values in one field", twice, (joined,)),
    ]
    found = [
        Row(id_, title, "refused", None, plan.no_key)
        if plan.no_key is not None
        else _bad(plan, id_, title, means, *values)
        for id_, title, means, values in tried
    ]
    return [*found, _another_pop(plan), _two_fields(plan)]


def _another_pop(plan: Plan) -> Row:
    id_, title = "another-pop", "signed by a POP that is not listed"
    if plan.no_key is not None or plan.pops is None:
        why = plan.no_key or "every POP is accepted: pops is not set"
        return Row(id_, title, "refused", None, why)
    other = "Z-" + random.token_hex(7)  # on no list
    means = "the list of POPs is not looked at"
    return _bad(plan, id_, title, means, lambda now: _signed(plan, now, pop=other))


def _two_fields(plan: Plan) -> Row:
    id_, title = "no-pop", "signed without a POP"
    if plan.no_key is not None or not plan.require_pop:
        why = plan.no_key or "it is accepted: require_pop is off"
        return Row(id_, title, "refused", None, why)
    means = "require_pop is off at the origin"
    return _bad(plan, id_, title, means, lambda now: _signed(plan, now, pop=None))


# Exempt paths and what looks like them


def _exemptions(plan: Plan) -> list[Row]:
    wide = "more than the one path is exempt: a prefix, a pattern or any method"
    found = []
    for entry in plan.exempt[:_MAX_EXEMPT]:
        method, path = _method_and_path(entry)
        found += _exempt_handshake(plan, entry, method, path)
        if method != HANDSHAKE:
            exempt = _request(plan, method=method, path=path)
            means = "a health check fails"
            found.append(Row(f"exempt {entry}", f"{entry}, exempt", "answered", exempt, means))
        other = "POST" if method != "POST" else "PUT"
        for tried, alike in [*((method, alike) for alike in _look_alikes(path)), (other, path)]:
            title = f"{tried} {alike}"
            sent = _request(plan, method=tried, path=alike)
            found.append(
                Row(
                    f"look-alike {title}",
                    f"{title}, not exempt",
                    "refused",
                    sent,
                    wide,
                    _BAD_REQUEST,
                )
            )
    found += [
        Row(f"exempt {entry}", f"{entry}, exempt", "answered", None, "enough others are tried")
        for entry in plan.exempt[_MAX_EXEMPT:]
    ]
    return found


def _exempt_handshake(plan: Plan, entry: str, method: str, path: str) -> list[Row]:
    """The opening of a WebSocket at an exempt path: the one thing exempt there, or not at all."""
    handshake = _handshake(plan, _constant(), path)
    if method == "GET":
        means = "an exemption for GET opens a WebSocket"
        title = f"WebSocket at {path}, exempt for GET"
        return [Row(f"websocket {entry}", title, "refused", handshake, means, _NO_WEBSOCKETS)]
    if method != HANDSHAKE:
        return []
    means = "a method can be taken for the opening of a WebSocket"
    literal = _request(plan, method=HANDSHAKE, path=path)
    also = _BAD_REQUEST | {405, 501}
    return [
        Row(f"exempt {entry}", f"{entry}, exempt", "upgraded", handshake, "a WebSocket fails"),
        Row(
            f"literal {entry}", f"the method {HANDSHAKE} at {path}", "refused", literal, means, also
        ),
    ]


def _of_requests(plan: Plan) -> Iterator[str]:
    return (entry for entry in plan.exempt if not entry.startswith(f"{HANDSHAKE} "))


def _look_alikes(path: str) -> list[str]:
    found = [path + end for end in ("/", "x", "/x", ";x", "%00", "%2f..%2f")]
    return found if path.upper() == path else [*found, path.upper()]


def _method_and_path(entry: str) -> tuple[str, str]:
    """The parts of an exemption, the path as it is sent."""
    method, _, path = entry.partition(" ")
    return method, quote(path, safe=_IN_PATHS)


# As the edge does


def _edge(plan: Plan) -> list[Row]:
    def vcl(now: int) -> bytes:
        return _signed(plan, now)

    def rust(now: int) -> bytes:
        return _signed(plan, now, encoding="base64")

    found = [
        _good(plan, "signed", "VCL", "answered", _request(plan, _credential(plan, vcl))),
        _good(
            plan,
            "signed-base64",
            "Compute Rust",
            "answered",
            _request(plan, _credential(plan, rust)),
        ),
    ]
    if plan.websocket is not None:
        sent = _handshake(plan, _credential(plan, vcl))
        found.append(_good(plan, "signed-websocket", "VCL, WebSocket", "upgraded", sent))
    return found


def _good(
    plan: Plan, id_: str, sender: str, expected: Literal["answered", "upgraded"], sent: _Request
) -> Row:
    title = f"signed as by {sender}"
    if plan.no_key is not None:
        return Row(id_, title, expected, None, plan.no_key)
    outage = "the edge itself is refused, which is an outage; edgeauth verify tells why"
    return Row(id_, title, expected, sent, outage)


# What rows are made of


def _bad(plan: Plan, id_: str, title: str, means: str, *values: _Value) -> Row:
    """A row whose credential is no good; that a server refuses it as bad HTTP is fine too."""
    sent = _request(plan, _credential(plan, *values))
    return Row(id_, title, "refused", sent, means, _BAD_REQUEST)


def _signed(
    plan: Plan,
    timestamp: int,
    *,
    pop: str | None = "",
    encoding: Literal["hex", "base64"] = "hex",
) -> bytes:
    """Signed as the edge does; without another *pop*, by one that the origin accepts."""
    accepted = plan.pops[0] if plan.pops else _POP
    named = accepted if pop == "" else pop
    return sign(plan.key, pop=named, timestamp=timestamp, encoding=encoding).encode()


def _constant(*fields: tuple[str, bytes]) -> _Fields:
    return lambda _now: list(fields)


def _credential(plan: Plan, *values: _Value) -> _Fields:
    return lambda now: [(plan.header, value(now)) for value in values]


def _handshake(plan: Plan, fields: _Fields, path: str | None = None) -> _Request:
    upgrade = [
        ("Upgrade", b"websocket"),
        ("Sec-WebSocket-Version", b"13"),
        ("Sec-WebSocket-Key", b"ZWRnZWF1dGgtcHJvYmUtLQ=="),
    ]
    return _request(
        plan,
        lambda now: [*upgrade, *fields(now)],
        path=plan.websocket if path is None else path,
        connection="Upgrade",
    )


def _request(
    plan: Plan,
    fields: _Fields | None = None,
    *,
    method: str = "GET",
    path: str | None = None,
    version: str = "1.1",
    connection: str = "close",
) -> _Request:
    """The bytes of a request for *path*; None is the page that the edge asks for."""
    target = plan.path if path is None else path
    start = [
        f"{method} {target} HTTP/{version}",
        f"Host: {plan.authority}",
        "User-Agent: edgeauth-probe",
        f"Connection: {connection}",
    ]
    if method in {"POST", "PUT"}:
        start.append("Content-Length: 0")

    def sent(now: int) -> bytes:
        more = (
            [] if fields is None else [name.encode() + b": " + value for name, value in fields(now)]
        )
        return b"\r\n".join([*(line.encode() for line in start), *more, b"", b""])

    return sent

"""What a probe sends, and what must come back: one row a request."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from edgeauth.ops.probe.spoofable import spoofs
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.credential import can_sign, credential
from edgeauth.ops.schemes.probe_rows import (
    BAD_REQUEST,
    Plan,
    Row,
    bad,
    constant,
    good,
    handshake,
    request,
)
from edgeauth.request import HANDSHAKE
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeauth.ops.schemes.probe_rows import Fields


# How many exempt paths are tried with their look-alikes: a probe sends a handful.
_MAX_EXEMPT = 3
# What a path may hold as it is (RFC 3986, 3.3), beside letters and digits.
_IN_PATHS = "/!$&'()*+,;=:@-._~"
# gunicorn answers 500 itself to a SCRIPT_NAME that the path does not begin with.
_BAD_MOUNT = BAD_REQUEST | {500}
# What servers answer to a handshake where nothing takes WebSockets; Django by ASGI fails.
_NO_WEBSOCKETS: frozenset[int | str] = frozenset({400, 426, 500, 501})


def rows(plan: Plan, schemes: Sequence[Any]) -> list[Row]:
    """All rows of *plan*: those of an attacker first, then those of the edge.

    Args:
        plan: what is known of the origin.
        schemes: those of the origin, any of which may accept.
    """
    refused, answered = [], []
    for scheme in schemes:
        tools = tools_of(scheme.kind)
        own = plan
        if tools.sends_secret:
            own = plan._replace(no_key=f"the scheme is {scheme.kind}, and a secret is not sent")
        elif not can_sign(scheme):
            own = plan._replace(no_key=f"the scheme {scheme.kind} only verifies")
        # Two kinds may have rows of one name.
        kind = scheme.kind if len(schemes) > 1 else None
        if tools.attacks is not None:
            refused += _of_kind(kind, tools.attacks(scheme, own))
        answered += _of_kind(kind, (tools.genuine or genuine)(scheme, own))
    return [
        *_unsigned(plan),
        *_no_credential_at_all(plan, schemes),
        *_spoofed(plan),
        *refused,
        *_exemptions(plan),
        *answered,
    ]


def genuine(scheme: Any, plan: Plan) -> list[Row]:  # noqa: ANN401 - of any kind
    """What the edge sends, of a kind that says no more than that."""

    def fields(now: int, target: str = plan.path) -> list[tuple[str, bytes]]:
        outgoing = Outgoing("GET", plan.authority, target)
        return [(name, value.encode()) for name, value in credential(scheme)(outgoing, now)]

    found = [good(plan, "signed", "the edge", fields)]
    if plan.websocket is not None:
        at_websocket = partial(fields, target=plan.websocket)
        sender = "the edge, WebSocket"
        found.append(good(plan, "signed-websocket", sender, at_websocket, websocket=True))
    return found


def _of_kind(kind: str | None, rows: list[Row]) -> list[Row]:
    if kind is None:
        return rows
    return [row._replace(id=f"{kind} {row.id}", title=f"{kind}: {row.title}") for row in rows]


# Without any credential


def _unsigned(plan: Plan) -> list[Row]:
    anybody = "anybody who finds the address of the origin gets an answer: no gate is in the way"
    half = "the gate does not look at requests of this kind"
    preflight = constant(
        ("Origin", b"https://a.example"), ("Access-Control-Request-Method", b"GET")
    )
    tried = [
        ("unsigned-head", "HEAD", request(plan, method="HEAD")),
        ("unsigned-post", "POST", request(plan, method="POST")),
        ("unsigned-options", "OPTIONS of CORS", request(plan, preflight, method="OPTIONS")),
        ("unsigned-http10", "HTTP/1.0", request(plan, version="1.0")),
    ]
    return [
        Row("unsigned", "no credential", "refused", request(plan), anybody),
        *(Row(id_, f"no credential, {what}", "refused", sent, half) for id_, what, sent in tried),
        Row(
            "unsigned-websocket",
            "no credential, WebSocket",
            "refused",
            handshake(plan, constant()),
            half,
            _NO_WEBSOCKETS,
        ),
    ]


# With what is no credential of any scheme


def _no_credential_at_all(plan: Plan, schemes: Sequence[Any]) -> list[Row]:
    forged = "a value that nobody signed is accepted: the signature is not checked"
    odd = "bytes that are no header value get past the gate, or break it"
    names = list(dict.fromkeys(name for one in schemes for name in one.headers))

    def each(value: bytes) -> Fields:
        return constant(*((name, value) for name in names))

    return [
        bad(plan, "junk", "junk", forged, each(b"junk")),
        bad(plan, "empty", "an empty value", forged, each(b"")),
        bad(plan, "odd-bytes", "bytes outside ASCII", odd, each(b"\xff,\x80,0x\xc3\x28")),
        bad(plan, "control-bytes", "control bytes", odd, each(b"1,\x00\x0b,\x1b")),
    ]


# With fields that proxies write


def _spoofed(plan: Plan) -> list[Row]:
    believed = "a forwarding field is believed from anybody: it opens the gate"
    method, exempt = _method_and_path(next(_of_requests(plan), "GET /healthz"))
    addresses = ("X-Forwarded-For", "X-Real-IP", "True-Client-IP", "Fastly-Client-IP")

    def addressed(address: bytes) -> Fields:
        fields = [(name, address) for name in addresses]
        return constant(*fields, ("Forwarded", b"for=" + address))

    among = constant(*((name, value.encode()) for name, value in plan.marks))
    tried = [
        (
            "spoofed-edge-address",
            "an address of the edge in X-Forwarded-For",
            addressed(plan.edge.encode()),
        ),
        ("spoofed-loopback", "127.0.0.1 in X-Forwarded-For", addressed(b"127.0.0.1")),
        ("spoofed-edge", "the fields by which the edge's servers know each other", among),
    ]
    found = [
        Row(id_, f"no credential, {title}", "refused", request(plan, fields), believed)
        for id_, title, fields in tried
    ]
    for spoof in spoofs(method, exempt):
        fields = constant(*((name, value.encode()) for name, value in spoof.fields))
        sent = request(plan, fields, path=spoof.path)
        title = f"no credential, {spoof.title}"
        also = BAD_REQUEST if spoof.path is None else _BAD_MOUNT
        found.append(Row(spoof.id, title, "refused", sent, believed, also))
    return found


# Exempt paths and what looks like them


def _exemptions(plan: Plan) -> list[Row]:
    wide = "more than the one path is exempt: a prefix, a pattern or any method"
    found = []
    for entry in plan.exempt[:_MAX_EXEMPT]:
        method, path = _method_and_path(entry)
        found += _exempt_handshake(plan, entry, method, path)
        if method != HANDSHAKE:
            exempt = request(plan, method=method, path=path)
            means = "a health check fails"
            found.append(Row(f"exempt {entry}", f"{entry}, exempt", "answered", exempt, means))
        other = "POST" if method != "POST" else "PUT"
        for tried, alike in [*((method, alike) for alike in _look_alikes(path)), (other, path)]:
            title = f"{tried} {alike}"
            sent = request(plan, method=tried, path=alike)
            found.append(
                Row(
                    f"look-alike {title}",
                    f"{title}, not exempt",
                    "refused",
                    sent,
                    wide,
                    BAD_REQUEST,
                )
            )
    found += [
        Row(f"exempt {entry}", f"{entry}, exempt", "answered", None, "enough others are tried")
        for entry in plan.exempt[_MAX_EXEMPT:]
    ]
    return found


def _exempt_handshake(plan: Plan, entry: str, method: str, path: str) -> list[Row]:
    """The opening of a WebSocket at an exempt path: the one thing exempt there, or not at all."""
    opening = handshake(plan, constant(), path)
    if method == "GET":
        means = "an exemption for GET opens a WebSocket"
        title = f"WebSocket at {path}, exempt for GET"
        return [Row(f"websocket {entry}", title, "refused", opening, means, _NO_WEBSOCKETS)]
    if method != HANDSHAKE:
        return []
    means = "a method can be taken for the opening of a WebSocket"
    literal = request(plan, method=HANDSHAKE, path=path)
    also = BAD_REQUEST | {405, 501}
    return [
        Row(f"exempt {entry}", f"{entry}, exempt", "upgraded", opening, "a WebSocket fails"),
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

"""What a row of a probe is, and what rows are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from edgeauth.settings.cdns import CDNS

if TYPE_CHECKING:
    from collections.abc import Callable

    # Given the time (Unix seconds) at which the request is sent.
    Value = Callable[[int], bytes]
    Fields = Callable[[int], list[tuple[str, bytes]]]
    MakeRequest = Callable[[int], bytes]

# What servers answer themselves to a request that is no good HTTP.
BAD_REQUEST: frozenset[int | str] = frozenset({400, 414, 431, "closed"})


class Plan(NamedTuple):
    """What is known of the origin.

    Attributes:
        authority: the value of the Host field.
        path: the path and query that the edge asks for.
        exempt: ``METHOD /exact/path`` entries of the origin.
        websocket: a path that takes WebSockets, or None.
        no_key: why nothing can be signed as the edge does; None where it can.
        private_key: what signs where the keys of the origin only verify; None where they sign.
        again: why a request may be sent a second time; None where it must not.
        remembers: whether the settings name a store of what is good once.
        edge: an address of the edge.
        marks: fields that the edge's servers write, and everybody else may write.
    """

    authority: str
    path: str
    exempt: tuple[str, ...] = ()
    websocket: str | None = None
    no_key: str | None = None
    private_key: Any = None
    again: str | None = None
    remembers: bool = True
    edge: str = "151.101.0.1"
    marks: tuple[tuple[str, str], ...] = CDNS["fastly"].marks


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
    request: MakeRequest | None
    means: str
    also: frozenset[int | str] = frozenset()


def bad(plan: Plan, id_: str, title: str, means: str, fields: Fields) -> Row:
    """A row whose credential is no good; that a server refuses it as bad HTTP is fine too."""
    return Row(id_, title, "refused", request(plan, fields), means, BAD_REQUEST)


def good(plan: Plan, id_: str, sender: str, fields: Fields, *, websocket: bool = False) -> Row:
    """A row as the edge sends it; *sender* is who signs so."""
    title = f"signed as by {sender}"
    expected: Literal["answered", "upgraded"] = "upgraded" if websocket else "answered"
    if plan.no_key is not None:
        return Row(id_, title, expected, None, plan.no_key)
    outage = "the edge itself is refused, which is an outage; edgeauth verify tells why"
    sent = handshake(plan, fields) if websocket else request(plan, fields)
    return Row(id_, title, expected, sent, outage)


def sent_again(first: Row, title: str, idle: str | None, means: str) -> tuple[Row, Row]:
    """*first*, and a row ``replayed``: the very same bytes a second time.

    Args:
        first: a row that is answered.
        title: of the second.
        idle: why the second would show nothing; None where it does.
        means: what it means if the second is answered.
    """
    again = None
    if first.request is not None:
        kept = _Kept(first.request)
        first, again = first._replace(request=kept), kept.again
    sent = again if idle is None else None
    return first, Row("replayed", title, "refused", sent, idle or means)


class _Kept:
    """Makes a request, and keeps it."""

    def __init__(self, make: MakeRequest) -> None:
        self._make = make
        self._last = b""

    def __call__(self, now: int) -> bytes:
        self._last = self._make(now)
        return self._last

    def again(self, _now: int) -> bytes:
        """What was sent last."""
        return self._last


def constant(*fields: tuple[str, bytes]) -> Fields:
    """Fields that do not depend on the time."""
    return lambda _now: list(fields)


def one_field(name: str, *values: Value) -> Fields:
    """The field *name*, once for each of *values*."""
    return lambda now: [(name, value(now)) for value in values]


def handshake(plan: Plan, fields: Fields, path: str | None = None) -> MakeRequest:
    """The opening of a WebSocket; without *path*, where the plan says that one is taken."""
    upgrade = [
        ("Upgrade", b"websocket"),
        ("Sec-WebSocket-Version", b"13"),
        ("Sec-WebSocket-Key", b"ZWRnZWF1dGgtcHJvYmUtLQ=="),
    ]
    return request(
        plan,
        lambda now: [*upgrade, *fields(now)],
        path=plan.websocket if path is None else path,
        connection="Upgrade",
    )


def request(
    plan: Plan,
    fields: Fields | None = None,
    *,
    method: str = "GET",
    path: str | None = None,
    version: str = "1.1",
    connection: str = "close",
    body: bytes = b"",
) -> MakeRequest:
    """The bytes of a request for *path*; None is the page that the edge asks for."""
    target = plan.path if path is None else path
    start = [
        f"{method} {target} HTTP/{version}",
        f"Host: {plan.authority}",
        "User-Agent: edgeauth-probe",
        f"Connection: {connection}",
    ]
    if method in {"POST", "PUT"}:
        start.append(f"Content-Length: {len(body)}")

    def sent(now: int) -> bytes:
        more = (
            [] if fields is None else [name.encode() + b": " + value for name, value in fields(now)]
        )
        return b"\r\n".join([*(line.encode() for line in start), *more, b"", body])

    return sent

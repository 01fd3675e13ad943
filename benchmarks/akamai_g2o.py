"""What it costs to verify Akamai's G2O, beside the bare HMAC."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from measure import side_by_side
from report import Group, Row

from edgeauth import Key, VerificationError
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET = b"an-example-secret-of-32-bytes-ok"
HOST = "shop.example.com"
# Slow calls are made less often, all in one round.
CALLS = 300


@dataclass(slots=True)
class Received:
    """A request as an adapter shows it, without the cost of an adapter."""

    method: str
    target: bytes
    host: bytes
    fields: dict[str, tuple[bytes, ...]]
    handshake: bool = False

    def header(self, name: str) -> Sequence[bytes]:
        return self.fields.get(name, ())


def group() -> Group:
    now = float(int(time.time()))
    key = Key("edge-1", SECRET)
    scheme = AkamaiG2OScheme([key])
    parts = AkamaiG2OScheme([key], sign_string=["AK_METHOD", "AK_HOSTHEADER", "AK_URL"])
    by_target = [_request(scheme, n, now) for n in range(CALLS)]
    by_parts = [_request(parts, n, now) for n in range(CALLS)]
    signed = [request.fields[scheme.data_header][0] + request.target for request in by_target]
    _refuses_what_it_must(scheme, by_target[0], now)
    timings = side_by_side(
        {
            "hmac": lambda: [hmac.digest(SECRET, message, "sha256") for message in signed],
            "target": lambda: [scheme.verify(request, now=now) for request in by_target],
            "parts": lambda: [parts.verify(request, now=now) for request in by_parts],
        },
        calls=CALLS,
    )
    bare = timings["hmac"]

    def row(name: str, label: str, limit: float | None = None) -> Row:
        return Row(label, timings[name].median, timings[name].ratio(bare), limit)

    return Group(
        title="Verify Akamai's G2O, every request different",
        unit="hmac.digest of the same bytes",
        rows=[
            row("hmac", "`hmac.digest` of what G2O signs"),
            row("target", "edgeauth, version 5, the target", 3.0),
            row("parts", "edgeauth, version 5, AK_METHOD AK_HOSTHEADER AK_URL"),
        ],
    )


def _request(scheme: AkamaiG2OScheme, number: int, now: float) -> Received:
    target = f"/products/{number}/pictures?size=large&page={number}"
    made = scheme.credential(now=now, request=Outgoing("GET", HOST, target))
    headers = {"Host": HOST, **made}
    return Received(
        method="GET",
        target=target.encode(),
        host=HOST.encode(),
        fields={name: (value.encode(),) for name, value in headers.items()},
    )


def _refuses_what_it_must(scheme: AkamaiG2OScheme, request: Received, now: float) -> None:
    """It accepts a request, and not for another target: checked before anything is timed."""
    scheme.verify(request, now=now)
    right, request.target = request.target, request.target + b"&x=1"
    try:
        scheme.verify(request, now=now)
    except VerificationError:
        request.target = right
    else:
        raise AssertionError("it accepted what it must refuse")

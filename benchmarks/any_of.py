"""What it costs that any of three schemes may accept, beside the one that does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from akamai_g2o import CALLS, HOST, SECRET, Received
from measure import side_by_side
from report import Group, Row

from edgeauth import AnyOf, EdgeAuthScheme, Key
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme
from edgeauth.schemes.base import Outgoing
from edgeauth.schemes.message_signatures import MessageSignatureScheme

if TYPE_CHECKING:
    from edgeauth.schemes.base import Scheme


def group() -> Group:
    now = float(int(time.time()))
    key = Key("edge-1", SECRET)
    g2o, signatures = AkamaiG2OScheme([key]), MessageSignatureScheme([key])
    any_of = AnyOf(EdgeAuthScheme([key]), g2o, signatures)
    # Both stand behind the scheme that is asked first.
    requests = {
        scheme.kind: [_request(scheme, number, now) for number in range(CALLS)]
        for scheme in (g2o, signatures)
    }

    def case(scheme: Scheme, kind: str) -> object:
        return lambda: [scheme.verify(request, now=now) for request in requests[kind]]

    timings = side_by_side(
        {
            (who, scheme.kind): case(asked, scheme.kind)
            for scheme in (g2o, signatures)
            for who, asked in (("one", scheme), ("any", any_of))
        },
        calls=CALLS,
    )
    rows = [
        Row(
            f"any of edge-auth, akamai-g2o and message-signatures: {kind}",
            timings["any", kind].median,
            timings["any", kind].ratio(timings["one", kind]),
            1.2,
        )
        for kind in requests
    ]
    return Group(
        title="Any of three schemes, every request different",
        unit="the one scheme that accepts",
        rows=rows,
    )


def _request(scheme: AkamaiG2OScheme | MessageSignatureScheme, number: int, now: float) -> Received:
    target = f"/products/{number}/pictures"
    made = scheme.credential(now=now, request=Outgoing("GET", HOST, target))
    fields = {name: (value.encode(),) for name, value in made.items()}
    fields["Host"] = (HOST.encode(),)
    return Received("GET", target.encode(), HOST.encode(), fields)

"""What somebody who is not Front Door may send: the id is known, the address is not to be had."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from edgeauth.ops.schemes.probe_rows import Plan, Row, bad, constant

if TYPE_CHECKING:
    from edgeauth.schemes.azure_front_door import FrontDoorScheme


def attacks(scheme: FrontDoorScheme, plan: Plan) -> list[Row]:
    """The right id from an address of nobody, and ids of others."""
    (header,) = scheme.headers
    right = scheme.ids[-1].encode()
    believed = "the id alone opens the gate, and it is no secret: addresses are not checked"
    among = (
        (header, right),
        ("X-Forwarded-For", b"192.0.2.1"),
        ("X-Azure-ClientIP", b"192.0.2.1"),
        ("X-Azure-SocketIP", b"192.0.2.1"),
        ("Via", b"HTTP/2.0 Azure"),
    )
    other = "a request of any Front Door customer is let in"
    return [
        bad(plan, "id-from-elsewhere", "the right id, from here", believed, constant(among[0])),
        bad(
            plan,
            "as-front-door",
            "all that it sends, from here",
            believed,
            constant(*among),
        ),
        bad(
            plan,
            "id-of-another",
            "the id of another profile",
            other,
            constant((header, str(uuid.uuid4()).encode())),
        ),
    ]


def genuine(_scheme: FrontDoorScheme, _plan: Plan) -> list[Row]:
    """What Front Door sends can be sent from its own addresses alone."""
    why = "only a request through Front Door itself has its address: open a page there"
    return [Row("signed", "a request as Front Door sends it", "answered", None, why)]

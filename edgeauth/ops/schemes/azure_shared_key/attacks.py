"""What somebody without the key of the storage account may send, and with a captured request."""

from __future__ import annotations

import secrets as random
from base64 import b64encode
from typing import TYPE_CHECKING

from edgeauth.keys import Key
from edgeauth.ops.schemes.captured import from_captured
from edgeauth.ops.schemes.probe_rows import Plan, Row, bad, constant
from edgeauth.schemes.azure_shared_key import DATE, FIELD, AzureSharedKeyScheme
from edgeauth.schemes.base import Outgoing
from edgeauth.schemes.signed_parts import http_date_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.ops.schemes.probe_rows import Fields

_LONG = 16_000


def attacks(scheme: AzureSharedKeyScheme, plan: Plan) -> list[Row]:
    """Requests that a gate of these settings must refuse."""
    forged = "a signature that nobody made is accepted: it is not checked"
    cut = "a signature is compared only as far as it goes, so an empty one fits"
    odd = "bytes that are no signature get past the gate, or break it"
    known = "an empty key signs: anybody can make such a signature"
    start = f"{scheme.word.decode()} {scheme.account}:".encode()

    def dated(value: Callable[[], bytes]) -> Fields:
        return lambda now: [
            (FIELD, start + value()),
            (DATE, http_date_text(now).encode()),
        ]

    other = _signed_by(scheme, plan, b64encode(random.token_bytes(64)).decode())
    zeros = _signed_by(scheme, plan, b64encode(bytes(64)).decode())
    none = constant((FIELD, b"Bearer edgeauth-probe"))
    return [
        bad(plan, "forged", "a random signature", forged, dated(_guess)),
        bad(plan, "other-key", "signed with another key", forged, other),
        bad(plan, "zero-key", "signed with a key of zeros", known, zeros),
        bad(plan, "empty-signature", "an empty signature", cut, dated(bytes)),
        bad(plan, "half-a-signature", "half a signature", cut, dated(lambda: _guess()[:22])),
        bad(plan, "another-credential", "a bearer token", forged, none),
        bad(plan, "long", "a signature of 16 kB", odd, dated(lambda: b"A" * _LONG)),
        *from_captured(scheme, plan, skew=scheme.max_skew, signs_query=not scheme.lite),
    ]


def _guess() -> bytes:
    return b64encode(random.token_bytes(32))


def _signed_by(scheme: AzureSharedKeyScheme, plan: Plan, secret: str) -> Fields:
    """The fields of a request that is signed with *secret*."""
    forger = AzureSharedKeyScheme([Key("forger", secret)], account=scheme.account, lite=scheme.lite)

    def fields(now: int) -> list[tuple[str, bytes]]:
        request = Outgoing("GET", plan.authority, plan.path, (), b"")
        made = forger.credential(now=now, request=request)
        return [(name, value.encode()) for name, value in made.items()]

    return fields

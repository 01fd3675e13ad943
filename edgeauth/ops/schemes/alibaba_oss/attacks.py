"""What somebody without the secret of an access key may send, and with a captured request."""

from __future__ import annotations

import secrets as random
from base64 import b64encode
from typing import TYPE_CHECKING

from edgeauth.keys import Key
from edgeauth.ops.schemes.alibaba_oss.like import like
from edgeauth.ops.schemes.captured import from_captured
from edgeauth.ops.schemes.probe_rows import Plan, Row, bad, constant
from edgeauth.schemes.alibaba_oss.strings import FIELD
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeauth.ops.schemes.probe_rows import Fields
    from edgeauth.schemes.alibaba_oss import AlibabaOssScheme

_LONG = 16_000


def attacks(scheme: AlibabaOssScheme, plan: Plan) -> list[Row]:
    """Requests that a gate of these settings must refuse."""
    forged = "a signature that nobody made is accepted: it is not checked"
    cut = "a signature is compared only as far as it goes, so an empty one fits"
    odd = "bytes that are no signature get past the gate, or break it"
    chosen = "the request chooses what it is signed for, and the origin must"
    [*_, newest] = scheme.keys
    other = _Forger(scheme, plan, newest.id)
    stranger = _Forger(scheme, plan, "nobody")
    none = constant((FIELD, b"Bearer edgeauth-probe"))
    rows = [
        bad(plan, "forged", "a random signature", forged, other.but(lambda _: _guess(scheme))),
        bad(plan, "other-key", "signed with another secret", forged, other),
        bad(plan, "unknown-key", "a key that is not there", forged, stranger),
        bad(plan, "empty-signature", "an empty signature", cut, other.but(lambda _: b"")),
        bad(plan, "half-a-signature", "half a signature", cut, other.but(lambda it: it[:20])),
        bad(plan, "another-credential", "a bearer token", forged, none),
        bad(plan, "long", "a signature of 16 kB", odd, other.but(lambda _: b"a" * _LONG)),
    ]
    if scheme.version == "v4":
        region = like(scheme, region="edgeauth-probe")
        title = "signed for another region"
        rows += [
            row._replace(id="other-region", title=title, means=chosen)
            for row in from_captured(region, plan, skew=scheme.max_skew, signs_host=True)
            if row.id == "other-path"
        ]
    return [
        *rows,
        *from_captured(
            scheme,
            plan,
            skew=scheme.max_skew,
            signs_query=scheme.version == "v4",
            signs_host="host" in scheme.require_additional,
        ),
    ]


class _Forger:
    """Makes the fields of a request as the edge does, with a secret of its own."""

    def __init__(self, scheme: AlibabaOssScheme, plan: Plan, key_id: str) -> None:
        self._scheme, self._plan = like(scheme, [Key(key_id, random.token_hex(16))]), plan

    def __call__(self, now: int) -> list[tuple[str, bytes]]:
        request = Outgoing("GET", self._plan.authority, self._plan.path, (), b"")
        made = self._scheme.credential(now=now, request=request)
        return [(name, value.encode()) for name, value in made.items()]

    def but(self, alter: Callable[[bytes], bytes]) -> Fields:
        """The same with another signature."""
        mark = b"=" if self._scheme.version == "v4" else b":"

        def fields(now: int) -> list[tuple[str, bytes]]:
            [(name, value), *rest] = self(now)
            # An equals sign at the end is of the base64.
            place = value.rstrip(b"=").rindex(mark) + 1
            return [(name, value[:place] + alter(value[place:])), *rest]

        return fields


def _guess(scheme: AlibabaOssScheme) -> bytes:
    if scheme.version == "v4":
        return random.token_hex(32).encode()
    return b64encode(random.token_bytes(20))

"""An origin behind a gate for Akamai's G2O that is right, or wrong in one way.

The variable ``HOLE`` names the way; without one the gate is right. What a probe must find. Several
of them were in verifiers that people run.
"""

from __future__ import annotations

import os
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from edgeauth import EdgeIdentity, Guard, VerificationError
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.replay import MemoryReplayStore
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme
from edgeauth.schemes.akamai_g2o.digests import DIGESTS
from support.fact_apps import asgi as told_by_asgi
from support.signed_requests import KEY

if TYPE_CHECKING:
    from edgeauth import Request

HOLE = os.environ.get("HOLE", "")
_OPTIONS: dict[str, dict[str, Any]] = {
    "versions": {"versions": (1, 2, 3, 4, 5)},
    "window": {"max_age": 1e6, "max_future": 1e6},
}


class Careless(AkamaiG2OScheme):
    """Takes more than it should."""

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        try:
            return super().verify(request, now=now)
        except VerificationError:
            data, sign = (request.header(name)[:1] for name in self.headers)
            if data and sign and self._takes(request, data[0], sign[0]):
                return EdgeIdentity(int(now), None, KEY.id, self.kind)
            raise

    def _takes(self, request: Request, data: bytes, sign: bytes) -> bool:
        target = request.target or b""
        right = b64encode(DIGESTS[5](KEY, data + target))
        if HOLE == "prefix":
            return sign != right and right.startswith(sign)
        if HOLE == "path":
            # Any target of one letter more.
            path, mark, query = target.partition(b"?")
            return sign == b64encode(DIGESTS[5](KEY, data + path + b"x" + mark + query))
        if HOLE == "query":
            return sign == b64encode(DIGESTS[5](KEY, data + target + b"&edgeauth-probe=1"))
        if HOLE == "first":
            # A signed request whose fields are there twice.
            return sign == right and any(len(request.header(name)) > 1 for name in self.headers)
        if HOLE == "client":
            other = data.replace(b"192.0.2.1", b"127.0.0.1")
            return other != data and sign == b64encode(DIGESTS[5](KEY, other + target))
        return HOLE == "time" and b"9" * 200 in data


scheme = Careless([KEY], **_OPTIONS.get(HOLE, {}))
store = None if HOLE == "replay" else MemoryReplayStore()
app = EdgeAuthMiddleware(told_by_asgi, Guard(scheme, replay=store))

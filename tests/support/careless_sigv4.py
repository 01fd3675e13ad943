"""An origin that asks for AWS SigV4, and may have one hole, as verifiers had that people ran.

``HOLE`` in the environment names it. The application reads its body to the end.
"""

from __future__ import annotations

import os
from typing import Any

from edgeauth import Guard, VerificationError
from edgeauth.asgi import EdgeAuthMiddleware
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme
from support.sigv4 import KEY, REGION
from support.sigv4_apps import told_by_asgi

HOLE = os.environ.get("HOLE", "")
_OPTIONS = {
    "window": {"max_skew": 1e9},
    "presigned": {"presigned": True, "unsigned_payload": True},
}


class _Altered:
    """A view of a request with some of it otherwise."""

    def __init__(self, request: Any, **otherwise: Any) -> None:
        self._request, self._otherwise = request, otherwise

    def __getattr__(self, name: str) -> Any:
        return self._otherwise.get(name, getattr(self._request, name))


def _views(request: Any) -> list[Any]:
    """What the careless verifier may take the request for."""
    path, _, query = (request.target or b"").partition(b"?")
    return {
        "method": [_Altered(request, method="HEAD")],
        "path": [_Altered(request, target=path + b"x" + (b"?" + query if query else b""))],
        "query": [_Altered(request, target=request.target + b"&edgeauth-probe=1")],
        "host": [_Altered(request, host=b"edgeauth-probe.invalid")],
        "fields": [_Altered(request, fields_beginning=lambda _prefix: [])],
        "duplicates": [_Altered(request, header=lambda name: list(request.header(name))[:1])],
    }.get(HOLE, [])


class Careless:
    kind = AwsSigV4Scheme.kind
    headers = AwsSigV4Scheme.headers

    def __init__(self) -> None:
        scopes = [(REGION, "s3")]
        if HOLE == "scope":
            scopes += [(f"{REGION}-1", "s3"), (REGION, "s3x")]
        self._schemes = [
            AwsSigV4Scheme([KEY], region=region, service=service, **_OPTIONS.get(HOLE, {}))
            for region, service in scopes
        ]

    def verify(self, request: Any, *, now: float) -> Any:
        last: VerificationError | None = None
        for scheme in self._schemes:
            for view in (request, *_views(request)):
                try:
                    identity = scheme.verify(view, now=now)
                except VerificationError as error:
                    last = error
                else:
                    return identity._replace(body=None) if HOLE == "body" else identity
        assert last is not None
        raise last


app = EdgeAuthMiddleware(told_by_asgi, Guard(Careless()))

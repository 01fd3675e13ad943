"""What it costs to verify AWS SigV4, beside the two hashes that it cannot do without."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from measure import side_by_side
from report import Group, Row

from edgeauth import BadSignature, Key
from edgeauth.asgi import SplitRequest
from edgeauth.request import folded_spellings
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme
from edgeauth.schemes.aws_sigv4.canonical import day_secret
from edgeauth.schemes.aws_sigv4.given import given_of, message_of
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST = "shop.example.com"
REGION = "eu-central-1"
CALLS = 300
# Of a browser, as they come through an edge.
OTHERS = [
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, br"),
    (b"cookie", b"session=5f4dcc3b5aa765d61d8327deb882cf99"),
    (b"x-forwarded-for", b"192.0.2.7"),
]


@dataclass(slots=True)
class Received:
    """A request as an adapter shows it, without the cost of an adapter."""

    method: str
    target: bytes
    host: bytes
    lines: list[tuple[bytes, bytes]]
    fields: dict[str, tuple[bytes, ...]]
    handshake: bool = False
    compares_body: bool = True

    def header(self, name: str) -> Sequence[bytes]:
        return self.fields.get(name, ())

    def fields_beginning(self, prefix: bytes) -> Sequence[tuple[bytes, bytes]]:
        begins = folded_spellings(prefix)
        return [pair for pair in self.lines if pair[0].startswith(begins)]


def group() -> Group:
    now = float(int(time.time()))
    key = Key("EDGE2026", "an-example-secret-of-32-bytes-ok")
    scheme = AwsSigV4Scheme([key], region=REGION)
    names = {name: name.lower().encode() for name in scheme.headers}
    scopes = [_scope(scheme, number, now) for number in range(CALLS)]

    def view(scope: Any) -> SplitRequest:  # noqa: ANN401 - of ASGI
        found = [pair for pair in scope["headers"] if pair[0] in names.values()]
        return SplitRequest(scope, names, found)

    plain = [_received(scope, scheme.headers) for scope in scopes]
    _refuses_what_it_must(scheme, scopes[0], view, now)
    canonical = [_canonical(view(scope)) for scope in scopes]
    day = time.strftime("%Y%m%d", time.gmtime(now)).encode()
    signing = day_secret(key.secret, day, REGION.encode(), b"s3")
    made = [_message(view(scope)) for scope in scopes]
    timings = side_by_side(
        {
            "hashes": lambda: [
                (hashlib.sha256(request).hexdigest(), hmac.digest(signing, message, "sha256"))
                for request, message in zip(canonical, made, strict=True)
            ],
            "ours": lambda: [scheme.verify(request, now=now) for request in plain],
            "asgi": lambda: [scheme.verify(view(scope), now=now) for scope in scopes],
            "cold": lambda: [
                AwsSigV4Scheme([key], region=REGION).verify(request, now=now) for request in plain
            ],
        },
        calls=CALLS,
    )
    bare, ours = timings["hashes"], timings["ours"]
    return Group(
        title="Verify AWS SigV4, every request different",
        unit="the SHA-256 and the HMAC of the same bytes",
        rows=[
            Row("SHA-256 of the canonical request, HMAC of the string to sign", bare.median, 1.0),
            Row("edgeauth, the day's key remembered", ours.median, ours.ratio(bare), 6.0),
            Row(
                "edgeauth, a new scheme: form and key of the day made anew",
                timings["cold"].median,
                timings["cold"].ratio(bare),
            ),
            Row(
                "edgeauth, with the view that the ASGI adapter makes",
                timings["asgi"].median,
                timings["asgi"].ratio(bare),
            ),
        ],
        notes=["What an adapter costs is with none of them but the last."],
    )


def _scope(scheme: AwsSigV4Scheme, number: int, now: float) -> Any:  # noqa: ANN401 - of ASGI
    path, query = f"/products/{number}/pictures", f"size=large&page={number}"
    made = scheme.credential(now=now, request=Outgoing("GET", HOST, f"{path}?{query}", (), b""))
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [
            (b"host", HOST.encode()),
            *OTHERS,
            *((name.lower().encode(), value.encode()) for name, value in made.items()),
        ],
    }


def _received(scope: Any, credentials: Sequence[str]) -> Received:  # noqa: ANN401 - of ASGI
    lines = scope["headers"]
    names = {name.lower().encode(): name for name in (*credentials, "Host")}
    return Received(
        method=scope["method"],
        target=scope["raw_path"] + b"?" + scope["query_string"],
        host=HOST.encode(),
        lines=lines,
        fields={names.get(name, name.decode()): (value,) for name, value in lines},
    )


def _message(request: SplitRequest) -> bytes:
    given = given_of(request, presigned=False, path_mode="s3")
    return message_of(request, given, "s3")


def _canonical(request: SplitRequest) -> bytes:
    """Bytes of the length that the canonical request has."""
    given = given_of(request, presigned=False, path_mode="s3")
    parts = [b"GET", given.path, given.query, given.credential.names, given.payload]
    fields = sum(
        len(name) + len(request.header(asked)[0]) for name, asked in given.credential.form.fields
    )
    return b"\n".join(parts).ljust(len(b"\n".join(parts)) + fields + 4, b"x")


def _refuses_what_it_must(
    scheme: AwsSigV4Scheme,
    scope: Any,  # noqa: ANN401 - of ASGI
    view: Any,  # noqa: ANN401
    now: float,
) -> None:
    """It accepts a request, and not with another method: checked before anything is timed."""
    scheme.verify(view(scope), now=now)
    try:
        scheme.verify(view({**scope, "method": "PUT"}), now=now)
    except BadSignature:
        return
    raise AssertionError("the scheme accepted what it must refuse")

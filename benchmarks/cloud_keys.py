"""What it costs to verify a request signed with the key of a storage cloud, beside the hashes."""

from __future__ import annotations

import hmac
import time
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from measure import side_by_side
from report import Group, Row

from edgeauth import BadSignature, Key
from edgeauth.asgi import ScopeRequest
from edgeauth.schemes.alibaba_oss import AlibabaOssScheme
from edgeauth.schemes.azure_shared_key import AzureSharedKeyScheme
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "shop.example.com"
CALLS = 300
AZURE = b64encode(bytes(range(64))).decode()
OSS = "an-example-secret-of-30-bytes-"

# What a browser's request has beside the credential, through an edge.
OTHERS = (
    (b"host", HOST.encode()),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
    (b"accept", b"text/html,application/xhtml+xml"),
    (b"accept-language", b"en"),
    (b"accept-encoding", b"gzip"),
    (b"x-forwarded-for", b"192.0.2.1"),
    (b"via", b"1.1 edge"),
)


def group() -> Group:
    now = float(int(time.time()))
    azure = AzureSharedKeyScheme([Key("k1", AZURE)], account="edgeacct")
    v1 = AlibabaOssScheme([Key("LTAI5t", OSS)], bucket="shop", version="v1")
    v4 = AlibabaOssScheme([Key("LTAI5t", OSS)], bucket="shop", region="cn-hangzhou")
    schemes: dict[str, Any] = {"azure": azure, "v1": v1, "v4": v4}
    requests = {
        name: [_request(scheme, number, now) for number in range(CALLS)]
        for name, scheme in schemes.items()
    }
    for name, scheme in schemes.items():
        _refuses_what_it_must(scheme, requests[name][0], now)
    of_azure = [azure.string_to_sign(request) for request in requests["azure"]]
    of_v1 = [v1.v1_signed(request)[0] for request in requests["v1"]]
    of_v4 = [v4.v4_canonical(request, b"host")[0] for request in requests["v4"]]
    key = b64decode(AZURE)
    # The day's key is remembered, so this much is left: a hash, and the HMAC of its lines.
    day, start = (
        bytes(32),
        b"OSS4-HMAC-SHA256\n20251009T085320Z\n20251009/cn-hangzhou/oss/aliyun_\n",
    )

    def verifying(name: str) -> Callable[[], object]:
        scheme, received = schemes[name], requests[name]
        return lambda: [scheme.verify(request, now=now) for request in received]

    timings = side_by_side(
        {
            "bare azure": lambda: [hmac.digest(key, one, "sha256") for one in of_azure],
            "azure": verifying("azure"),
            "bare v1": lambda: [hmac.digest(OSS.encode(), one, "sha1") for one in of_v1],
            "v1": verifying("v1"),
            "bare v4": lambda: [
                hmac.digest(day, start + sha256(one).hexdigest().encode(), "sha256")
                for one in of_v4
            ],
            "v4": verifying("v4"),
        },
        calls=CALLS,
    )

    def row(name: str, label: str) -> Row:
        bare = timings[f"bare {name.removeprefix('bare ')}"]
        return Row(label, timings[name].median, timings[name].ratio(bare))

    return Group(
        title="Verify a request that is signed for a storage cloud, every request different",
        unit="the hashes of the same bytes, of each its own",
        rows=[
            row("bare azure", "`hmac.digest`, SHA-256, of what Shared Key signs"),
            row("azure", "edgeauth, azure-shared-key"),
            row("bare v1", "`hmac.digest`, SHA-1, of what OSS version 1 signs"),
            row("v1", "edgeauth, alibaba-oss, v1"),
            row("bare v4", "`sha256` and `hmac.digest` of what OSS version 4 signs"),
            row("v4", "edgeauth, alibaba-oss, v4"),
        ],
        notes=["With the view of an ASGI request of ten fields, which are looked through."],
    )


def _request(scheme: Any, number: int, now: float) -> ScopeRequest:  # noqa: ANN401 - of any kind
    path, query = f"/products/{number}/pictures", f"size=large&page={number}"
    outgoing = Outgoing("GET", HOST, f"{path}?{query}", ())
    made = scheme.credential(now=now, request=outgoing)
    lines = [(name.lower().encode(), value.encode()) for name, value in made.items()]
    return ScopeRequest(
        {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [*OTHERS, *lines],
        }
    )


def _refuses_what_it_must(scheme: Any, request: ScopeRequest, now: float) -> None:  # noqa: ANN401
    scheme.verify(request, now=now)
    scope = request._scope  # noqa: SLF001 - a view has no other way
    scope["method"] = "PUT"
    try:
        scheme.verify(request, now=now)
    except BadSignature:
        scope["method"] = "GET"
    else:
        raise AssertionError("what must be refused was accepted")

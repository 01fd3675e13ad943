"""What it costs to verify a signature over a request, beside the bare cryptography and a peer."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from http_message_signatures import HTTPMessageVerifier, MappingKeyResolver
from http_message_signatures.algorithms import HMAC_SHA256
from measure import side_by_side
from report import Group, Row

from edgeauth import Key
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.message_signatures import (
    MessageSignatureScheme,
    MessageSigner,
    PrivateKey,
)
from edgeauth.schemes.message_signatures.arguments import required
from edgeauth.schemes.message_signatures.base import Base

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECRET = b"an-example-secret-of-32-bytes-ok"
HOST = "shop.example.com"
COMPONENTS = ("@method", "@authority", "@path", "@query")
# Slow calls are made less often, all in one round.
CALLS = 300


@dataclass(slots=True)
class Received:
    """A request as an adapter shows it, without the cost of an adapter."""

    method: str
    path: str
    target: bytes
    host: bytes
    url: str
    headers: dict[str, str]
    fields: dict[str, tuple[bytes, ...]]
    handshake: bool = False

    def header(self, name: str) -> Sequence[bytes]:
        return self.fields.get(name, ())


def group() -> Group:
    now = float(int(time.time()))
    secret, private = Key("edge-1", SECRET), ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key()
    public_pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    by_secret = [_request(MessageSigner(secret, tag="edge"), n, int(now)) for n in range(CALLS)]
    signer = MessageSigner(PrivateKey("edge-1", pem, "ed25519"), tag="edge")
    by_key = [_request(signer, n, int(now)) for n in range(CALLS)]
    hmac_scheme = MessageSignatureScheme([secret], tag="edge")
    key_scheme = MessageSignatureScheme([PublicKey("edge-1", public_pem, "ed25519")], tag="edge")
    bases = [_base(request) for request in by_secret]
    signatures = [private.sign(_base(request)) for request in by_key]
    pairs = list(zip(signatures, [_base(request) for request in by_key], strict=True))
    peer = HTTPMessageVerifier(
        signature_algorithm=HMAC_SHA256,
        key_resolver=MappingKeyResolver(public_keys={"edge-1": SECRET}, private_keys={}),
    )
    _refuses_what_it_must(hmac_scheme, peer, by_secret[0], now)
    timings = side_by_side(
        {
            "hmac": lambda: [hmac.digest(SECRET, base, "sha256") for base in bases],
            "ours": lambda: [hmac_scheme.verify(request, now=now) for request in by_secret],
            "peer": lambda: [
                peer.verify(request, expect_tag="edge", require_components=COMPONENTS)
                for request in by_secret
            ],
            "bare": lambda: [public.verify(signature, base) for signature, base in pairs],
            "by key": lambda: [key_scheme.verify(request, now=now) for request in by_key],
        },
        calls=CALLS,
    )
    bare, ours = timings["hmac"], timings["ours"]

    def row(name: str, label: str, limit: float | None = None) -> Row:
        return Row(label, timings[name].median, timings[name].ratio(bare), limit)

    return Group(
        title="Verify a message signature, four components, every request different",
        unit="hmac.digest of the same base",
        rows=[
            row("hmac", "`hmac.digest` of what is signed"),
            row("ours", "edgeauth, hmac-sha256", 4.0),
            row("peer", "http-message-signatures, hmac-sha256"),
            Row(
                "http-message-signatures, to edgeauth",
                None,
                timings["peer"].ratio(ours),
                25.0,
                at_least=True,
            ),
            row("bare", "cryptography's Ed25519 `verify` of what is signed"),
            row("by key", "edgeauth, ed25519"),
            Row(
                "edgeauth, ed25519, to cryptography's `verify`",
                None,
                timings["by key"].ratio(timings["bare"]),
                1.25,
            ),
        ],
        notes=["The peer is given its message ready made; what an adapter costs is with no one."],
    )


def _request(signer: MessageSigner, number: int, now: int) -> Received:
    target = f"/products/{number}/pictures?size=large&page={number}"
    made = signer.sign("GET", target, HOST, created=now)
    headers = {"Host": HOST, **made}
    return Received(
        method="GET",
        path=target.partition("?")[0],
        target=target.encode(),
        host=HOST.encode(),
        url=f"https://{HOST}{target}",
        headers=headers,
        fields={name: (value.encode(),) for name, value in headers.items()},
    )


def _base(request: Received) -> bytes:
    signed = request.headers["Signature-Input"].removeprefix("edge=").encode()
    return Base(required(COMPONENTS)).of(request, signed, "https")


def _refuses_what_it_must(
    scheme: MessageSignatureScheme,
    peer: HTTPMessageVerifier,
    request: Received,
    now: float,
) -> None:
    """Each accepts a request, and not with another method: checked before anything is timed."""
    judges: list[Callable[[], object]] = [
        lambda: scheme.verify(request, now=now),
        lambda: peer.verify(request, expect_tag="edge"),
    ]
    for judge in judges:
        judge()
        request.method = "PUT"
        try:
            judge()
        except Exception:  # noqa: BLE001 - each library has its own
            request.method = "GET"
        else:
            raise AssertionError("a compared library accepted what it must refuse")

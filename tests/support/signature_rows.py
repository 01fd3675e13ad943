"""What the origin's own signer makes of odd requests, for an edge to make byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edgeauth.schemes.message_signatures import MessageSigner, PrivateKey
from edgeauth.schemes.message_signatures.arguments import COMPONENTS, required
from edgeauth.schemes.message_signatures.base import Base
from support.odd_requests import FIELD, odd_requests
from support.requests import PlainRequest
from support.signed_requests import KEY, NOW, SECRET

_BASE = Base(required(COMPONENTS))


class BaseRow(NamedTuple):
    """What is signed of a request that covers *components*, with *odd* as the field x-odd."""

    components: str
    method: str
    host: str
    target: str
    odd: str
    input: str
    base: str


def base_rows(count: int, seed: int) -> list[BaseRow]:
    """As many, of odd requests that cover what each of them says, in its order."""
    rows = []
    for place, odd in enumerate(odd_requests(count, seed, rare=True)):
        names = " ".join(f'"{name}"' for name in odd.signed)
        signed = f'({names});created={NOW};keyid="k";nonce="n-{place}"'
        request = PlainRequest(
            method=odd.method,
            host=odd.host.encode(),
            target=odd.target.encode(),
            fields=[(name, value.encode()) for name, value in odd.fields],
        )
        base = Base(required(odd.signed)).of(request, signed.encode(), "https").decode()
        lines = [value.strip() for name, value in odd.fields if name == FIELD]
        told = (odd.method, odd.host, odd.target, ", ".join(lines))
        rows.append(BaseRow(" ".join(odd.signed), *told, signed, base))
    return rows


@dataclass(frozen=True)
class SignatureRow:
    """A request with the signature of *key*, a text as edges keep it."""

    key: str
    method: str
    host: str
    target: str
    created: int
    nonce: str
    base: str
    input: str
    signature: str


def origins_base(method: str, host: str, target: str, signed_input: str) -> str:
    """The bytes that the origin verifies a signature of; *signed_input* is without its label."""
    request = PlainRequest(method=method, host=host.encode(), target=target.encode())
    return _BASE.of(request, signed_input.encode(), "https").decode()


def rows_by_hmac(count: int, seed: int) -> list[SignatureRow]:
    """As many, of odd requests."""
    signer = MessageSigner(KEY, tag="edge")
    return _rows(signer, f"{KEY.id}:{SECRET}", count, seed)


def rows_by_ed25519(pem: str, count: int, seed: int) -> list[SignatureRow]:
    """As many, of odd requests, with the private key *pem*."""
    signer = MessageSigner(PrivateKey("edge-2", pem, "ed25519"), tag="edge")
    return _rows(signer, f"edge-2:\n{pem}", count, seed)


def _rows(signer: MessageSigner, key: str, count: int, seed: int) -> list[SignatureRow]:
    rows = []
    for place, odd in enumerate(odd_requests(count, seed, rare=True)):
        sent = (odd.method, odd.target, odd.host)
        made = signer.sign(*sent, created=NOW + place, nonce=f"nonce-{place}")
        signed = made["Signature-Input"]
        base = origins_base(odd.method, odd.host, odd.target, signed.removeprefix("edge="))
        rows.append(
            SignatureRow(
                *(key, odd.method, odd.host, odd.target, NOW + place, f"nonce-{place}"),
                *(base, signed, made["Signature"]),
            )
        )
    return rows

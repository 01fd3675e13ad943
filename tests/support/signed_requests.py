"""Requests that an edge has signed, as the core sees them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgeauth import Key
from edgeauth.schemes.message_signatures import MessageSigner
from support.requests import PlainRequest

if TYPE_CHECKING:
    from edgeauth.schemes.message_signatures import PrivateKey

NOW = 1_760_000_000
SECRET = "a-secret-that-signs-whole-requests"
KEY = Key("edge-1", SECRET)
HOST = "shop.example"


def signed(
    method: str = "GET",
    target: str = "/a/b%20c?q=1&q=2",
    *,
    key: Key | PrivateKey = KEY,
    host: str = HOST,
    fields: list[tuple[str, bytes]] | None = None,
    signer: dict[str, Any] | None = None,
    **of_the_signature: Any,
) -> PlainRequest:
    """A request with the two fields of a signature made at ``NOW``.

    Args:
        fields: other fields than Host.
        signer: arguments of :class:`MessageSigner`.
        of_the_signature: arguments of its ``sign``.
    """
    others = list(fields or [])
    made = MessageSigner(key, **(signer or {})).sign(
        method, target, host, fields=others, **{"created": NOW, **of_the_signature}
    )
    return PlainRequest(
        method=method,
        path=target.partition("?")[0],
        target=target.encode(),
        host=host.encode(),
        fields=[
            ("Host", host.encode()),
            *others,
            *((name, value.encode()) for name, value in made.items()),
        ],
    )


def with_field(request: PlainRequest, name: str, value: bytes) -> PlainRequest:
    """*request* with another value in one of its fields."""
    fields = [(field, value if field == name else sent) for field, sent in request.fields]
    return replace(request, fields=fields)


def field(request: PlainRequest, name: str) -> bytes:
    """The value of a field that is there once."""
    [value] = request.header(name)
    return value


def by_hand(
    components: str, parameters: str, base: bytes, *, label: str = "edge", **request: Any
) -> PlainRequest:
    """A request whose signature is made of these very texts: what no signer of ours would write.

    Args:
        base: what is signed but for its last line.
        request: members of the request.
    """
    last = f'"@signature-params": {components}{parameters}'.encode()
    mac = b64encode(KEY.mac(base + last)).decode()
    given = PlainRequest(**request)
    given.fields = [
        *given.fields,
        ("Signature-Input", f"{label}={components}{parameters}".encode()),
        ("Signature", f"{label}=:{mac}:".encode()),
    ]
    return given

"""The peer that reads all of RFC 9421: http-message-signatures, told the time of the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import HMAC_SHA256

from support.signed_requests import KEY, NOW

if TYPE_CHECKING:
    from support.requests import PlainRequest


class Peer(HTTPMessageVerifier):
    """The peer, told the time: it reads the clock of the machine."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        created = sig_input.params.get("created")
        expires = sig_input.params.get("expires", NOW)
        if created is None or not NOW - 60 <= created <= NOW + 5 or expires < NOW - 5:
            raise InvalidSignature("not at this time")


PEER = Peer(
    signature_algorithm=HMAC_SHA256,
    key_resolver=MappingKeyResolver(public_keys={KEY.id: KEY.secret}, private_keys={}),
)


@dataclass
class Lines:
    """Header lines as the peer wants them."""

    lines: list[tuple[str, str]]

    def items(self) -> list[tuple[str, str]]:
        return self.lines


class Message:
    """A request as the peer wants it."""

    def __init__(self, request: PlainRequest) -> None:
        self.method = request.method
        self.url = f"https://{request.host.decode('latin-1')}{request.target.decode('latin-1')}"
        self.headers = Lines([(name, value.decode("latin-1")) for name, value in request.fields])


def peer_accepts(request: PlainRequest) -> bool:
    """Whether the peer accepts *request*: with our key, in the window of our defaults."""
    try:
        PEER.verify(Message(request), max_age=None)
    except InvalidSignature:
        return False
    return True

"""The rows of tests/vectors/rfc9421.json, and their settings in our words."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeauth import Key, KeyRing, SchemeSettings, VerificationError
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from support.request_rows import RequestRow

_FOLDER = Path(__file__).parents[1] / "vectors"

# "No limit" has no setting; this is longer than the calendar.
_NO_LIMIT = 1e12


@dataclass(frozen=True)
class Row(RequestRow):
    reason: str | None
    why: str
    seen: frozenset[tuple[str, str]]
    base: bytes | None

    @property
    def body(self) -> bytes:
        return base64.b64decode(self.request.get("body_b64", ""))

    def scheme(self) -> MessageSignatureScheme:
        """The verifier that the row describes."""
        return scheme_of(self.settings)

    def accepted_by(self, scheme: MessageSignatureScheme) -> bool:
        """Whether it is accepted, and was not seen before."""
        try:
            once = scheme.verify_signature(self.plain(), now=self.now).once
        except VerificationError:
            return False
        return once is None or once.key not in self.seen_keys

    def verify(self, request: Any) -> Any:
        identity = super().verify(request)
        if identity.once is not None and identity.once.key in self.seen_keys:
            raise VerificationError("seen before")
        return identity

    @property
    def seen_keys(self) -> set[bytes]:
        """What a replay store would hold before the row."""
        return {f"{key}:{nonce}".encode() for key, nonce in self.seen}


def scheme_of(settings: dict[str, Any]) -> MessageSignatureScheme:
    """A row's settings in ours.

    They are read as settings are, but for the keys, which are published and so refused there, and
    for a row that requires nothing to be signed.
    """
    keys = KeyRing(_key(name, given) for name, given in settings["keys"].items())
    options = options_of(settings)
    if not options["components"]:
        return MessageSignatureScheme.from_options(keys, options)
    read = SchemeSettings(MessageSignatureScheme.kind, given=options)
    scheme = read.build_scheme(keys)
    assert isinstance(scheme, MessageSignatureScheme)
    return scheme


def options_of(settings: dict[str, Any]) -> dict[str, Any]:
    """A row's settings as options of the kind.

    ``skew`` is of both ends of a window in the rows. Ours is of the beginning and of ``expires``;
    ``max_age`` is exact.
    """
    age = settings["max_age"]
    return {
        "components": tuple(settings["require_components"]),
        "tag": settings["tag"],
        "max_age": _NO_LIMIT if age is None else age + settings["skew"],
        "max_future": settings["skew"],
        "require_nonce": {"ignore": False, "required-once": True}[settings["nonce"]],
        "url_scheme": settings["scheme"],
    }


def _key(name: str, given: dict[str, str]) -> Key | PublicKey:
    if given["alg"] == "hmac-sha256":
        return Key(name, base64.b64decode(given["secret_b64"]))
    # By way of the line that a file of keys would have.
    written = PublicKey(name, given["public_pem"], given["alg"]).text
    [key] = KeyRing.from_text(f"{name}: {written}", "the row")
    return key


def rows() -> list[Row]:
    document = json.loads((_FOLDER / "rfc9421.json").read_text("utf-8"))
    return [
        Row(
            name=entry["name"],
            request=entry["request"],
            settings=entry["settings"],
            now=entry["now"],
            accept=entry["accept"],
            reason=entry["reason"],
            why=entry["why"],
            seen=frozenset(
                (key, nonce) for key, nonce in entry.get("prior", {}).get("nonces_seen", [])
            ),
            base=entry.get("signature_base", "").encode() or None,
        )
        for entry in document
    ]


def published_key(name: str, side: str) -> str:
    """A published key, as PEM: ``ed25519``, ``ecc-p256``, ``rsa`` or ``rsa-pss``.

    *side* is ``key`` for the private one and ``pem`` for the public one.
    """
    return (_FOLDER / "keys" / f"test-key-{name}.{side}").read_text("ascii")

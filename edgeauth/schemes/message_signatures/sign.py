"""Makes the two fields that an edge sends: RFC 9421, as :mod:`.verify` reads it."""

from __future__ import annotations

import hashlib
import re
import secrets as random
import time
from binascii import b2a_base64
from collections.abc import Iterable, Mapping, Sequence  # noqa: TC003 - so that annotations can be read
from dataclasses import dataclass
from typing import Any, Literal

from edgeauth.errors import ConfigurationError, MalformedHeader
from edgeauth.keys import Key
from edgeauth.private_keys import PrivateKey
from edgeauth.schemes.base import CannotSign, Outgoing
from edgeauth.schemes.message_signatures import grammar
from edgeauth.schemes.message_signatures.arguments import (
    COMPONENTS,
    HMAC,
    checked_scheme,
    checked_tag,
    quoted,
    required,
)
from edgeauth.schemes.message_signatures.base import Base
from edgeauth.schemes.message_signatures.body import FIELD
from edgeauth.schemes.message_signatures.form import INPUT, SIGNATURE

_LABEL = re.compile(grammar.KEY)
_NONCE = re.compile(grammar.PLAIN + rb"{1,256}")
_MAX_TIME = 999_999_999_999


@dataclass(frozen=True)
class _Outgoing:
    """A request that is about to be sent, as components see one."""

    method: str
    target: bytes
    host: bytes
    fields: Sequence[tuple[str, bytes]]
    handshake: bool = False

    def header(self, name: str) -> list[bytes]:
        wanted = name.lower()
        found = [value for field, value in self.fields if field.lower() == wanted]
        return found or ([self.host] if wanted == "host" else [])


class MessageSigner:
    """Signs requests, as an edge does.

    Args:
        key: a :class:`Key` (HMAC-SHA256), or a :class:`PrivateKey`.
        components: what is signed, in this order, as in RFC 9421.
        tag: the ``tag`` of the signature, or None for none.
        label: the name of the signature in both fields. Another than clients use.
        include_alg: whether ``alg`` is in the signature. The origin goes by the key in any case.
        scheme: ``https`` or ``http``: that of the URL which the edge asks for.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    def __init__(
        self,
        key: Key | PrivateKey,
        *,
        components: Iterable[str] = COMPONENTS,
        tag: str | None = None,
        label: str = "edge",
        include_alg: bool = False,
        scheme: Literal["https", "http"] = "https",
    ) -> None:
        self._key = key
        self._base = Base(required(components))
        self._tag = tag if tag is None else quoted(checked_tag(tag))
        if not isinstance(label, str) or not _LABEL.fullmatch(label.encode()):
            raise ConfigurationError(
                f"label {label!r} must be lower-case letters, digits, dots, dashes or underscores"
            )
        self._label = label
        self._algorithm = key.algorithm if isinstance(key, PrivateKey) else HMAC
        self._include_alg = include_alg
        self._scheme = checked_scheme(scheme)

    def sign(
        self,
        method: str,
        target: str | bytes,
        host: str | bytes,
        *,
        fields: Iterable[tuple[str, str | bytes]] = (),
        created: int | None = None,
        expires: int | None = None,
        nonce: str | None = "",
    ) -> dict[str, str]:
        """The two fields for one request, by name.

        Args:
            method: of the request.
            target: path and query, as they will be on the wire.
            host: the Host header, as the origin will receive it.
            fields: the other fields, (name, value): only those that are signed are looked at.
            created: Unix seconds; None is the present.
            expires: Unix seconds from which the origin must refuse it, or None.
            nonce: empty for a new one, made at random; None for none, so that it can be sent
                again. A request that is tried again needs a new one.

        Raises:
            ConfigurationError: an argument cannot be used.
            CannotSign: what is to be signed is not there.
        """
        request = _Outgoing(
            method, _bytes(target), _bytes(host), [(name, _bytes(value)) for name, value in fields]
        )
        moment = int(time.time()) if created is None else created
        parameters = [b"created=" + _moment("created", moment), b"keyid=" + quoted(self._key.id)]
        if self._include_alg:
            parameters.append(b"alg=" + quoted(self._algorithm))
        if expires is not None:
            parameters.append(b"expires=" + _moment("expires", expires))
        if nonce is not None:
            parameters.append(b"nonce=" + _nonce(nonce or random.token_urlsafe(16)))
        if self._tag is not None:
            parameters.append(b"tag=" + self._tag)
        names = b" ".join(component.id for component in self._base.components)
        signed = b";".join([b"(" + names + b")", *parameters])
        try:
            base = self._base.of(request, signed, self._scheme)
        except MalformedHeader as error:
            raise CannotSign(f"the request cannot be signed: {error}") from None
        key = self._key
        made = key.mac(base) if isinstance(key, Key) else key.sign(base)
        armoured = b2a_base64(made, newline=False).decode()
        return {
            INPUT: f"{self._label}={signed.decode()}",
            SIGNATURE: f"{self._label}=:{armoured}:",
        }

    def credential(self, request: Outgoing, created: int) -> dict[str, str]:
        """The fields of *request* for :meth:`sign` at *created*, with a new nonce.

        Where Content-Digest is signed and is not there, it is made of the body.

        Raises:
            CannotSign: as :meth:`sign`; or it would have to be made of a body that is not known.
        """
        made: dict[str, str] = {}
        if any(component.identity[0] == FIELD for component in self._base.components):
            name = FIELD.decode().title()
            if name.lower() not in {field.lower() for field, _ in request.fields}:
                if request.body is None:
                    raise CannotSign(
                        "content-digest is signed, and the body is a stream that is not read yet: "
                        "give the body as bytes, or set Content-Digest yourself"
                    )
                digest = b2a_base64(hashlib.sha256(request.body).digest(), newline=False)
                made[name] = f"sha-256=:{digest.decode()}:"
        fields = [*request.fields, *made.items()]
        method, host, target, *_ = request
        return {**made, **self.sign(method, target, host, fields=fields, created=created)}


def sign_request(
    key: Key | PrivateKey,
    method: str,
    target: str | bytes,
    host: str | bytes,
    *,
    options: Mapping[str, Any] | None = None,
    **of_the_request: Any,  # noqa: ANN401 - as those of MessageSigner.sign
) -> dict[str, str]:
    """As :meth:`MessageSigner.sign`, of a signer with *options* that is used once."""
    return MessageSigner(key, **(options or {})).sign(method, target, host, **of_the_request)


def _bytes(text: str | bytes) -> bytes:
    # What is no ASCII is refused with the rest of what is signed.
    return text.encode() if isinstance(text, str) else text


def _moment(name: str, value: int) -> bytes:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_TIME:
        raise ConfigurationError(
            f"{name} {value!r} must be whole Unix seconds of at most 12 digits"
        )
    return b"%d" % value


def _nonce(nonce: str) -> bytes:
    raw = nonce.encode("utf-8", "replace")
    if not _NONCE.fullmatch(raw):
        raise ConfigurationError(
            "a nonce must be 1 to 256 printable ASCII characters, without quotes and backslashes"
        )
    return b'"' + raw + b'"'

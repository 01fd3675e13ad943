"""Azure Storage's Shared Key and Shared Key Lite: what an edge signs for a private container.

An origin of one's own can verify the same. Not signed, ever: Host, and fields beside those of the
list and ``x-ms-*``. The body is signed where Content-MD5 is sent.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping  # noqa: TC003 - so that annotations can be read
from hmac import compare_digest
from typing import Any, ClassVar, Self
from urllib.parse import unquote_to_bytes

from edgeauth.errors import (
    BadSignature,
    ClaimRefused,
    ConfigurationError,
    MalformedHeader,
    MissingHeader,
    NotCovered,
)
from edgeauth.keys import Key, KeyRing, secrets_alone
from edgeauth.request import Request  # noqa: TC001 - so that annotations can be read
from edgeauth.schemes.base import CannotSign, Outgoing, needed_request, not_once
from edgeauth.schemes.options import Option, read_flag, read_text, window
from edgeauth.schemes.signed_parts import (
    MAX_SKEW,
    Listed,
    demand_name,
    http_date,
    http_date_text,
    identity_in_time,
    method_of,
    sent_with,
    signed_fields,
    split_target,
)
from edgeauth.verdict import BodyDigest, EdgeIdentity

FIELD, DATE = "Authorization", "x-ms-date"
PREFIX = b"x-ms-"
SHARED_KEY, LITE = b"SharedKey", b"SharedKeyLite"

# The lines of a signature, in order; that of Date is empty where x-ms-date is sent.
LINES = (
    *(b"content-encoding", b"content-language", b"content-length", b"content-md5"),
    *(b"content-type", b"date", b"if-modified-since", b"if-match", b"if-none-match"),
    *(b"if-unmodified-since", b"range"),
)
LITE_LINES = (b"content-md5", b"content-type", b"date")

CREDENTIAL = re.compile(rb"(SharedKey(?:Lite)?) ([A-Za-z0-9-]{1,64}):([A-Za-z0-9+/]{43}=)")
_ACCOUNT = re.compile(r"[A-Za-z0-9-]{1,64}")
_MD5 = re.compile(rb"[A-Za-z0-9+/]{22}==")
_MIN_BYTES = 16

# The service sorts names by a collation of words: first all other characters, in this order, as if
# dashes and apostrophes were not there; then by where those are.
_ORDER = b"!#$%&*.^_`|~+0123456789abcdefghijklmnopqrstuvwxyz"
_BY_LETTERS = bytes.maketrans(_ORDER, bytes(range(1, len(_ORDER) + 1)))
_BY_DASHES = bytes(1 if byte == ord("'") else 2 if byte == ord("-") else 0 for byte in range(256))

# A value whose decoded text could be read as another parameter's line.
_LOOKS_LIKE_A_LINE = re.compile(rb"\n[^\n]*:")

_COVERS = frozenset({"method", "path", "query", "time"})
_LITE_COVERS = frozenset({"method", "path", "time"})
_BODY = frozenset({"body"})


class AzureSharedKeyScheme:
    """Accepts a request that is signed with a key of an Azure storage account.

    Args:
        keys: a :class:`KeyRing`, or an iterable of :class:`Key` and secrets, oldest to newest.
            Each secret is in base64, as the portal shows it.
        account: the name of the storage account.
        max_skew: how many seconds before and after the time of signing it is accepted, inclusive.
        lite: True accepts Shared Key Lite and nothing else. It leaves the query unsigned, but for
            ``comp``.

    Raises:
        ConfigurationError: an argument cannot be used; a secret that is no base64 is one.
    """

    kind: ClassVar[str] = "azure-shared-key"
    headers = (FIELD, DATE)
    looks_at_beginning = (PREFIX.decode(),)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("account", read_text, None, "the name of the storage account"),
        MAX_SKEW,
        Option("lite", read_flag, False, "true accepts Shared Key Lite alone"),  # noqa: FBT003
    )

    def __init__(
        self,
        keys: KeyRing | Iterable[Key | str | bytes],
        *,
        account: str,
        max_skew: float = 900,
        lite: bool = False,
    ) -> None:
        self.keys = secrets_alone(keys, self.kind)
        self.decoded = KeyRing(map(_decoded, self.keys))
        if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
            raise ConfigurationError(
                f"account {account!r} must be the name of the storage account: letters and digits"
            )
        self.account = account
        self.max_skew = window("max_skew", max_skew)
        self.lite = lite
        self.word = LITE if lite else SHARED_KEY
        lines = LITE_LINES if lite else LINES
        self._names = frozenset(lines)
        self.looks_at = tuple(name.decode().title() for name in lines)

    @classmethod
    def from_options(cls, keys: KeyRing, options: Mapping[str, Any]) -> Self:
        """The scheme with these keys and these values of ``OPTIONS``.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        demand_name(cls.kind, options, "account", "storage account")
        return cls(keys, **options)

    def credential(
        self, *, now: float, request: Outgoing | None = None, **_how: object
    ) -> Mapping[str, str]:
        """The fields of *request* that is sent at *now* (Unix seconds), of the newest key.

        A body whose length is not among the fields is sent in chunks if it is not known.

        Raises:
            ConfigurationError: there is no request, or no key is valid at *now*.
            CannotSign: what is signed is there twice, or cannot be sent.
        """
        request = needed_request(request, self.kind)
        made = {DATE: http_date_text(now)}
        lengths = [value for name, value in request.fields if name.lower() == "content-length"]
        more = dict(made)
        if request.body and not lengths:
            more["content-length"] = str(len(request.body))
        try:
            signed = self.string_to_sign(sent_with(request, more))
        except MalformedHeader as error:
            raise CannotSign(f"the request cannot be signed: {error}") from None
        mac = self.decoded.signing_key(now).mac(signed)
        armoured = b2a_base64(mac, newline=False).decode()
        return {FIELD: f"{self.word.decode()} {self.account}:{armoured}", **made}

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """Verify the signature of *request* at *now* (Unix seconds).

        The checks come in the order of the errors, so that what is forged never learns more.

        Raises:
            MissingHeader: there is no Authorization, or one of another kind.
            MalformedHeader: not of the form, or what is signed is there twice.
            BadSignature: no key that is valid at *now* made it.
            ClaimRefused: it names another account.
            NotCovered: it has no date.
            Expired, NotYetValid: signed longer ago, or further ahead, than ``max_skew``.

        Not checked: whether the body has the digest that is signed (``body``).
        """
        values = request.header(FIELD)
        if len(values) != 1:
            raise not_once(values, FIELD)
        account, received = self._parts(values[0])
        found, own = signed_fields(request, self._names, PREFIX)
        signed = self._lines(request, found, own)
        for key in self.decoded.newest_first:
            # Compared as received, never decoded: a second spelling of it is not accepted.
            if compare_digest(b2a_base64(key.mac(signed), newline=False), received):
                break
        else:
            raise BadSignature(
                "no key here made this signature of this request",
                hint="does something between edge and origin change the method, the path, the "
                "query or a signed field? Is the key at the edge the same?",
            )
        if account != self.account.encode():
            raise ClaimRefused(
                "the signature is good, and the field names another account",
                hint=f"the setting account is {self.account!r}: write it at the edge",
            )
        date = own.get(b"x-ms-date", found.get(b"date"))
        if date is None:
            raise NotCovered(
                "no date is signed: it would be good for ever", hint="let the edge send x-ms-date"
            )
        body = _digest(found.get(b"content-md5", b""))
        covers = _LITE_COVERS if self.lite else _COVERS
        return identity_in_time(
            self.kind,
            key,
            http_date(date),
            max_skew=self.max_skew,
            now=now,
            covers=covers if body is None else covers | _BODY,
            body=body,
        )

    def string_to_sign(self, request: Listed) -> bytes:
        """The bytes of *request* that are signed.

        Raises:
            MalformedHeader: what is signed is there twice, or cannot be signed.
        """
        return self._lines(request, *signed_fields(request, self._names, PREFIX))

    def _parts(self, value: bytes) -> tuple[bytes, bytes]:
        match = CREDENTIAL.fullmatch(value)
        if match is None:
            if not value.startswith(SHARED_KEY):
                raise MissingHeader(f"{FIELD} holds no {self.word.decode()}")
            raise MalformedHeader(
                f"{FIELD} is not of the form",
                hint=f"the edge must send {self.word.decode()} ACCOUNT:SIGNATURE, a signature of "
                "44 characters of base64",
            )
        word, account, received = match.groups()
        if word != self.word:
            raise MalformedHeader(
                f"{FIELD} is signed as {word.decode()}, and {self.word.decode()} is what counts",
                hint="sign so at the edge, or set lite = "
                + ("false" if self.lite else "true; it leaves the query unsigned"),
            )
        return account, received

    def _lines(
        self, request: Listed, found: Mapping[bytes, bytes], own: Mapping[bytes, bytes]
    ) -> bytes:
        path, query = split_target(request)
        values = {**dict.fromkeys(LITE_LINES if self.lite else LINES, b""), **found}
        if b"x-ms-date" in own:
            values[b"date"] = b""
        # Since version 2015-02-21 of the protocol.
        if values.get(b"content-length") == b"0":
            values[b"content-length"] = b""
        resource = b"/%b%b" % (self.account.encode(), path)
        if query:
            resource += _comp(query) if self.lite else _parameters(query)
        return b"\n".join(
            [
                method_of(request),
                *values.values(),
                *[b"%b:%b" % (name, own[name]) for name in sorted(own, key=_collated)],
                resource,
            ]
        )


def _decoded(key: Any) -> Key:  # noqa: ANN401 - secrets_alone has looked
    """*key* with the bytes that its text stands for.

    Raises:
        ConfigurationError: its secret is no base64, or too short.
    """
    text = key.secret
    try:
        raw = a2b_base64(text, strict_mode=True)
        whole = b2a_base64(raw, newline=False) == text
    except Base64Error:
        whole = False
    if not whole:
        # Not chained: the original error may tell of the secret.
        raise ConfigurationError(
            f"the secret of key {key.id!r} is no base64: copy the key of the storage account as "
            "the portal shows it"
        )
    try:
        return Key(key.id, raw, key.not_before, key.not_after, min_bytes=_MIN_BYTES)
    except ConfigurationError:
        raise ConfigurationError(
            f"the secret of key {key.id!r} stands for {len(raw)} bytes; a key of a storage account "
            f"has 64, and fewer than {_MIN_BYTES} are refused"
        ) from None


def _collated(name: bytes) -> tuple[bytes, bytes]:
    return name.translate(_BY_LETTERS, b"-'"), name.translate(_BY_DASHES)


def _digest(value: bytes) -> BodyDigest | None:
    return BodyDigest("md5", a2b_base64(value)) if _MD5.fullmatch(value) else None


def _pairs(query: bytes) -> list[tuple[bytes, bytes]]:
    """Name in lower case and value of each parameter, decoded; ``+`` stays what it is."""
    found = []
    for part in query.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            found.append((unquote_to_bytes(name).lower(), unquote_to_bytes(value)))
    return found


def _parameters(query: bytes) -> bytes:
    values: dict[bytes, list[bytes]] = {}
    for name, value in _pairs(query):
        if b"\n" in name or _LOOKS_LIKE_A_LINE.search(value):
            raise MalformedHeader(
                "a line break in the query reads like another parameter, so the signature may be "
                "that of another request"
            )
        values.setdefault(name, []).append(value)
    return b"".join(b"\n%b:%b" % (name, b",".join(sorted(values[name]))) for name in sorted(values))


def _comp(query: bytes) -> bytes:
    found = [value for name, value in _pairs(query) if name == b"comp"]
    if len(found) > 1:
        raise MalformedHeader("the parameter comp is there twice, and it is signed")
    return b"?comp=" + found[0] if found else b""

"""The bytes that are signed, of each version; and the form of the field."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping  # noqa: TC003 - so that annotations can be read
from hashlib import sha256
from hmac import digest
from urllib.parse import quote_from_bytes, unquote_to_bytes

from edgeauth.errors import MalformedHeader
from edgeauth.request import Signable  # noqa: TC001
from edgeauth.schemes.signed_parts import method_of, split_target

FIELD, DATE, PAYLOAD = "Authorization", "x-oss-date", "x-oss-content-sha256"
PREFIX = b"x-oss-"
# The only word for a body that there is.
UNSIGNED = b"UNSIGNED-PAYLOAD"
V4 = b"OSS4-HMAC-SHA256"

# Fields that are signed beside those with the prefix, if they are there.
V1_LINES = frozenset({b"content-md5", b"content-type", b"date"})
V4_LINES = frozenset({b"content-md5", b"content-type"})

_ID = rb"([A-Za-z0-9._-]{1,64})"
_NAME = rb"[a-z0-9!#$%&'*+.^`|~-]{1,128}"
V1_CREDENTIAL = re.compile(rb"OSS " + _ID + rb":([A-Za-z0-9+/]{27}=)")
V4_CREDENTIAL = re.compile(
    V4 + rb" Credential=" + _ID + rb"/(([0-9]{8})/([a-z0-9-]{1,64})/([a-z0-9-]{1,32})"
    rb"/aliyun_v4_request)"
    rb"(?:, ?AdditionalHeaders=(" + _NAME + rb"(?:;" + _NAME + rb"){0,63}))?"
    rb", ?Signature=([0-9a-f]{64})"
)
_PLAIN_PATH = re.compile(rb"[A-Za-z0-9_.~/-]*")


def v1_string(
    request: Signable,
    found: Mapping[bytes, bytes],
    own: Mapping[bytes, bytes],
    resource: bytes,
) -> bytes:
    """What version 1 signs.

    Args:
        request: as received.
        found: its fields of ``V1_LINES``.
        own: its fields that begin with ``x-oss-``.
        resource: as :func:`v1_resource` makes it.
    """
    date = own.get(b"x-oss-date", found.get(b"date", b""))
    return b"\n".join(
        [
            method_of(request),
            found.get(b"content-md5", b""),
            found.get(b"content-type", b""),
            date,
            *[b"%b:%b" % (name, own[name]) for name in sorted(own)],
            resource,
        ]
    )


def v1_resource(
    request: Signable, bucket: bytes, sub_resources: Collection[str], *, raw: bool
) -> bytes:
    """Bucket, key and sub-resources of *request*.

    Args:
        request: as received.
        bucket: its name, or empty.
        sub_resources: the names of the parameters that are signed.
        raw: whether the path is signed as it was received, not decoded.

    Raises:
        MalformedHeader: a sub-resource is there twice, or the bytes could be those of another.
    """
    path, query = split_target(request)
    if not raw:
        path = unquote_to_bytes(path)
        if b"?" in path and _reads_like_one(path.partition(b"?")[2], sub_resources):
            raise _ambiguous()
    resource = b"/%b%b" % (bucket, path) if bucket else path
    if not query:
        return resource
    values: dict[bytes, bytes] = {}
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        name, value = unquote_to_bytes(name), unquote_to_bytes(value)
        if name.decode("latin-1") in sub_resources:
            if name in values:
                raise MalformedHeader("a sub-resource is there twice, and it is signed")
            if b"&" in value and _reads_like_one(value.partition(b"&")[2], sub_resources):
                raise _ambiguous()
            values[name] = value
    if not values:
        return resource
    signed = [b"%b=%b" % (name, value) if value else name for name, value in sorted(values.items())]
    return resource + b"?" + b"&".join(signed)


def v4_string(
    request: Signable,
    lines: Mapping[bytes, bytes],
    additional: bytes,
    bucket: bytes,
    *,
    raw: bool,
) -> bytes:
    """The canonical request of version 4.

    Args:
        request: as received.
        lines: the signed fields, by name in lower case.
        additional: the names of the additional ones, as received.
        bucket: its name, or empty.
        raw: whether the path is signed as it was received, not decoded and encoded anew.
    """
    path, query = split_target(request)
    if not raw and not _PLAIN_PATH.fullmatch(path):
        path = quote_from_bytes(unquote_to_bytes(path), safe="/").encode()
    pairs = sorted(part.partition(b"=")[::2] for part in query.split(b"&")) if query else []
    return b"\n".join(
        [
            method_of(request),
            b"/%b%b" % (bucket, path) if bucket else path,
            b"&".join([b"%b=%b" % pair if pair[1] else pair[0] for pair in pairs]),
            *[b"%b:%b" % (name, lines[name]) for name in sorted(lines)],
            b"",
            additional,
            UNSIGNED,
        ]
    )


def v4_key(secret: bytes, day: bytes, region: bytes, product: bytes) -> bytes:
    """The key of one day."""
    key = digest(b"aliyun_v4" + secret, day, "sha256")
    for part in (region, product, b"aliyun_v4_request"):
        key = digest(key, part, "sha256")
    return key


def v4_signature(key: bytes, date: bytes, scope: bytes, canonical: bytes) -> bytes:
    """The signature with the key of the day, in hex."""
    whole = b"\n".join((V4, date, scope, sha256(canonical).hexdigest().encode()))
    return digest(key, whole, "sha256").hex().encode()


def _reads_like_one(text: bytes, sub_resources: Collection[str]) -> bool:
    """Whether *text*, which follows a separator, begins or goes on with a sub-resource."""
    names = (part.partition(b"=")[0].decode("latin-1") for part in text.split(b"&"))
    return any(name in sub_resources for name in names)


def _ambiguous() -> MalformedHeader:
    return MalformedHeader(
        "a decoded part of the target reads like a sub-resource, so the signature may be that of "
        "another request"
    )

"""Why a credential is none, or not of the form: which part of it, and what to write there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeauth.errors import MalformedHeader, MissingHeader, VerificationError
from edgeauth.ops.schemes.diagnosis import Finding
from edgeauth.ops.schemes.part import shortened
from edgeauth.schemes.aws_sigv4.given import Given, given_of
from edgeauth.schemes.aws_sigv4.grammar import (
    AUTHORIZATION,
    DATE,
    is_ours,
    second_of_day,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme

_PART = re.compile(rb"(Credential|SignedHeaders|Signature)=([^, ]*)")
_HEX = re.compile(rb"[0-9A-Fa-f]{64}")
_SCOPE = re.compile(rb"[^/]+/[0-9]{8}/[^/]+/[^/]+/aws4_request")
_SCOPE_PARTS = 5


def read(scheme: AwsSigV4Scheme, lines: RequestLines) -> Given | Finding:
    """What *lines* say of their signature, or why that is nothing."""
    try:
        given = given_of(lines, presigned=scheme.presigned, path_mode=scheme.path_mode)
        second_of_day(given.date, given.credential.day)
    except VerificationError as error:
        return _why(lines, error)
    return given


def _why(lines: RequestLines, error: VerificationError) -> Finding:
    values = lines.header(AUTHORIZATION)
    none = _none(lines, values, error)
    if none is not None:
        return none
    if values[0].count(b"AWS4-HMAC-SHA256") > 1:
        return Finding(
            "several",
            "Authorization is there twice: the edge adds its own to what a client sent, or two "
            "hops sign. Set the field at the edge; do not add it.",
        )
    if isinstance(error, MissingHeader):
        return Finding(
            "no-date",
            f"There is no {DATE} field, and it says when the request was signed: let the edge send "
            "it. The field Date is not taken in its place.",
        )
    return _part(values[0], error)


def _none(lines: RequestLines, values: Sequence[bytes], error: VerificationError) -> Finding | None:
    """Why there is no credential of the kind; None where there is one."""
    if lines.target is None:
        return Finding(
            "no-target",
            "The path and the query are signed, and there is no target: give the request line as "
            "well (GET /path?query HTTP/1.1), or --url. If the server itself refuses it for that, "
            "it does not tell the target: docs/servers.md says which do.",
        )
    if isinstance(error, MissingHeader) and error.hint:
        return Finding(
            "presigned",
            "The signature is in the query (X-Amz-Signature), as a presigned URL has it: let the "
            "edge sign in Authorization, or set presigned = true here.",
        )
    if isinstance(error, MalformedHeader) and not values and b"X-Amz-" in lines.target:
        return Finding("malformed", f"{error.message[0].upper()}{error.message[1:]}.")
    if not values:
        return Finding(
            "missing",
            "There is no Authorization field: the edge does not sign, or something on the way "
            "removes it. A proxy that logs in by itself does.",
        )
    if not is_ours(values[0]):
        word, space, _ = values[0].partition(b" ")
        shown = shortened(word) if space else "one word"
        return Finding(
            "another-kind",
            f"Authorization is {shown}, which is no AWS4-HMAC-SHA256: it is the client's own, "
            "and the edge did not put its signature in its place.",
        )
    return None


def _part(value: bytes, error: VerificationError) -> Finding:
    parts = dict(_PART.findall(value))
    for name in (b"Credential", b"SignedHeaders", b"Signature"):
        if name not in parts:
            return Finding(
                "malformed",
                f"Authorization has no {name.decode()}=: it must be AWS4-HMAC-SHA256 "
                "Credential=KEY/DAY/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=hex, "
                "in this order, with commas.",
            )
    scope, signature = parts[b"Credential"], parts[b"Signature"]
    if not _SCOPE.fullmatch(scope):
        count = len(scope.split(b"/"))
        more = f" It has {count} parts." if count != _SCOPE_PARTS else ""
        return Finding(
            "malformed",
            "Credential must be KEY/YYYYMMDD/REGION/SERVICE/aws4_request, with the day in digits."
            + more,
        )
    if not _HEX.fullmatch(signature) or signature != signature.lower():
        what = (
            "is in capitals"
            if _HEX.fullmatch(signature)
            else f"has {len(signature)} characters, and is in hex not at all or not whole"
        )
        return Finding(
            "malformed",
            f"Signature {what}: it must be 64 digits of hex in lower case, not base64.",
        )
    told = f"{error.message[0].upper()}{error.message[1:]}."
    if isinstance(error, MalformedHeader) and "day of the scope" in error.message:
        told = (
            "The day in Credential is not that of X-Amz-Date: take both from one clock, in UTC, "
            "and make the key of that day."
        )
    elif b"names" in error.message.encode() or "SignedHeaders" in error.message:
        told += " Sort the names, in lower case, each once, with semicolons between them."
    elif error.hint:
        told += f" {error.hint[0].upper()}{error.hint[1:]}."
    return Finding("malformed", told)

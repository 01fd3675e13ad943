"""The two forms of the credential: the header Authorization, and the query of a presigned URL."""

from __future__ import annotations

import re
from collections.abc import Iterable  # noqa: TC003 - so that annotations can be read
from datetime import date as calendar_day
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from edgeauth.errors import MalformedHeader
from edgeauth.schemes.aws_sigv4.canonical import ALGORITHM

AUTHORIZATION = "Authorization"
DATE = "X-Amz-Date"
CONTENT = "X-Amz-Content-SHA256"
TOKEN = "X-Amz-Security-Token"  # noqa: S105 - the name of a field

# As they are asked for before: a view may remember what it found by a name.
_ASKED = {name.lower().encode(): name for name in ("Host", DATE, CONTENT)}

#: One signature covers no more than this: each field is looked for among all of a request.
MAX_NAMES = 64

_SCOPE = (
    rb"(?P<key>[!-+\--.0-~]{1,128})/(?P<day>[0-9]{8})/(?P<region>[A-Za-z0-9._-]{1,64})"
    rb"/(?P<service>[A-Za-z0-9._-]{1,64})/aws4_request"
)
_NAMES = rb"(?P<names>[a-z0-9!#$%&'*+.^`|~;-]{1,2048})"
_HEX = rb"(?P<signature>[0-9a-f]{64})"
_HEADER = re.compile(
    rb"%b +Credential=%b, ?SignedHeaders=%b, ?Signature=%b" % (ALGORITHM, _SCOPE, _NAMES, _HEX)
)
_DATE = re.compile(rb"([0-9]{8})T((?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9])Z")
# Seven digits hold a week of seconds, and more than a week is refused when it is authentic.
_EXPIRES = re.compile(rb"[1-9][0-9]{0,6}")

# A presigned URL has all of these once, and perhaps a token.
_PARAMETERS = (
    b"X-Amz-Algorithm",
    b"X-Amz-Credential",
    b"X-Amz-Date",
    b"X-Amz-Expires",
    b"X-Amz-SignedHeaders",
    b"X-Amz-Signature",
)
_SIGNATURE = b"X-Amz-Signature="
_OF_THE_FORM = {
    b"X-Amz-Credential": re.compile(_SCOPE),
    b"X-Amz-SignedHeaders": re.compile(_NAMES),
    b"X-Amz-Signature": re.compile(_HEX),
    b"X-Amz-Expires": _EXPIRES,
}
# Of a canonical query, which encodes none of these letters.
_IS_PRESIGNED = re.compile(rb"(?i)(?:^|&)x-amz-(?:algorithm|credential|signature)=")

_EPOCH = calendar_day(1970, 1, 1).toordinal()
_DAY = 86_400


class Form(NamedTuple):
    """What is signed of the fields.

    Attributes:
        names: all of them.
        fields: of each, what stands before its value, and the name to ask for.
    """

    names: frozenset[bytes]
    fields: tuple[tuple[bytes, str], ...]


class Credential(NamedTuple):
    """What a request says of its signature, and what is the same for all of a day.

    Attributes:
        key: the id of the key.
        day, region, service: of the scope.
        scope: the four parts of it, as they are signed.
        names: what is signed, as it is written.
        form: what that means.
        begins: Unix seconds at which the day begins.
        expires: the seconds after its date until which a presigned URL is good; None for a header.
    """

    key: bytes
    day: bytes
    region: bytes
    service: bytes
    scope: bytes
    names: bytes
    form: Form
    begins: int
    expires: int | None


def is_ours(value: bytes) -> bool:
    """Whether the *value* of Authorization is of SigV4 at all."""
    return value.startswith(ALGORITHM)


def is_presigned(query: bytes) -> bool:
    """Whether a canonical query is that of a presigned URL."""
    return b"x-amz-" in query.lower() and _IS_PRESIGNED.search(query) is not None


def of_header(value: bytes) -> tuple[Credential, bytes]:
    """The credential in Authorization, and the signature.

    Raises:
        MalformedHeader: it is not of the form.
    """
    match = _HEADER.fullmatch(value)
    if match is None:
        raise MalformedHeader(
            "Authorization is not Credential=KEY/DAY/REGION/SERVICE/aws4_request, "
            "SignedHeaders=names, Signature=64 digits in lower-case hex"
        )
    key, day, region, service, names, signature = match.groups()
    # From the id of the key on, which is not part of it.
    scope = value[match.start("day") : match.end("service") + len(b"/aws4_request")]
    form, begins = form_of(names), midnight(day)
    return Credential(key, day, region, service, scope, names, form, begins, None), signature


def of_query(pairs: Iterable[bytes]) -> tuple[Credential, bytes, bytes, list[bytes]]:
    """The credential in the canonical *pairs* of a query, signature, date, and what is signed.

    Raises:
        MalformedHeader: it is not of the form, or a parameter of it is there twice.
    """
    found: dict[bytes, bytes] = {}
    signed, seen = [], set()
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        folded = name.lower()
        if folded.startswith(b"x-amz-"):
            if folded in seen:
                raise MalformedHeader("an X-Amz parameter is in the query twice")
            seen.add(folded)
            found[name] = unquote_to_bytes(value)
        if not pair.startswith(_SIGNATURE):
            signed.append(pair)
    if any(name not in found for name in _PARAMETERS):
        raise MalformedHeader(
            "the query has not all of X-Amz-Algorithm, -Credential, -Date, "
            "-Expires, -SignedHeaders and -Signature"
        )
    if found[b"X-Amz-Algorithm"] != ALGORITHM:
        raise MalformedHeader("X-Amz-Algorithm is not AWS4-HMAC-SHA256")
    matches = {name: form.fullmatch(found[name]) for name, form in _OF_THE_FORM.items()}
    scope = matches[b"X-Amz-Credential"]
    if scope is None or None in matches.values():
        raise MalformedHeader("a parameter of the presigned URL is not of its form")
    key, day, region, service = scope.groups()
    names = found[b"X-Amz-SignedHeaders"]
    credential = Credential(
        key,
        day,
        region,
        service,
        found[b"X-Amz-Credential"][len(key) + 1 :],
        names,
        form_of(names),
        midnight(day),
        int(found[b"X-Amz-Expires"]),
    )
    return credential, found[b"X-Amz-Signature"], found[b"X-Amz-Date"], signed


def form_of(text: bytes) -> Form:
    """What the names in SignedHeaders mean.

    Raises:
        MalformedHeader: they are not sorted, one is there twice, or there are too many.
    """
    names = tuple(text.split(b";"))
    if len(names) > MAX_NAMES or b"" in names:
        raise MalformedHeader("SignedHeaders has an empty name, or too many")
    if any(one >= other for one, other in pairwise(names)):
        raise MalformedHeader("the names of SignedHeaders are not sorted, or one is there twice")
    fields = tuple((name + b":", _ASKED.get(name) or name.decode()) for name in names)
    return Form(frozenset(names), fields)


def midnight(day: bytes) -> int:
    """Unix seconds at which a day of the form ``YYYYMMDD`` begins.

    Raises:
        MalformedHeader: the calendar has no such day.
    """
    try:
        found = calendar_day(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        raise MalformedHeader("X-Amz-Date is on a day that the calendar has not") from None
    return (found.toordinal() - _EPOCH) * _DAY


def second_of_day(date: bytes, day: bytes) -> int:
    """The seconds since midnight that *date* says.

    Raises:
        MalformedHeader: it is not of the form, or on another day than the scope has.
    """
    match = _DATE.fullmatch(date)
    if match is None:
        raise MalformedHeader("X-Amz-Date is not of the form YYYYMMDDTHHMMSSZ")
    if match[1] != day:
        raise MalformedHeader("the day of the scope is not that of X-Amz-Date")
    digits = int(match[2])
    return digits // 10_000 * 3600 + digits // 100 % 100 * 60 + digits % 100

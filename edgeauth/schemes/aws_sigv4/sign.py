"""Signs requests as an edge does: what :mod:`.verify` reads."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Literal, NamedTuple, Protocol
from urllib.parse import quote

from edgeauth.errors import ConfigurationError, MalformedHeader
from edgeauth.keys import Key  # noqa: TC001 - so that annotations can be read
from edgeauth.schemes.aws_sigv4.arguments import WEEK
from edgeauth.schemes.aws_sigv4.canonical import (
    ALGORITHM,
    EMPTY,
    UNSIGNED,
    canonical_path,
    canonical_query,
    day_secret,
    field_value,
    string_to_sign,
)
from edgeauth.schemes.aws_sigv4.grammar import AUTHORIZATION, CONTENT, DATE
from edgeauth.schemes.base import CannotSign, Outgoing

# Where nobody says what body such a request has, it has none.
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class SignsFor(Protocol):
    """What signer and verifier agree about."""

    region: str
    service: str
    unsigned_payload: bool
    path_mode: Literal["s3", "generic"]


def signed_fields(scheme: SignsFor, request: Outgoing, key: Key, now: float) -> dict[str, str]:
    """The fields of *request* for *scheme*, signed with *key* at *now* (Unix seconds).

    Raises:
        CannotSign: its body is not known and must be signed, or it has what cannot be signed.
    """
    if request.body is not None:
        payload = hashlib.sha256(request.body).hexdigest()
    elif request.method in _WITHOUT_BODY:
        payload = EMPTY.decode()
    elif scheme.unsigned_payload:
        payload = UNSIGNED.decode()
    else:
        raise CannotSign(
            "the hash of the body is signed, and the body is a stream that is not read yet: give "
            "it as bytes, or set unsigned_payload"
        )
    made = {DATE: _date(now), CONTENT: payload}
    lines = _lines(request)
    lines.update({name.lower().encode(): [value.encode()] for name, value in made.items()})
    names = b";".join(sorted(lines)).decode()
    signed = _Signed(scheme, key, made[DATE])
    signature = signed.signature(request, lines, payload.encode())
    made[AUTHORIZATION] = (
        f"{ALGORITHM.decode()} Credential={key.id}/{signed.scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    return made


def presigned_target(
    scheme: SignsFor, request: Outgoing, key: Key, now: float, expires: int
) -> str:
    """The target of *request* as a presigned URL has it; as :func:`signed_fields`.

    Args:
        scheme: what the verifier is told.
        request: its body is not signed for S3, and must be empty for others.
        key: what signs.
        now: Unix seconds.
        expires: seconds for which it is good.
    """
    if isinstance(expires, bool) or not isinstance(expires, int) or not 1 <= expires <= WEEK:
        raise ConfigurationError(f"expires {expires!r} must be 1 to {WEEK} whole seconds")
    signed, lines = _Signed(scheme, key, _date(now)), _lines(request)
    given = {
        "X-Amz-Algorithm": ALGORITHM.decode(),
        "X-Amz-Credential": f"{key.id}/{signed.scope}",
        "X-Amz-Date": signed.date,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": ";".join(sorted(name.decode() for name in lines)),
    }
    more = "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items())
    path, _, query = request.target.partition("?")
    target = f"{path}?{query}&{more}" if query else f"{path}?{more}"
    payload = UNSIGNED if scheme.path_mode == "s3" else EMPTY
    signature = signed.signature(request._replace(target=target), lines, payload)
    return f"{target}&X-Amz-Signature={signature}"


def _date(now: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def _lines(request: Outgoing) -> dict[bytes, list[bytes]]:
    """The lines of each field that is signed: Host, and what begins with ``x-amz-``."""
    lines = {b"host": [_bytes(request.authority)]}
    made = {name.lower().encode() for name in (DATE, CONTENT)}
    for field, value in request.fields:
        name = field.lower().encode()
        if name.startswith(b"x-amz-") and name not in made:
            lines.setdefault(name, []).append(_bytes(value))
    return lines


class _Signed(NamedTuple):
    """Who signs, for whom and when."""

    scheme: SignsFor
    key: Key
    date: str

    @property
    def scope(self) -> str:
        return f"{self.date[:8]}/{self.scheme.region}/{self.scheme.service}/aws4_request"

    def signature(self, request: Outgoing, lines: dict[bytes, list[bytes]], payload: bytes) -> str:
        """The digits of the signature of *request* with these *lines* of fields."""
        scheme = self.scheme
        path, _, query = _bytes(request.target).partition(b"?")
        try:
            fields = [name + b":" + field_value(lines[name]) for name in sorted(lines)]
        except MalformedHeader as error:
            raise CannotSign(f"the request cannot be signed: {error}") from None
        message = string_to_sign(
            (
                request.method.encode(),
                canonical_path(path, scheme.path_mode),
                b"&".join(canonical_query(query)),
                *fields,
                b"",
                b";".join(sorted(lines)),
                payload,
            ),
            date=self.date.encode(),
            scope=self.scope.encode(),
        )
        of_the_day = (part.encode() for part in (self.date[:8], scheme.region, scheme.service))
        signing = day_secret(self.key.secret, *of_the_day)
        return hmac.digest(signing, message, "sha256").hex()


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text

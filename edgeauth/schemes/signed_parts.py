"""What the schemes of clouds share: fields that are signed, dates, and the time that is left.

Their signatures are over lines that are joined, so what is in a line may not hold a line break,
and of a field that is there twice nobody knows which the edge meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence  # noqa: TC003 - so that annotations can be read
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from typing import Protocol

from edgeauth.errors import ConfigurationError, Expired, MalformedHeader, NotYetValid
from edgeauth.keys import Key  # noqa: TC001
from edgeauth.request import HANDSHAKE, Signable, folded_spellings
from edgeauth.schemes.base import Outgoing, not_valid_now
from edgeauth.schemes.options import Option, read_number, window
from edgeauth.schemes.sent import SentRequest
from edgeauth.verdict import BodyDigest, EdgeIdentity

# RFC 9110, 5.6.7: the form that is sent. The day of the week says nothing more.
_HTTP_DATE = re.compile(
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) "
    rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    rb"([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_ISO_DATE = re.compile(rb"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")

# Said of what is authentic.
NO_DATE = "the date that is signed is in no form that the scheme has"

MAX_SKEW = Option(
    "max_skew",
    read_number("seconds"),
    900,
    "seconds before and after the time of signing, inclusive",
    check=window,
)


class Listed(Signable, Protocol):
    """One that lists its fields as well."""

    def fields(self) -> Sequence[tuple[bytes, bytes]] | None: ...
    def fields_beginning(self, prefix: bytes) -> Sequence[tuple[bytes, bytes]]: ...


def demand_name(kind: str, options: Mapping[str, object], option: str, what: str) -> None:
    """Refuse *options* of the scheme *kind* that do not name the *what* that the edge signs for.

    Raises:
        ConfigurationError: *option* is None.
    """
    if options[option] is None:
        raise ConfigurationError(
            f"the scheme {kind} needs {option}: the name of the {what} that the edge signs for"
        )


def sent_with(request: Outgoing, more: Mapping[str, str]) -> SentRequest:
    """*request* as the origin will see it, with *more* in place of its fields of the same names."""
    names = {name.lower() for name in more}
    others = [(name, value) for name, value in request.fields if name.lower() not in names]
    return SentRequest(request._replace(fields=[*others, *more.items()]))


def signed_fields(
    request: Listed, names: frozenset[bytes], prefix: bytes
) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """The fields of *request* with one of *names*, and those that begin with *prefix*.

    Args:
        request: as received.
        names: in lower case.
        prefix: in lower case, such as ``x-ms-``.

    Returns:
        Two mappings of names in lower case to values without white space at their ends.

    Raises:
        MalformedHeader: one of them is there twice, or has a line break.
    """
    lines = request.fields()
    if lines is None:
        lines = [
            (name, value) for name in names for value in request.header(name.decode("latin-1"))
        ]
        lines += request.fields_beginning(prefix)
    begins = folded_spellings(prefix)
    found: dict[bytes, bytes] = {}
    if b"host" in names:
        # Of a request that a proxy asks about, the line of Host may be the proxy's own.
        host = request.host
        if not host or len(request.header("Host")) > 1:
            raise MalformedHeader("there must be one Host header: it is signed")
        found[b"host"] = host
        names = names - {b"host"}
    beginning: dict[bytes, bytes] = {}
    for name, value in lines:
        if name in names:
            into = found
        elif name.startswith(begins):
            into = beginning
        else:
            continue
        if name in into:
            raise MalformedHeader(
                "a signed field is there twice",
                hint=f"does something between edge and origin add a line of {_shown(name)}?",
            )
        if b"\n" in value:
            raise MalformedHeader("a signed field has a line break")
        into[name] = value.strip(b" \t")
    return found, beginning


def method_of(request: Signable) -> bytes:
    """The method as it is signed."""
    # ASGI does not tell the method of a handshake; in HTTP/1.1, which edges speak to origins, it is
    # this.
    name = request.method
    handshake = name == HANDSHAKE and request.handshake
    return b"GET" if handshake else name.encode("utf-8", "surrogatepass")


def split_target(request: Signable) -> tuple[bytes, bytes]:
    """Path and query of the target, as received.

    Raises:
        MalformedHeader: the server does not tell it, or it is no path.
    """
    target = request.target
    if target is None:
        raise MalformedHeader(
            "the server does not tell the target as received, and it is signed",
            hint="use a server that tells it: raw_path in ASGI, RAW_URI or REQUEST_URI in WSGI",
        )
    if not target.startswith(b"/") or b"#" in target or b"\n" in target:
        raise MalformedHeader("the target is no path with a query, and it is signed")
    path, _, query = target.partition(b"?")
    return path, query


# What is asked for here is authentic, so the few that are kept are of the present second.
@lru_cache(maxsize=16)
def http_date(text: bytes) -> int:
    """Unix seconds of a date as HTTP has it.

    Raises:
        MalformedHeader: it is none.
    """
    match = _HTTP_DATE.fullmatch(text)
    if match is None:
        raise _no_date()
    day, month, year, *clock = match.groups()
    return _seconds(year, b"%d" % (_MONTHS.index(month) + 1), day, *clock)


@lru_cache(maxsize=16)
def iso_date(text: bytes) -> int:
    """Unix seconds of a date such as ``20251009T085320Z``.

    Raises:
        MalformedHeader: it is none.
    """
    match = _ISO_DATE.fullmatch(text)
    if match is None:
        raise _no_date()
    return _seconds(*match.groups())


def http_date_text(moment: float) -> str:
    """*moment* (Unix seconds) as HTTP has it."""
    return formatdate(int(moment), usegmt=True)


def identity_in_time(
    kind: str,
    key: Key,
    signed_at: int,
    *,
    max_skew: float,
    now: float,
    covers: frozenset[str],
    body: BodyDigest | None = None,
) -> EdgeIdentity:
    """The identity that *key* signed, if it is valid at *now*, at most *max_skew* away.

    Args:
        kind: of the scheme.
        key: what made the signature.
        signed_at: when, in Unix seconds.
        max_skew: seconds, before and after, inclusive.
        now: Unix seconds.
        covers: what the signature vouches for.
        body: the digest of the body that is signed, or None.

    Raises:
        BadSignature: the key is not valid at *now*.
        Expired: signed longer ago than *max_skew*.
        NotYetValid: signed further ahead than *max_skew*.
    """
    identity = EdgeIdentity(signed_at, None, key.id, kind, covers, None, body)
    if not key.valid_at(now):
        raise not_valid_now(key)
    age = now - signed_at
    # A clock that is not a number is in no window either.
    if -max_skew <= age <= max_skew:
        return identity
    if age < -max_skew:
        raise NotYetValid(identity=identity, age=age, limit=max_skew, setting="max_skew")
    raise Expired(identity=identity, age=age, limit=max_skew, setting="max_skew")


def _seconds(*parts: bytes) -> int:
    try:
        return int(datetime(*map(int, parts), tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]
    except ValueError:
        raise _no_date() from None


def _no_date() -> MalformedHeader:
    return MalformedHeader(NO_DATE)


def _shown(name: bytes) -> str:
    # It may be any that begins as it must.
    return ascii(name.decode("latin-1"))[1:-1][:64]

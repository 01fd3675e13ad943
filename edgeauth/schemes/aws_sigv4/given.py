"""What of a request is signed, as it was received."""

from __future__ import annotations

import re
from collections.abc import Sequence  # noqa: TC003 - so that annotations can be read
from typing import Literal, NamedTuple, Protocol

from edgeauth.errors import MalformedHeader, MissingHeader
from edgeauth.request import HANDSHAKE
from edgeauth.schemes.aws_sigv4 import grammar
from edgeauth.schemes.aws_sigv4.canonical import (
    EMPTY,
    UNSIGNED,
    canonical_path,
    canonical_query,
    field_value,
    string_to_sign,
)
from edgeauth.schemes.aws_sigv4.grammar import AUTHORIZATION, CONTENT, DATE, Credential
from edgeauth.schemes.base import not_once

_CONTENT = CONTENT.lower().encode()
# As they are asked for before: a view may remember what it found by a name.
_ASKED = {name.lower().encode(): name for name in ("Host", DATE, CONTENT)}
_WORD = re.compile(rb"[!-~]{1,128}")


class Signable(Protocol):
    """What is needed of a request to verify a signature of it: see edgeauth.Request."""

    @property
    def method(self) -> str: ...
    @property
    def handshake(self) -> bool | None: ...
    @property
    def target(self) -> bytes | None: ...
    @property
    def host(self) -> bytes | None: ...
    def header(self, name: str) -> Sequence[bytes]: ...


class Form(NamedTuple):
    """What is signed: the names as they are written, and what they need.

    Attributes:
        names: all of them.
        fields: of each, what stands before its value, and the name to ask for.
        host: whether ``host`` is among them.
    """

    names: frozenset[bytes]
    fields: tuple[tuple[bytes, str], ...]
    host: bool


class Given(NamedTuple):
    """A request, as far as it is signed.

    Attributes:
        credential: what it says of its signature.
        path: as it is sent.
        query: canonical, without the signature.
        payload: what stands for the body.
        content: the lines of X-Amz-Content-SHA256, one at the most.
    """

    credential: Credential
    path: bytes
    query: bytes
    payload: bytes
    content: Sequence[bytes]


def form_of(text: bytes) -> Form:
    """What the names in SignedHeaders mean.

    Raises:
        MalformedHeader: they are not sorted, one is there twice, or there are too many.
    """
    names = grammar.names_of(text)
    fields = tuple((name + b":", _ASKED.get(name) or name.decode()) for name in names)
    return Form(frozenset(names), fields, b"host" in names)


def given_of(request: Signable, *, presigned: bool, path_mode: Literal["s3", "generic"]) -> Given:
    """What *request* says of its signature, and what of it is signed.

    Args:
        request: the view of it.
        presigned: whether a signature may be in the query.
        path_mode: ``s3`` or ``generic``.

    Raises:
        MissingHeader: there is no credential of this kind.
        MalformedHeader: it is not of the form, or in two places.
    """
    lines = request.header(AUTHORIZATION)
    if len(lines) > 1:
        raise not_once(lines, AUTHORIZATION)
    path, query = _target(request)
    pairs = canonical_query(query)
    query = b"&".join(pairs)
    in_query = bool(query) and grammar.is_presigned(query)
    content = request.header(CONTENT)
    if len(content) > 1:
        raise not_once(content, CONTENT)
    payload = content[0] if content else EMPTY
    if lines and grammar.is_ours(lines[0]):
        if in_query:
            raise MalformedHeader("there is a signature in Authorization and one in the query")
        dates = request.header(DATE)
        if len(dates) != 1:
            raise not_once(dates, DATE)
        found = grammar.of_header(lines[0], dates[0])
    elif not in_query:
        raise MissingHeader(f"no {AUTHORIZATION} header of AWS4-HMAC-SHA256")
    elif not presigned:
        raise MissingHeader(
            "the signature is in the query, as a presigned URL has it",
            hint="let the edge sign in Authorization, or set presigned here",
        )
    else:
        found, pairs = grammar.of_query(pairs)
        query = b"&".join(pairs)
        # A field that is not signed is anybody's, and says nothing of what was.
        if path_mode == "s3" and _CONTENT not in found.names.split(b";"):
            payload = UNSIGNED
    if not _WORD.fullmatch(payload):
        raise MalformedHeader(f"{CONTENT} is neither a hash nor a word")
    return Given(found, path, query, payload, content)


def message_of(
    request: Signable, given: Given, form: Form, path_mode: Literal["s3", "generic"]
) -> bytes:
    """The string to sign of *request*.

    Raises:
        MalformedHeader: what is signed is not there, or has what cannot be signed.
    """
    name, found = request.method, given.credential
    handshake = name == HANDSHAKE and request.handshake
    return string_to_sign(
        (
            b"GET" if handshake else name.encode("utf-8", "replace"),
            canonical_path(given.path, path_mode),
            given.query,
            *_fields(request, form),
            b"",
            found.names,
            given.payload,
        ),
        date=found.date,
        scope=found.scope,
    )


def _target(request: Signable) -> tuple[bytes, bytes]:
    target = request.target
    if target is None:
        raise MalformedHeader(
            "the server does not tell the target as received, and it is signed",
            hint="use a server that tells it: raw_path in ASGI, RAW_URI or REQUEST_URI in WSGI",
        )
    if target[:1] != b"/" or b"#" in target:
        raise MalformedHeader("the target is no path")
    path, _, query = target.partition(b"?")
    return path, query


def _fields(request: Signable, form: Form) -> list[bytes]:
    found = []
    for begin, name in form.fields:
        lines = request.header(name)
        if name == "Host":
            if len(lines) > 1 or not request.host:
                raise MalformedHeader("there must be one Host header: it is signed")
            lines = (request.host,)
        elif not lines:
            raise MalformedHeader(
                "a field that is signed is not there",
                hint="does something between edge and origin remove it? edgeauth verify names it",
            )
        found.append(begin + field_value(lines))
    return found

"""What of a request is signed, as it was received."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence  # noqa: TC003 - so that annotations can be read
from typing import Literal, NamedTuple

from edgeauth.errors import MalformedHeader, MissingHeader
from edgeauth.request import HANDSHAKE, Signable
from edgeauth.schemes.aws_sigv4 import grammar
from edgeauth.schemes.aws_sigv4.canonical import (
    EMPTY,
    UNSIGNED,
    canonical_path,
    canonical_query,
    field_value,
    string_to_sign,
)
from edgeauth.schemes.aws_sigv4.grammar import AUTHORIZATION, CONTENT, DATE, Credential, Form
from edgeauth.schemes.base import not_once

_CONTENT = CONTENT.lower().encode()
_WORD = re.compile(rb"[!-~]{1,128}")
_DIGITS = 64
# All that a value may have, but for spaces.
_NO_SPACE = bytes({*range(0x21, 0x100)} - {0x7F})
_NONE: Mapping[bytes, Credential] = {}

_new_tuple = tuple.__new__


class Given(NamedTuple):
    """A request, as far as it is signed.

    Attributes:
        credential: what it says of its signature.
        head: what is before the signature in Authorization; None for a presigned URL.
        signature: 64 digits, where the credential was read here.
        date: when it was signed, as it is written.
        path: as it is sent.
        query: canonical, without the signature.
        payload: what stands for the body.
        content: the lines of X-Amz-Content-SHA256, one at the most.
    """

    credential: Credential
    head: bytes | None
    signature: bytes
    date: bytes
    path: bytes
    query: bytes
    payload: bytes
    content: Sequence[bytes]


def given_of(
    request: Signable,
    *,
    presigned: bool,
    path_mode: Literal["s3", "generic"],
    known: Mapping[bytes, Credential] = _NONE,
) -> Given:
    """What *request* says of its signature, and what of it is signed.

    Args:
        request: the view of it.
        known: credentials by what is before the signature: the form of that is not looked at
            again, nor that of the signature, which must be compared as a whole.
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
    payload, head = content[0] if content else EMPTY, None
    if lines and grammar.is_ours(lines[0]):
        if in_query:
            raise MalformedHeader("there is a signature in Authorization and one in the query")
        found, head, signature, date = _of_header(request, lines[0], known)
    elif not in_query:
        raise MissingHeader(f"no {AUTHORIZATION} header of AWS4-HMAC-SHA256")
    elif not presigned:
        raise MissingHeader(
            "the signature is in the query, as a presigned URL has it",
            hint="let the edge sign in Authorization, or set presigned here",
        )
    else:
        found, signature, date, pairs = grammar.of_query(pairs)
        query = b"&".join(pairs)
        # A field that is not signed is anybody's, and says nothing of what was.
        if path_mode == "s3" and _CONTENT not in found.names.split(b";"):
            payload = UNSIGNED
    if payload != EMPTY and not _WORD.fullmatch(payload):
        raise MalformedHeader(f"{CONTENT} is neither a hash nor a word")
    return _new_tuple(Given, (found, head, signature, date, path, query, payload, content))


def _of_header(
    request: Signable, value: bytes, known: Mapping[bytes, Credential]
) -> tuple[Credential, bytes, bytes, bytes]:
    """The credential, what is before the signature, this and the date."""
    dates = request.header(DATE)
    if len(dates) != 1:
        raise not_once(dates, DATE)
    head, _, signature = value.rpartition(b"=")
    found = known.get(head)
    if found is None or len(signature) != _DIGITS:
        found, signature = grammar.of_header(value)
    return found, head, signature, dates[0]


def message_of(request: Signable, given: Given, path_mode: Literal["s3", "generic"]) -> bytes:
    """The string to sign of *request*.

    Raises:
        MalformedHeader: what is signed is not there, or has what cannot be signed.
    """
    name, found = request.method, given.credential
    handshake = name == HANDSHAKE and request.handshake
    return string_to_sign(
        (
            b"GET" if handshake else name.encode(errors="replace"),
            canonical_path(given.path, path_mode),
            given.query,
            *_fields(request, found.form),
            b"",
            found.names,
            given.payload,
        ),
        date=given.date,
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
            host = request.host
            if len(lines) > 1 or not host:
                raise MalformedHeader("there must be one Host header: it is signed")
            lines = (host,)
        if len(lines) == 1:
            found.append(begin + lines[0])
        elif lines:
            found.append(begin + field_value(lines))
        else:
            raise MalformedHeader(
                "a field that is signed is not there",
                hint="does something between edge and origin remove it? edgeauth verify names it",
            )
    # Of most requests there is nothing to trim or to refuse, and one look at all of it tells.
    if b"\n".join(found).translate(None, _NO_SPACE) == b"\n" * (len(found) - 1):
        return found
    return [
        begin + field_value([line[len(begin) :]])
        for (begin, _), line in zip(form.fields, found, strict=True)
    ]

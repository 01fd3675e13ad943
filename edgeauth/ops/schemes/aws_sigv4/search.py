"""Looks for what happened to a request, or for what the edge does otherwise, by trying it."""

from __future__ import annotations

import hmac
import re
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import quote_from_bytes

from edgeauth.errors import MalformedHeader, MissingHeader, VerificationError
from edgeauth.keys import Key
from edgeauth.ops.schemes.diagnosis import Finding
from edgeauth.ops.schemes.search import search as what_happened
from edgeauth.ops.schemes.secret_mistakes import secrets_of
from edgeauth.ops.text import escaped
from edgeauth.schemes.aws_sigv4.canonical import (
    ALGORITHM,
    EMPTY,
    TERMINATOR,
    UNSIGNED,
    canonical_path,
    day_secret,
)
from edgeauth.schemes.aws_sigv4.given import Given, given_of, message_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeauth.ops.schemes.request_lines import RequestLines
    from edgeauth.ops.schemes.seen import Seen
    from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme

# About half a second.
_MOST = 10_000
_RESERVED = re.compile(rb"[^A-Za-z0-9._~/%-]")


class _Read:
    """Lines of a request that are read once."""

    def __init__(self, lines: RequestLines) -> None:
        self.hints = lines.hints
        self.fields_beginning = lines.fields_beginning
        self.header = cache(lines.header)


class Tried(NamedTuple):
    """A string to sign, and what it means if that was signed."""

    message: bytes
    finding: Finding


def search(scheme: AwsSigV4Scheme, given: Given, seen: Seen) -> list[Finding] | None:
    """What explains the signature: a mistake at the edge, or one or two things on the way.

    Args:
        scheme: of the settings.
        given: what is signed of the request.
        seen: the request as it was received.

    Returns:
        None where nothing that is usual does.
    """
    found = given.credential
    # The lines are read anew for each name, and many requests are tried.
    seen = replace(seen, lines=_Read(seen.lines))  # type: ignore[arg-type]
    named = [key for key in scheme.keys if key.id.encode() == found.key]
    keys: Sequence[Key] = list(named or scheme.keys)  # type: ignore[arg-type]
    message = _message(scheme, given, seen)
    if message is None:
        return None
    mistake = _other_key(scheme, given, message) or _of_a_secret(keys, given, message)
    if mistake is not None:
        return [mistake]
    signings = [_signing(key.secret, given) for key in keys]

    def fits(tried: bytes) -> bool:
        return any(_is_of(signing, given, tried) for signing in signings)

    for tried in _otherwise(scheme, given, seen, message):
        if fits(tried.message):
            return [tried.finding]
    names = [name.decode() for name, _ in seen.lines.fields_beginning(b"x-amz-")]
    explained = what_happened(
        seen, partial(_of, scheme), fits, fields=dict.fromkeys(names), ports=True, most=_MOST
    )
    return None if explained is None else explained.findings


def _signing(secret: bytes, given: Given) -> Key:
    found = given.credential
    return Key("day", day_secret(secret, found.day, found.region, found.service))


def _is_of(signing: Key, given: Given, message: bytes) -> bool:
    made = signing.mac(message).hex().encode()
    return hmac.compare_digest(made, given.signature)


def _made(secret: bytes, given: Given, message: bytes) -> bool:
    return _is_of(_signing(secret, given), given, message)


def _message(scheme: AwsSigV4Scheme, given: Given, seen: Seen) -> bytes | None:
    try:
        return message_of(seen, given, scheme.path_mode)
    except VerificationError:
        return None


def _other_key(scheme: AwsSigV4Scheme, given: Given, message: bytes) -> Finding | None:
    said = given.credential.key
    for key in scheme.keys:
        if key.id.encode() != said and _made(key.material, given, message):
            return Finding(
                "other-key",
                f"Key {key.id} made this signature, and Credential says {escaped(said)}: write the "
                "access key id of that secret at the edge, or give it the other secret.",
            )
    return None


def _of_a_secret(keys: Sequence[Key], given: Given, message: bytes) -> Finding | None:
    for key in keys:
        for secret, finding in secrets_of(key):
            if finding is not None and _made(secret, given, message):
                return finding
        for code, signature, text in _derivations(key, given, message):
            if hmac.compare_digest(signature, given.signature):
                return Finding(code, text)
    return None


def _derivations(key: Key, given: Given, message: bytes) -> Iterator[tuple[str, bytes, str]]:
    found = given.credential
    made = key.secret
    for part in (found.day, found.region, found.service, TERMINATOR):
        made = hmac.digest(made, part, "sha256")
    yield (
        "no-aws4",
        hmac.digest(made, message, "sha256").hex().encode(),
        "The key of the day was made without AWS4 before the secret: key the first HMAC with both.",
    )
    yield (
        "no-derivation",
        hmac.digest(key.secret, message, "sha256").hex().encode(),
        "Signed with the secret itself: make the key of the day, the region and the service first.",
    )


def _otherwise(scheme: AwsSigV4Scheme, given: Given, seen: Seen, message: bytes) -> Iterator[Tried]:
    """What an edge may sign in another way than is verified here."""
    mode = scheme.path_mode
    path = _RESERVED.sub(lambda match: quote_from_bytes(match[0], "").encode(), given.path)
    yield Tried(
        message_of(seen, given._replace(path=path), mode),
        Finding(
            "path-reserved",
            f"The edge signed the path {escaped(canonical_path(path, mode))}, and sends "
            f"{escaped(given.path)}: let it send the path as it signs it, percent-encoded.",
        ),
    )
    other: Literal["s3", "generic"] = "generic" if mode == "s3" else "s3"
    way = "generic way, normalised and encoded once more" if mode == "s3" else "way of S3, as sent"
    text = f"The edge signs the path in the {way}: set path_mode = {other!r} here."
    yield Tried(message_of(seen, given, other), Finding("path-mode", text))
    for payload, what in ((EMPTY, "the hash of an empty body"), (UNSIGNED, "UNSIGNED-PAYLOAD")):
        yield Tried(
            message_of(seen, given._replace(payload=payload), mode),
            Finding(
                "payload",
                f"The edge signed {what}, and X-Amz-Content-SHA256 says another: the field must be "
                "what stands in the last line of what is signed. Does something on the way change "
                "it?",
            ),
        )
    target = seen.query.removeprefix(b"?")
    yield Tried(
        message_of(seen, given._replace(query=target), mode),
        Finding(
            "query-raw",
            "The edge signed the query as it is sent: it must be decoded, encoded again and "
            "sorted, with an equals sign behind each name.",
        ),
    )
    head, _, hashed = message.rpartition(b"\n")
    for code, changed, text in (
        ("crlf", message.replace(b"\n", b"\r\n"), "with CRLF: its lines end in LF alone"),
        ("newline", message + b"\n", "with a newline at its end: the last line has none"),
        ("upper-hash", head + b"\n" + hashed.upper(), "with the hash in capitals"),
        ("no-algorithm", message.removeprefix(ALGORITHM + b"\n"), "without its first line"),
    ):
        yield Tried(changed, Finding(code, f"The edge signed the string to sign {text}."))


def _of(scheme: AwsSigV4Scheme, seen: Seen) -> bytes:
    try:
        given = given_of(seen, presigned=scheme.presigned, path_mode=scheme.path_mode)
    except MissingHeader as error:
        raise MalformedHeader(error.message) from None
    return message_of(seen, given, scheme.path_mode)

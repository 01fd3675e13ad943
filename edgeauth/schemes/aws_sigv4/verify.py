"""Verifies AWS Signature Version 4 at an origin of one's own."""

from __future__ import annotations

import re
from binascii import a2b_hex
from collections.abc import Callable, Iterable, Mapping
from hmac import compare_digest
from typing import Any, ClassVar, Literal, Self

from edgeauth.errors import (
    BadSignature,
    ClaimRefused,
    Expired,
    NotCovered,
    NotYetValid,
    PastExpires,
    VerificationError,
)
from edgeauth.keys import Key, KeyRing, secrets_alone
from edgeauth.request import Request  # noqa: TC001 - so that annotations can be read
from edgeauth.schemes.aws_sigv4 import grammar
from edgeauth.schemes.aws_sigv4.arguments import (
    OPTIONS,
    WEEK,
    checked_max_expires,
    checked_path_mode,
    checked_scope,
)
from edgeauth.schemes.aws_sigv4.canonical import (
    EMPTY,
    UNSIGNED,
    day_secret,
    normalised,
)
from edgeauth.schemes.aws_sigv4.given import Given, given_of, message_of
from edgeauth.schemes.aws_sigv4.grammar import AUTHORIZATION, CONTENT, DATE, TOKEN, Credential
from edgeauth.schemes.aws_sigv4.sign import presigned_target, signed_fields
from edgeauth.schemes.base import Outgoing, needed_request, not_valid_now
from edgeauth.schemes.options import Option, window
from edgeauth.verdict import NO_CLAIMS, BodyDigest, EdgeIdentity, Once

_PREFIX = b"x-amz-"
_CONTENT = CONTENT.lower().encode()
_HASH = re.compile(rb"[0-9A-Fa-f]{64}")

_EMPTY: BodyDigest | None = BodyDigest("sha256", a2b_hex(EMPTY))

_Identity = Callable[[], EdgeIdentity]

_REQUEST = frozenset({"method", "path", "query", "host", "time"})
_PARTS = {
    (path, body): _REQUEST - ({"path"} if not path else set()) | ({"body"} if body else set())
    for path in (True, False)
    for body in (True, False)
}

# An edge has a key or two, and a day ends. Only what was accepted is kept, so without a key
# nobody can fill these.
_MOST = 64

_new_tuple = tuple.__new__


class AwsSigV4Scheme:
    """Verifies SigV4 over the request itself, as edges make it for S3-compatible stores.

    Args:
        keys: a :class:`KeyRing`, or an iterable of :class:`Key`: the id is the access key id, the
            secret the secret access key.
        region: what the edge signs for, such as ``us-east-1``. It is never taken from a request.
        service: the same; ``s3`` is what edges sign for a bucket.
        max_skew: how many seconds before and after ``X-Amz-Date`` a request is accepted,
            inclusive.
        presigned: True accepts a signature in the query as well. Whoever has such a URL can use
            it until it expires.
        max_expires: the longest life of a presigned URL, in seconds; at most a week.
        unsigned_payload: True accepts ``UNSIGNED-PAYLOAD``, with which nothing vouches for the
            body. A presigned URL of S3 always has it.
        path_mode: ``s3``: the path is signed as it is sent. ``generic``: normalised and encoded
            once more, as for services of AWS other than S3.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    kind: ClassVar[str] = "aws-sigv4"
    headers = (AUTHORIZATION, DATE, CONTENT, TOKEN)
    looks_at_beginning = ("x-amz-",)
    once = True
    OPTIONS: ClassVar[tuple[Option, ...]] = OPTIONS

    def __init__(
        self,
        keys: KeyRing | Iterable[Key | str | bytes],
        *,
        region: str,
        service: str = "s3",
        max_skew: float = 900,
        presigned: bool = False,
        max_expires: int = WEEK,
        unsigned_payload: bool = False,
        path_mode: Literal["s3", "generic"] = "s3",
    ) -> None:
        self.keys = secrets_alone(keys, self.kind)
        self._keys = {key.id.encode(): key for key in self.keys if isinstance(key, Key)}
        self.region = checked_scope("region", region)
        self.service = checked_scope("service", service)
        self._region, self._service = region.encode(), service.encode()
        self.max_skew = window("max_skew", max_skew)
        self.presigned = presigned
        self.max_expires = checked_max_expires(max_expires)
        self.unsigned_payload = unsigned_payload
        self.path_mode = checked_path_mode(path_mode)
        self._days: dict[tuple[bytes, bytes], Key] = {}
        self._credentials: dict[bytes, Credential] = {}

    @classmethod
    def from_options(cls, keys: KeyRing, options: Mapping[str, Any]) -> Self:
        """The scheme with these keys and these values of ``OPTIONS``.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        return cls(keys, **options)

    def credential(
        self,
        *,
        now: float,
        request: Outgoing | None = None,
        key: Key | None = None,
        **_how: object,
    ) -> Mapping[str, str]:
        """The fields of *request* that is sent at *now* (Unix seconds).

        Every ``x-amz-*`` field of it is signed, and the hash of its body.

        Args:
            now: Unix seconds.
            request: what is signed.
            key: what signs; None is the newest of the ring.

        Raises:
            ConfigurationError: there is no request, or no key is valid then.
            CannotSign: the body is not known, and must be signed.
        """
        request = needed_request(request, self.kind)
        return signed_fields(self, request, self._signing(key, now), now)

    def presign(
        self,
        *,
        now: float,
        request: Outgoing,
        expires: int,
        key: Key | None = None,
    ) -> str:
        """The target of *request* as a presigned URL has it, good for *expires* seconds.

        Raises:
            ConfigurationError: as :meth:`credential`; or *expires* is too long.
        """
        return presigned_target(self, request, self._signing(key, now), now, expires)

    def _signing(self, key: Key | None, now: float) -> Key:
        return self.keys.signing_key(now) if key is None else key

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """Verify the signature of *request* at *now* (Unix seconds).

        The checks come in the order of the errors, so that what is forged never learns more.

        Raises:
            MissingHeader: there is no credential of this kind.
            MalformedHeader: not of the form, or in two places.
            BadSignature: no key that is valid at *now* made it.
            ClaimRefused: for another region or service, or a presigned URL lives too long.
            NotCovered: host, date or an ``x-amz-*`` field is not signed; or the body is not.
            Expired: older than ``max_skew``, or past its own end.
            NotYetValid: from further ahead than ``max_skew``.

        Not checked: whether it was seen before (``once``), and whether the body has the digest
        that is signed (``body``).
        """
        known = self._credentials
        given = given_of(request, presigned=self.presigned, path_mode=self.path_mode, known=known)
        found = given.credential
        key = self._keys.get(found.key)
        if key is None:
            raise BadSignature(
                "the signature names an access key id that is not here",
                hint="is the id of the key here the access key id at the edge?",
            )
        signed_at = found.begins + grammar.second_of_day(given.date, found.day)
        ours = found.region == self._region and found.service == self._service
        signing = self._days.get((found.key, found.day)) if ours else None
        if signing is None:
            signing = _day_key(key, found)
        message = message_of(request, given, self.path_mode)
        if not compare_digest(signing.mac(message).hex().encode(), given.signature):
            raise BadSignature(
                f"key {key.id} did not make this signature of this request",
                hint="does something between edge and origin change the method, Host, path, query "
                "or a signed field? Is the secret at the edge the same?",
            )
        if key.dated and not key.valid_at(now):
            raise not_valid_now(key)

        def identity() -> EdgeIdentity:
            return EdgeIdentity(signed_at, None, key.id, self.kind)

        if not ours or found.expires is not None:
            self._demand_scope(found, identity, ours=ours)
        _demand_names(request, found, identity)
        opens = signed_at - self.max_skew
        closes = signed_at + (self.max_skew if found.expires is None else found.expires)
        # A clock that is not a number is in no window either.
        if not opens <= now <= closes:
            raise self._outside_window(found, identity(), now - signed_at)
        body, covered = _EMPTY, True
        if given.payload != EMPTY:
            body, covered = self._body(request, given, identity)
        if given.head is not None and given.head not in known:
            self._remember(given, signing)
        plain = self.path_mode == "s3" or given.path == normalised(given.path)
        # A third of the cost of calling the classes, on every request.
        once = _new_tuple(Once, (found.key + b":" + given.signature, closes, opens))
        covers = _PARTS[plain, covered]
        return _new_tuple(
            EdgeIdentity, (signed_at, None, key.id, self.kind, covers, once, body, NO_CLAIMS)
        )

    def _demand_scope(self, found: Credential, identity: _Identity, *, ours: bool) -> None:
        if not ours:
            raise ClaimRefused(
                "signed for another region or service than the settings name",
                hint="write the region and the service of the edge here, or the other way round",
                identity=identity(),
            )
        if found.expires is not None and found.expires > self.max_expires:
            raise ClaimRefused(
                f"the presigned URL is good for {found.expires} s, and max_expires is "
                f"{self.max_expires} s",
                hint="let what signs it give it a shorter life",
                identity=identity(),
            )

    def _outside_window(
        self, found: Credential, identity: EdgeIdentity, age: float
    ) -> VerificationError:
        if age < 0:
            return NotYetValid(identity=identity, age=age, limit=self.max_skew, setting="max_skew")
        if found.expires is not None:
            late = age - found.expires
            return PastExpires(identity=identity, late=late, setting=None)
        return Expired(identity=identity, age=age, limit=self.max_skew, setting="max_skew")

    def _body(
        self, request: Request, given: Given, identity: _Identity
    ) -> tuple[BodyDigest | None, bool]:
        """The digest that the body must have, and whether the signature covers it."""
        payload, content = given.payload, given.content
        covered = payload != UNSIGNED
        if not covered:
            if not self.unsigned_payload:
                raise NotCovered(
                    "the body is not signed: UNSIGNED-PAYLOAD",
                    hint="let the edge send the hash of the body, or set unsigned_payload here",
                    identity=identity(),
                )
            # Beside a presigned URL a client may say what its body is, and then it must be that.
            payload = content[0] if content else UNSIGNED
        if payload == UNSIGNED:
            return None, False
        if not _HASH.fullmatch(payload):
            raise NotCovered(
                f"{CONTENT} is of a body that is signed in pieces, or of no known form",
                hint="let the edge send the hash of the body, or UNSIGNED-PAYLOAD; what begins "
                "with STREAMING is not verified here",
                identity=identity(),
            )
        # Who never sees a body cannot compare one, and an empty one is nothing to act on.
        if payload.lower() != EMPTY and not getattr(request, "compares_body", False):
            raise NotCovered(
                "the hash of a body is signed, and nobody here sees the body",
                hint="let the application's own gate (ASGI, WSGI, Django) compare it, or sign "
                "UNSIGNED-PAYLOAD at the edge and set unsigned_payload",
                identity=identity(),
            )
        return BodyDigest("sha256", a2b_hex(payload)), covered

    def _remember(self, given: Given, signing: Key) -> None:
        found = given.credential
        for memory in (self._days, self._credentials):
            if len(memory) >= _MOST:
                memory.clear()
        self._days[found.key, found.day] = signing
        self._credentials[given.head or b""] = found


def _demand_names(request: Request, found: Credential, identity: _Identity) -> None:
    names = found.form.names
    if b"host" not in names or (found.expires is None and b"x-amz-date" not in names):
        raise NotCovered(
            "SignedHeaders leaves out host or x-amz-date",
            hint="let the edge sign both",
            identity=identity(),
        )
    for name, _ in request.fields_beginning(_PREFIX):
        # The hash is a line of its own, and not all signers list it.
        if name not in names and name != _CONTENT:
            raise NotCovered(
                "a field that begins with x-amz- is not signed",
                hint="let the edge sign it, or remove what clients send by that name",
                identity=identity(),
            )


def _day_key(key: Key, found: Credential) -> Key:
    secret = day_secret(key.secret, found.day, found.region, found.service)
    return Key("day", secret)

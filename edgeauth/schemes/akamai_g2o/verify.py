"""Verifies, and makes, the two fields of Akamai's Signature Header Authentication."""

from __future__ import annotations

import secrets as random
from binascii import b2a_base64
from collections.abc import (  # noqa: TC003 - so that annotations can be read
    Callable,
    Iterable,
    Mapping,
)
from hmac import compare_digest
from typing import Any, ClassVar, Self

from edgeauth.errors import (
    BadSignature,
    ClaimRefused,
    ConfigurationError,
    MalformedHeader,
    VerificationError,
)
from edgeauth.keys import Key, KeyRing, secrets_alone
from edgeauth.request import Request  # noqa: TC001 - so that annotations can be read
from edgeauth.schemes.akamai_g2o.arguments import (
    DATA,
    DATA_HEADER,
    OPTIONS,
    SIGN_HEADER,
    checked_versions,
)
from edgeauth.schemes.akamai_g2o.claims import Addresses
from edgeauth.schemes.akamai_g2o.digests import DIGESTS, refuse_absent
from edgeauth.schemes.akamai_g2o.sign_string import DEFAULT_COVERS, SignString, target
from edgeauth.schemes.base import (
    CannotSign,
    Outgoing,
    field_name,
    needed_request,
    not_once,
    outside_window,
)
from edgeauth.schemes.options import Option, window
from edgeauth.schemes.sent import SentRequest, with_empty_query
from edgeauth.verdict import EdgeIdentity, Once

# In sign strings of a callable nobody knows what is covered, unless it says so.
_ALWAYS_COVERED = frozenset({"time", "once"})
_LOOPBACK = "127.0.0.1"

_new_tuple = tuple.__new__


class AkamaiG2OScheme:
    """Verifies Akamai's Signature Header Authentication, G2O.

    Args:
        keys: a :class:`KeyRing`, or keys and secrets. The data header names its key by the id,
            which the property calls the nonce.
        versions: the ways to sign that are accepted. 5 is HMAC-SHA256, 4 HMAC-SHA1, 3 HMAC-MD5;
            1 and 2 are bare MD5, and whoever saw a request of version 1 can sign a longer target.
        max_age: how many seconds after signing a request is accepted, inclusive.
        max_future: how many seconds before, inclusive: the difference between the clocks.
        data_header, sign_header: the names of the fields.
        sign_string: what is signed behind the data header: None for the target as received; a
            list of the names that the property has, such as ``AK_METHOD`` and ``AK_URL``; or
            what makes bytes of a :class:`Request`. Such a callable may say in its attribute
            ``covers`` which parts of a request its bytes fix.

    Attributes:
        covers: what its identities cover.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    kind: ClassVar[str] = "akamai-g2o"
    once = True
    OPTIONS: ClassVar[tuple[Option, ...]] = OPTIONS

    def __init__(
        self,
        keys: KeyRing | Iterable[Key | str | bytes],
        *,
        versions: Iterable[int] = (5,),
        max_age: float = 30,
        max_future: float = 30,
        data_header: str = DATA_HEADER,
        sign_header: str = SIGN_HEADER,
        sign_string: Iterable[str] | Callable[[Request], bytes] | None = None,
    ) -> None:
        self.keys = secrets_alone(keys, self.kind)
        for place, key in enumerate(self.keys, 1):
            # Its id is not named: it is the secret.
            if key.id.encode() == key.material:
                raise ConfigurationError(
                    f"the secret of key {place} of {len(self.keys)} is its own id, which every "
                    "request shows: give it another (edgeauth keygen)"
                )
        self._keys = {key.id.encode(): key for key in self.keys.newest_first}
        self.versions = checked_versions(versions)
        for version in self.versions:
            refuse_absent(version, self.keys.newest_first[0])
        self._digests = {b"%d" % version: DIGESTS[version] for version in self.versions}
        self.max_age = window("max_age", max_age)
        self.max_future = window("max_future", max_future)
        self.data_header = field_name(data_header)
        self.sign_header = field_name(sign_header)
        if self.data_header.lower() == self.sign_header.lower():
            raise ConfigurationError("data_header and sign_header are one field: name two")
        self.headers = (self.data_header, self.sign_header)
        self.sign_string = sign_string
        self._string: Callable[[Request, bytes], bytes] | None = None
        covers = DEFAULT_COVERS
        if callable(sign_string):
            self._string = _called(sign_string)
            covers = frozenset(getattr(sign_string, "covers", ()))
        elif sign_string is not None:
            named = SignString(sign_string)
            self._string, covers = named.of, named.covers
        self.covers = _ALWAYS_COVERED | covers

    @classmethod
    def from_options(cls, keys: KeyRing, options: Mapping[str, Any]) -> Self:
        """The scheme with these keys and these values of ``OPTIONS``.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        return cls(keys, **options)

    def string_of(self, request: Request, client: bytes) -> bytes:
        """The sign string for *request*, which the edge sends for the address *client*.

        Raises:
            MalformedHeader: the request has not what is signed.
        """
        return target(request) if self._string is None else self._string(request, client)

    def credential(
        self,
        *,
        now: float,
        request: Outgoing | None = None,
        **_how: object,
    ) -> Mapping[str, str]:
        """The two fields of *request* that is sent at *now* (Unix seconds), with a new unique id.

        They are of the newest key that is valid then, and of the greatest of ``versions``. The
        client is that of *request*, or this machine.

        Raises:
            ConfigurationError: there is no request, or no key is valid at *now*.
            CannotSign: the request has not all that is signed.
        """
        request = needed_request(request, self.kind, "URL")
        key, version = self.keys.signing_key(now), max(self.versions)
        client = request.client or _LOOPBACK
        unique = f"{random.randbelow(10**9)}.{random.randbelow(10**9)}"
        data = f"{version}, {_LOOPBACK}, {client}, {int(now)}, {unique}, {key.id}"
        try:
            signed = self.string_of(SentRequest(request), client.encode())
        except MalformedHeader as error:
            raise CannotSign(f"the request cannot be signed: {error}") from None
        sign = b2a_base64(DIGESTS[version](key, data.encode() + signed), newline=False)
        return {self.data_header: data, self.sign_header: sign.decode()}

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """Verify the two fields of *request* at *now* (Unix seconds).

        The identity has the addresses of the edge and of its client among its claims, and says in
        ``once`` that the data header is good for one request. It covers the target, unless
        ``sign_string`` says otherwise: neither the method, nor the host, nor the body.

        The checks come in the order of the errors, so that what is forged never learns more.

        Raises:
            MissingHeader: one of the two fields is absent.
            MalformedHeader: one is there more than once, the data header is not of the form, or
                the request has not what is signed.
            BadSignature: no key that is valid at *now* made it.
            ClaimRefused: made by a key, in a version that is not one of ``versions``.
            Expired: older than ``max_age``.
            NotYetValid: from further ahead than ``max_future``.

        Not checked: whether the data header was seen before.
        """
        found, signs = request.header(self.data_header), request.header(self.sign_header)
        if len(found) != 1:
            raise not_once(found, self.data_header)
        if len(signs) != 1:
            raise not_once(signs, self.sign_header)
        data = found[0]
        match = DATA.fullmatch(data)
        if match is None:
            raise MalformedHeader(
                f"the value of {self.data_header} is not of the form <version>, <edge>, <client>, "
                "<unix time>, <unique id>, <key id>"
            )
        version, edge, client, time, key_id = match.groups()
        key = self._keys.get(key_id)
        if key is None:
            raise BadSignature(
                "the data header names a key that is not here",
                hint="is the nonce at the edge the id of a key here?",
            )
        message = data + (
            target(request) if self._string is None else self._string(request, client)
        )
        digest = self._digests.get(version)
        # Compared as received, whole, never decoded: no second spelling is accepted.
        if digest is None or not compare_digest(
            b2a_base64(digest(key, message), newline=False), signs[0]
        ):
            other = with_empty_query(request)
            if other is not None:
                return self.verify(other, now=now)
            raise self._refused(int(version), key, message, signs[0], int(time))
        signed_at = int(time)
        opens, closes = signed_at - self.max_future, signed_at + self.max_age
        if key.dated:
            opens, closes = max(opens, key.not_before), min(closes, key.not_after)
        # A clock that is not a number is in no window either.
        if not opens <= now <= closes:
            identity = EdgeIdentity(signed_at, None, key.id, self.kind)
            raise outside_window(
                key, identity, now, max_age=self.max_age, max_future=self.max_future
            )
        # A third of the cost of calling the classes, on every request.
        once = _new_tuple(Once, (data, closes, signed_at - self.max_future))
        claims = Addresses(edge, client)
        return _new_tuple(
            EdgeIdentity, (signed_at, None, key.id, self.kind, self.covers, once, None, claims)
        )

    def _refused(
        self, version: int, key: Key, message: bytes, sign: bytes, signed_at: int
    ) -> VerificationError:
        if version in self.versions:
            return _not_made_by(key)
        try:
            made = b2a_base64(DIGESTS[version](key, message), newline=False)
        except ValueError:
            return _not_made_by(key)  # this Python has not the hash for it
        if not compare_digest(made, sign):
            return _not_made_by(key)
        accepted = ", ".join(map(str, self.versions))
        return ClaimRefused(
            f"signed in version {version}, and versions has {accepted}",
            identity=EdgeIdentity(signed_at, None, key.id, self.kind),
            hint="let the property use the encoding version that is accepted here",
        )


def _not_made_by(key: Key) -> BadSignature:
    return BadSignature(
        f"key {key.id} did not make this signature of this request",
        hint="does something between edge and origin change the path or the query? Is the secret "
        "at the edge the same?",
    )


def _called(sign_string: Callable[[Request], bytes]) -> Callable[[Request, bytes], bytes]:
    """A callable of the user, as the parts of a property are called."""

    def of(request: Request, _client: bytes) -> bytes:
        signed = sign_string(request)
        if not isinstance(signed, bytes):
            raise TypeError(f"sign_string returned {type(signed).__name__}, and must return bytes")
        return signed

    return of

"""Verifies and makes OSS signatures of requests."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Mapping  # noqa: TC003 - so that annotations can be read
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import Any, ClassVar, Literal, Self

from edgeauth.errors import (
    BadSignature,
    ClaimRefused,
    ConfigurationError,
    MalformedHeader,
    MissingHeader,
    NotCovered,
)
from edgeauth.keys import Key, KeyRing, secrets_alone
from edgeauth.request import Request  # noqa: TC001 - so that annotations can be read
from edgeauth.schemes.alibaba_oss.strings import (
    DATE,
    FIELD,
    PAYLOAD,
    PREFIX,
    UNSIGNED,
    V1_CREDENTIAL,
    V1_LINES,
    V4,
    V4_CREDENTIAL,
    V4_LINES,
    v1_resource,
    v1_string,
    v4_key,
    v4_signature,
    v4_string,
)
from edgeauth.schemes.alibaba_oss.sub_resources import SUB_RESOURCES
from edgeauth.schemes.base import CannotSign, Outgoing, field_name, needed_request, not_once
from edgeauth.schemes.options import (
    Option,
    read_list,
    read_one_of,
    read_text,
    window,
)
from edgeauth.schemes.signed_parts import (
    MAX_SKEW,
    Listed,
    demand_name,
    http_date,
    http_date_text,
    identity_in_time,
    iso_date,
    sent_with,
    signed_fields,
)
from edgeauth.verdict import EdgeIdentity  # noqa: TC001 - so that annotations can be read

_NAME = re.compile(r"[a-z0-9-]{0,64}")
_COVERS = frozenset({"method", "path", "time"})
_V4_COVERS = _COVERS | {"query"}
_HOST_COVERS = _V4_COVERS | {"host"}
# Days of keys that are remembered; around midnight there are two, for each key.
_DAYS = 64


def _read_names_or_off(label: str, value: object) -> tuple[str, ...]:
    return () if value == "off" else read_list(label, value)


class AlibabaOssScheme:
    """Accepts a request that is signed for a bucket of Alibaba Cloud OSS.

    Args:
        keys: a :class:`KeyRing`, or an iterable of :class:`Key` and secrets, oldest to newest. The
            id of each is the access key id, by which a signature names it.
        bucket: the name of the bucket. An empty one is for published examples.
        version: ``v4``, or ``v1``, which leaves the host and most of the query unsigned. The
            other one is refused.
        region: that of the bucket, such as ``cn-hangzhou``; for ``v4``, which needs it.
        max_skew: how many seconds before and after the time of signing it is accepted, inclusive.
        sub_resources: for ``v1``, the names of the parameters that are signed; None are those of
            the service.
        resource_path: ``decoded``: the path is signed as the service reads it, so that each
            spelling of it has the same signature; ``raw``: as it is sent.
        require_additional: for ``v4``, the fields that must be among ``AdditionalHeaders``.

    Raises:
        ConfigurationError: an argument cannot be used, or has no meaning for the version.
    """

    kind: ClassVar[str] = "alibaba-oss"
    looks_at_beginning = (PREFIX.decode(),)
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("bucket", read_text, None, "the name of the bucket"),
        Option("version", read_one_of("v4", "v1"), "v4", "of the signature: `v4` or `v1`"),
        Option("region", read_text, None, "the region of the bucket, for `v4`"),
        MAX_SKEW,
        Option(
            "sub_resources", read_list, None, "list of the parameters that `v1` signs, if others"
        ),
        Option(
            "resource_path",
            read_one_of("decoded", "raw"),
            "decoded",
            "`decoded`: the path is signed as the service reads it; `raw`: as it is sent",
        ),
        Option(
            "require_additional",
            _read_names_or_off,
            ("host",),
            "list of fields that `v4` must sign as additional ones; `off` is none",
        ),
    )

    def __init__(
        self,
        keys: KeyRing | Iterable[Key | str | bytes],
        *,
        bucket: str,
        version: Literal["v4", "v1"] = "v4",
        region: str | None = None,
        max_skew: float = 900,
        sub_resources: Iterable[str] | None = None,
        resource_path: Literal["decoded", "raw"] = "decoded",
        require_additional: Iterable[str] = ("host",),
    ) -> None:
        self.keys = secrets_alone(keys, self.kind)
        self._keys: dict[bytes, Any] = {key.id.encode(): key for key in self.keys}
        self.bucket = _name("bucket", bucket)
        self._bucket = bucket.encode()
        if version not in ("v4", "v1"):
            raise ConfigurationError(f"version {version!r} must be 'v4' or 'v1'")
        if resource_path not in ("decoded", "raw"):
            raise ConfigurationError(f"resource_path {resource_path!r} must be 'decoded' or 'raw'")
        self.version = version
        self.resource_path = resource_path
        self._raw = resource_path == "raw"
        self.max_skew = window("max_skew", max_skew)
        if version == "v1":
            _refuse_meaningless("region", region, "v4")
            self.region = ""
            self.sub_resources = (
                SUB_RESOURCES
                if sub_resources is None
                else frozenset(_names("sub_resources", sub_resources))
            )
            self.require_additional: tuple[str, ...] = ()
            self.headers: tuple[str, ...] = (FIELD, DATE)
            self.looks_at: tuple[str, ...] = ("Date", "Content-MD5", "Content-Type")
        else:
            _refuse_meaningless("sub_resources", sub_resources, "v1")
            if not region:
                raise ConfigurationError(
                    "version v4 needs region: that of the bucket, such as 'cn-hangzhou'"
                )
            self.region = _name("region", region)
            self.sub_resources = frozenset()
            named = _names("require_additional", require_additional)
            self.require_additional = tuple(sorted({field_name(one).lower() for one in named}))
            self.headers = (FIELD, DATE, PAYLOAD)
            self.looks_at = ("Content-MD5", "Content-Type", *self.require_additional)
        self._required = frozenset(name.encode() for name in self.require_additional)
        self._scope_end = (self.region.encode(), b"oss")
        self._days: dict[tuple[bytes, bytes], bytes] = {}

    @classmethod
    def from_options(cls, keys: KeyRing, options: Mapping[str, Any]) -> Self:
        """The scheme with these keys and these values of ``OPTIONS``.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        demand_name(cls.kind, options, "bucket", "bucket")
        return cls(keys, **options)

    def credential(
        self, *, now: float, request: Outgoing | None = None, **_how: object
    ) -> Mapping[str, str]:
        """The fields of *request* that is sent at *now* (Unix seconds), of the newest key.

        Raises:
            ConfigurationError: there is no request, or no key is valid at *now*.
            CannotSign: what is signed is there twice, or not there, or cannot be sent.
        """
        request = needed_request(request, self.kind)
        key = self.keys.signing_key(now)
        date = http_date_text(now)
        try:
            if self.version == "v1":
                made = {DATE: date}
                signed = self.v1_signed(sent_with(request, made))[0]
                mac = _v1_mac(key, signed).decode()
                return {FIELD: f"OSS {key.id}:{mac}", **made}
            made = {DATE: _iso(now), PAYLOAD: UNSIGNED.decode()}
            return {FIELD: self._v4_field(key, sent_with(request, made), made[DATE]), **made}
        except MalformedHeader as error:
            raise CannotSign(f"the request cannot be signed: {error}") from None

    def _v4_field(self, key: Key, request: Listed, date: str) -> str:
        additional = ";".join(self.require_additional)
        canonical = self.v4_canonical(request, additional.encode())[0]
        region, product = self._scope_end
        scope = f"{date[:8]}/{self.region}/oss/aliyun_v4_request"
        day_key = v4_key(key.secret, date[:8].encode(), region, product)
        made = v4_signature(day_key, date.encode(), scope.encode(), canonical).decode()
        named = f",AdditionalHeaders={additional}" if additional else ""
        return f"{V4.decode()} Credential={key.id}/{scope}{named},Signature={made}"

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:
        """Verify the signature of *request* at *now* (Unix seconds).

        The checks come in the order of the errors, so that what is forged never learns more.

        Raises:
            MissingHeader: there is no Authorization, or one of another kind.
            MalformedHeader: not of the form, or what is signed is there twice.
            BadSignature: the key that it names is not here, or did not make it.
            ClaimRefused: it is for another region, or another day than that of its date.
            NotCovered: it has no date, or leaves out a field that must be signed.
            Expired, NotYetValid: signed longer ago, or further ahead, than ``max_skew``.

        Not checked: the body, which is never signed.
        """
        values = request.header(FIELD)
        if len(values) != 1:
            raise not_once(values, FIELD)
        return (self._verify_v1 if self.version == "v1" else self._verify_v4)(
            request, values[0], now
        )

    def v1_signed(self, request: Listed) -> tuple[bytes, bytes | None]:
        """What version 1 signs of *request*, and the date in it.

        Raises:
            MalformedHeader: what is signed is there twice, or cannot be signed.
        """
        found, own = signed_fields(request, V1_LINES, PREFIX)
        resource = v1_resource(request, self._bucket, self.sub_resources, raw=self._raw)
        date = own.get(b"x-oss-date", found.get(b"date"))
        return v1_string(request, found, own, resource), date

    def v4_canonical(
        self, request: Listed, additional: bytes
    ) -> tuple[bytes, Mapping[bytes, bytes]]:
        """What version 4 hashes of *request*, and the fields in it.

        Args:
            request: as received.
            additional: the names of the fields that are signed beside the usual ones.

        Raises:
            MalformedHeader: what is signed is there twice, or not there, or cannot be signed.
        """
        names = additional.split(b";") if additional else []
        if sorted(set(names)) != names:
            raise MalformedHeader("AdditionalHeaders is not sorted, or names a field twice")
        found, own = signed_fields(request, V4_LINES.union(names), PREFIX)
        lines = {**found, **own}
        if b"x-oss-date" not in lines or lines.get(b"x-oss-content-sha256") != UNSIGNED:
            raise MalformedHeader(
                "x-oss-date is missing, or x-oss-content-sha256 is not UNSIGNED-PAYLOAD",
                hint="the edge must send both",
            )
        if not lines.keys() >= set(names):
            raise MalformedHeader(
                "a field of AdditionalHeaders is not in the request",
                hint="does something between edge and origin remove or rename a field?",
            )
        return v4_string(request, lines, additional, self._bucket, raw=self._raw), lines

    def _verify_v1(self, request: Request, value: bytes, now: float) -> EdgeIdentity:
        match = V1_CREDENTIAL.fullmatch(value)
        if match is None:
            raise self._not_of_the_form(value)
        key_id, received = match.groups()
        signed, date = self.v1_signed(request)
        key = self._keys.get(key_id)
        if key is None:
            raise _unknown_key()
        # Compared as received, never decoded: a second spelling of it is not accepted.
        if not compare_digest(_v1_mac(key, signed), received):
            raise _not_made_by(key)
        if date is None:
            raise NotCovered(
                "no date is signed: it would be good for ever",
                hint="let the edge send x-oss-date or Date",
            )
        moment = http_date(date)
        return identity_in_time(
            self.kind, key, moment, max_skew=self.max_skew, now=now, covers=_COVERS
        )

    def _verify_v4(self, request: Request, value: bytes, now: float) -> EdgeIdentity:
        match = V4_CREDENTIAL.fullmatch(value)
        if match is None:
            raise self._not_of_the_form(value)
        key_id, scope, day, *end, additional, received = match.groups(b"")
        canonical, lines = self.v4_canonical(request, additional)
        date = lines[b"x-oss-date"]
        key = self._keys.get(key_id)
        if key is None:
            raise _unknown_key()
        ours = tuple(end) == self._scope_end
        day_key = self._days.get((key_id, day)) if ours else None
        known = day_key is not None
        if day_key is None:
            day_key = v4_key(key.secret, day, *end)
        if not compare_digest(v4_signature(day_key, date, scope, canonical), received):
            raise _not_made_by(key)
        if not ours:
            raise ClaimRefused(
                "the signature is good, and for another region or product",
                hint=f"the setting region is {self.region!r}, the product oss: write them at the "
                "edge",
            )
        if not known:
            # Only of what is authentic, so without a key nobody can fill it.
            if len(self._days) >= _DAYS:
                self._days.clear()
            self._days[key_id, day] = day_key
        if date[:8] != day:
            raise ClaimRefused("the signature is good, and its scope is of another day")
        names = additional.split(b";")
        if missing := self._required.difference(names):
            raise NotCovered(
                f"the signature leaves out {', '.join(sorted(map(bytes.decode, missing)))}",
                hint="let the edge name it in AdditionalHeaders, or require less here "
                "(require_additional)",
            )
        covers = _HOST_COVERS if b"host" in names else _V4_COVERS
        return identity_in_time(
            self.kind, key, iso_date(date), max_skew=self.max_skew, now=now, covers=covers
        )

    def _not_of_the_form(self, value: bytes) -> MissingHeader | MalformedHeader:
        if not value.startswith(b"OSS"):
            return MissingHeader(f"{FIELD} holds no signature of OSS")
        if (value.startswith(V4)) == (self.version == "v1"):
            return MalformedHeader(
                f"{FIELD} is signed in another version than {self.version}",
                hint=f"let the edge sign with {self.version}, or set version here",
            )
        return MalformedHeader(f"{FIELD} is not of the form of {self.version}")


def _v1_mac(key: Key, signed: bytes) -> bytes:
    return b2a_base64(hmac_digest(key.secret, signed, "sha1"), newline=False)


def _iso(now: float) -> str:
    # Here, since only who signs needs it.
    import time  # noqa: PLC0415

    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(int(now)))


def _name(label: str, value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ConfigurationError(f"{label} {value!r} must be small letters, digits and dashes")
    return value


def _names(label: str, names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, (str, bytes)):
        raise ConfigurationError(f"{label} must be a list, not {names!r}")
    return tuple(names)


def _refuse_meaningless(label: str, value: object, version: str) -> None:
    if value is not None:
        raise ConfigurationError(
            f"{label} has no meaning but for version {version}: leave {label} out"
        )


def _unknown_key() -> BadSignature:
    return BadSignature(
        "the signature names an access key id that is not here",
        hint="give the key the access key id as its id",
    )


def _not_made_by(key: Key) -> BadSignature:
    return BadSignature(
        f"key {key.id} did not make this signature of this request",
        hint="does something between edge and origin change the method, the path, the query or a "
        "signed field? Is the secret at the edge the same?",
    )

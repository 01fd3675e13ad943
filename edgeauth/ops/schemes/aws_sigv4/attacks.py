"""What a probe sends to a gate for AWS SigV4, with and without a key."""

from __future__ import annotations

import secrets as random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from edgeauth.keys import Key
from edgeauth.ops.schemes.probe_rows import BAD_REQUEST, Plan, Row, request
from edgeauth.ops.schemes.tries import BEYOND, LONG, Try, for_another_request, rows_of
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme
from edgeauth.schemes.aws_sigv4.grammar import AUTHORIZATION, CONTENT, DATE
from edgeauth.schemes.base import Outgoing

if TYPE_CHECKING:
    from edgeauth.ops.schemes.probe_rows import Fields

_BODY = b"edgeauth-probe"
_OTHER_BODY = b"edgeauth-prob3"
# What a page answers that takes no POST, whoever signed it.
_NO_POST: frozenset[int | str] = frozenset({404, 405})


@dataclass(frozen=True)
class Signed:
    """The fields of a request of the plan, unless parts of it are replaced.

    Attributes:
        scheme: what signs, with its settings.
        key: what signs; None is what the edge has.
        method, target, authority, body: what is signed.
        moved: seconds by which it is signed later than it is sent.
        altered: what is done to the value of Authorization.
    """

    scheme: AwsSigV4Scheme
    target: str
    authority: str
    method: str = "GET"
    body: bytes = b""
    key: Key | None = None
    moved: int = 0
    altered: dict[str, str] = field(default_factory=dict)

    def but(self, **changes: Any) -> Self:  # noqa: ANN401 - any of the fields
        """The same with other parts."""
        return replace(self, **changes)

    def made(self, now: int) -> dict[str, str]:
        """The fields by name."""
        outgoing = Outgoing(self.method, self.authority, self.target, (), self.body)
        made = dict(self.scheme.credential(now=now + self.moved, request=outgoing, key=self.key))
        for old, new in self.altered.items():
            made[AUTHORIZATION] = made[AUTHORIZATION].replace(old, new, 1)
        return made

    def __call__(self, now: int) -> list[tuple[str, bytes]]:
        return [(name, value.encode("latin-1")) for name, value in self.made(now).items()]


def attacks(scheme: AwsSigV4Scheme, plan: Plan) -> list[Row]:
    """Requests that a gate of these settings must refuse."""
    signed = Signed(scheme, plan.path, plan.authority)
    idle = plan.no_key
    found = [
        *rows_of(plan, _without_a_key(scheme, signed)),
        *rows_of(plan, _with_a_key(scheme, signed), idle),
    ]
    return [*found, _presigned(scheme, plan, idle), _other_body(scheme, plan, signed)]


def _without_a_key(scheme: AwsSigV4Scheme, signed: Signed) -> list[Try]:
    forged = "a signature that nobody made is accepted: it is not checked"
    cut = "a signature is compared only as far as it goes, so an empty one fits"
    known = "whoever guesses the secret can sign: put one of your own on both sides"
    odd = "bytes that are no signature get past the gate, or break it"
    [*_, newest] = scheme.keys
    guess = signed.but(key=Key(newest.id, random.token_hex()))

    def signature(value: str) -> Fields:
        def fields(now: int) -> list[tuple[str, bytes]]:
            made = guess.made(now)
            head, _, _ = made[AUTHORIZATION].rpartition("=")
            made[AUTHORIZATION] = f"{head}={value}"
            return [(name, text.encode()) for name, text in made.items()]

        return fields

    return [
        Try("forged", "a random signature", forged, guess),
        Try("unknown-key", "a key that is not there", forged, guess.but(key=_nobody())),
        Try("empty-signature", "an empty signature", cut, signature("")),
        Try("short-signature", "the first digit of one", cut, signature("0")),
        Try("long", "a signature of 4 kB", odd, signature("0" * LONG)),
        Try("authorization-alone", "Authorization alone", odd, _only(guess, AUTHORIZATION)),
        Try("date-alone", "X-Amz-Date alone", forged, _only(guess, DATE)),
        Try("null-secret", "signed with the secret (null)", known, _known(signed, newest.id)),
    ]


def _nobody() -> Key:
    return Key("nobody", random.token_hex())


def _known(signed: Signed, key_id: str) -> Signed:
    return signed.but(key=Key(key_id, "(null)", min_bytes=1))


def _only(signed: Signed, name: str) -> Fields:
    return lambda now: [pair for pair in signed(now) if pair[0] == name]


def _with_a_key(scheme: AwsSigV4Scheme, signed: Signed) -> list[Try]:
    window = "an old or early signature is accepted: look at max_skew and the clocks"
    scope = "the region or the service is taken from the request: it must be that of the settings"
    late = int(scheme.max_skew) + BEYOND

    def of(**how: str) -> AwsSigV4Scheme:
        given: dict[str, Any] = {"region": scheme.region, "service": scheme.service, **how}
        return AwsSigV4Scheme(scheme.keys, path_mode=scheme.path_mode, **given)

    def unsigned_field(now: int) -> list[tuple[str, bytes]]:
        return [*signed(now), ("X-Amz-Meta-Edgeauth-Probe", b"1")]

    def unsigned_payload(now: int) -> list[tuple[str, bytes]]:
        found = dict(signed(now))
        return [*{**found, CONTENT: b"UNSIGNED-PAYLOAD"}.items()]

    return [
        *for_another_request(signed, ("method", "path", "query", "host")),
        Try("stale", f"signed {late} s ago", window, signed.but(moved=-late)),
        Try("future", f"signed {late} s ahead", window, signed.but(moved=late)),
        Try(
            "other-region",
            "signed for another region",
            scope,
            signed.but(scheme=of(region=f"{scheme.region}-1"[-64:])),
        ),
        Try(
            "other-service",
            "signed for another service",
            scope,
            signed.but(scheme=of(service=f"{scheme.service}x"[-64:])),
        ),
        Try(
            "unsigned-field",
            "an x-amz- field that is not signed",
            "what a client adds in the name of the edge is taken for the edge's",
            unsigned_field,
        ),
        Try(
            "other-payload",
            "UNSIGNED-PAYLOAD after signing",
            "the hash of the body can be changed: the signature does not cover it",
            unsigned_payload,
        ),
        Try(
            "unsorted",
            "SignedHeaders in another order",
            "the form of the credential is not checked",
            signed.but(altered={"=host;x-amz-content-sha256": "=x-amz-content-sha256;host"}),
        ),
        Try(
            "good-twice",
            "all its fields twice",
            "one of two signatures counts, so a client may add its own beside the edge's",
            lambda now: signed(now) * 2,
        ),
    ]


def _presigned(scheme: AwsSigV4Scheme, plan: Plan, no_key: str | None) -> Row:
    id_, title = "presigned", "the signature in the query"
    if no_key is None and scheme.presigned:
        no_key = "presigned URLs are wanted: presigned is on"
    if no_key is not None:
        return Row(id_, title, "refused", None, no_key)
    means = "a presigned URL is accepted: whoever has it can use it until it expires"

    def sent(now: int) -> bytes:
        outgoing = Outgoing("GET", plan.authority, plan.path)
        target = scheme.presign(now=now, request=outgoing, expires=60)
        return request(plan, path=target)(now)

    return Row(id_, title, "refused", sent, means, BAD_REQUEST)


def _other_body(scheme: AwsSigV4Scheme, plan: Plan, signed: Signed) -> Row:
    id_, title = "other-body", "signed for another body"
    idle = plan.no_key
    if idle is None and scheme.unsigned_payload:
        idle = "the edge need not sign bodies: unsigned_payload is on"
    if idle is not None:
        return Row(id_, title, "refused", None, idle)
    means = (
        "the hash of a body is signed, and not compared with the body that comes; or the page "
        "answers a POST without reading it, which does no harm: probe a page that reads it"
    )
    fields = signed.but(method="POST", body=_BODY)
    sent = request(plan, fields, method="POST", body=_OTHER_BODY)
    return Row(id_, title, "refused", sent, means, BAD_REQUEST | _NO_POST)

"""What is fuzzed: a function a target, which raises when a promise is broken.

Each takes arbitrary bytes. The errors that a target may end in are part of the promise;
anything else is a finding.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import http_sf
import jwt
from support import cloud_key_apps, signed_requests, sigv4
from support.oracle import Rules, Secret, make_value, rule_value
from support.requests import PlainRequest
from support.rulings import ruling_of, scheme_of
from support.signature_peer import peer_accepts

import edgeauth
from edgeauth.forwarded import TrustedProxies
from edgeauth.ops.schemes.akamai_g2o.explain import explain as explain_g2o
from edgeauth.ops.schemes.request_lines import RequestLines
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme
from edgeauth.schemes.akamai_g2o.digests import DIGESTS
from edgeauth.schemes.akamai_g2o.sign_string import PARTS
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme
from edgeauth.schemes.aws_sigv4.canonical import day_secret
from edgeauth.schemes.aws_sigv4.given import given_of, message_of
from edgeauth.schemes.azure_front_door import FrontDoorScheme
from edgeauth.schemes.base import CannotSign, Outgoing
from edgeauth.schemes.client_certificate import ClientCertificateScheme
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.schemes.message_signatures.base import Base
from edgeauth.schemes.message_signatures.body import body_digest
from edgeauth.schemes.message_signatures.components import components
from edgeauth.schemes.message_signatures.form import selected
from edgeauth.schemes.signed_token import SignedTokenScheme
from edgeauth.schemes.signed_token.sign import part

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "an-example-secret-of-32-bytes-ok"
NOW = 1_700_000_000

_PROFILE, _PRINT = "0a1b2c3d-1111-4000-8000-0123456789ab", "ab" * 20
_NO_PORT = re.compile(rb":[0-9]{1,5}\Z")

_GUARD = edgeauth.Guard(
    edgeauth.EdgeAuthScheme([SECRET]),
    addresses=edgeauth.AddressList.fastly(),
    trusted_proxies=["10.0.0.0/8"],
)
_PROXIES = TrustedProxies(["10.0.0.0/8"])
# All senders' forms under each set of rules: windows, POPs, and two keys of which one is dated.
_KEYS = (
    Secret("older", b"the-older-of-two-secrets", NOW - 30, NOW + 30),
    Secret("newer", SECRET.encode()),
)
_JUDGES = [
    (rules, scheme_of(rules))
    for rules in (
        Rules(secrets=_KEYS, now=NOW, require_pop=False),
        Rules(secrets=_KEYS, now=NOW + 31, pops=("LHR", "XXX")),
        Rules(secrets=_KEYS, now=NOW, max_age=0, max_future=0),
        Rules(secrets=_KEYS, now=NOW, scheme="shared-secret"),
    )
]


def header(data: bytes) -> None:
    """The schemes decide as an oracle that shares no code with them (tests/support/oracle.py).

    A fuzzer finds no signatures, so a byte stands for the right one: 0x01 and 0x02 in hex and
    in base64, 0x03 and 0x04 the same of the older key.
    """
    signed = data.translate(None, b"\1\2\3\4").rpartition(b",")[0]
    value = data
    for byte, (key, encoding) in enumerate(product(reversed(_KEYS), ("hex", "base64")), 1):
        signature = make_value(key.value, signed, prefix=b"", encoding=encoding)
        value = value.replace(bytes([byte]), signature.removeprefix(signed + b","))
    for rules, scheme in _JUDGES:
        found, expected = ruling_of(scheme, value, rules.now), rule_value(value, rules)
        assert found == expected, (value, rules, found, expected)


def forwarded(data: bytes) -> None:
    """Any X-Forwarded-For gives an address or a refusal, and so does the guard."""
    request = _Request(data.split(b"\n"))
    with contextlib.suppress(edgeauth.AddressNotAllowed):
        address = _PROXIES.client_address(request)
        assert address.isprintable()
    assert _GUARD.check(request, now=NOW).reason in ("address", "missing")


@dataclass
class _Request:
    values: list[bytes]
    method: str = "GET"
    path: str = "/"
    target: bytes | None = None
    host: bytes | None = None
    peer: str | None = "10.0.0.1"
    unix: bool = False

    def header(self, name: str) -> list[bytes]:
        return self.values if name == "X-Forwarded-For" else []


def settings(data: bytes) -> None:
    """Any TOML file makes a guard or a ConfigurationError."""
    with contextlib.suppress(edgeauth.ConfigurationError), _file(data) as path:
        edgeauth.Guard.from_settings(edgeauth.Settings.from_toml(path))


def secrets(data: bytes) -> None:
    """Any secrets file makes a ring or a ConfigurationError that does not show a secret."""
    with _file(data) as path:
        try:
            shown = repr(edgeauth.KeyRing.from_file(path))
        except edgeauth.ConfigurationError as error:
            shown = str(error)
        assert SECRET not in shown


def addresses(data: bytes) -> None:
    """Any address list is one or a ConfigurationError, and never admits everybody."""
    with contextlib.suppress(edgeauth.ConfigurationError), _file(data) as path:
        found = edgeauth.AddressList.from_file(path)
        assert len(found) > 0
        assert not ("0.0.0.0" in found and "255.255.255.255" in found and len(found) == 1)  # noqa: S104


_FRONT_DOOR = edgeauth.Guard(
    FrontDoorScheme([_PROFILE]), addresses=edgeauth.AddressList(["10.0.0.0/8"])
)
_CERTIFICATE = edgeauth.Guard(
    ClientCertificateScheme(
        [_PRINT], header="X-Print", verified_header="X-Verified", hosts=["shop.example"]
    ),
    trusted_proxies=["10.0.0.0/8"],
)


def facts_of_the_edge(data: bytes) -> None:
    """A Front Door id is the right one or refused; so are the fields of a certificate.

    A line each: the id, the fingerprint, the word of the proxy, the host. The byte 0x01 stands
    for what is right.
    """
    lines = [*data.split(b"\n", 3), b"", b"", b""][:4]
    rights = (_PROFILE.encode(), _PRINT.encode(), b"SUCCESS", b"shop.example")
    given = [line.replace(b"\1", right) for line, right in zip(lines, rights, strict=True)]
    names = ("X-Azure-FDID", "X-Print", "X-Verified")
    request = PlainRequest(
        fields=list(zip(names, given, strict=False)), host=given[3], peer="10.0.0.1"
    )
    found = _FRONT_DOOR.check(request, now=NOW)
    assert found.reason != "error"
    assert found.allowed == (given[0].lower() == rights[0])
    found = _CERTIFICATE.check(request, now=NOW)
    assert found.reason != "error"
    right = given[1].lower() == rights[1] and given[2] == rights[2]
    assert found.allowed == (right and _NO_PORT.sub(b"", given[3].lower()) == rights[3])
    request.peer = "192.0.2.1"
    assert not _FRONT_DOOR.check(request, now=NOW).allowed
    assert not _CERTIFICATE.check(request, now=NOW).allowed


@contextlib.contextmanager
def _file(data: bytes):  # noqa: ANN202
    descriptor, path = tempfile.mkstemp()
    try:
        os.write(descriptor, data)
        os.close(descriptor)
        yield path
    finally:
        Path(path).unlink()


_SIGNED_FIELDS = [
    ("Host", b"Shop.example:443"),
    ("Priority", b"u=1 , i"),
    ("Content-Digest", b"sha-256=:" + b"A" * 43 + b"=:"),
]
_ANY_SIGNATURE = MessageSignatureScheme([signed_requests.KEY], components=(), require_nonce=False)


def message_signatures(data: bytes) -> None:
    """Two fields of a message signature, a line each, are decided as by a peer that reads all.

    Two peers differ in what they refuse; what is accepted here, the peer accepts, too. A fuzzer
    finds no signatures, so the byte 0x01 stands for the right one. What was seen before is
    decided as what was not.
    """
    line, _, signature = data.partition(b"\n")
    request = PlainRequest(
        target=b"/a%20b?q=1&r=a+b", host=b"Shop.example:443", fields=list(_SIGNED_FIELDS)
    )
    with contextlib.suppress(edgeauth.MalformedHeader):
        label, found, _ = selected([line], [signature.replace(b"\1", b"")], None)
        base = Base(components(found)).of(request, found.text(), "https")
        mac = base64.b64encode(signed_requests.KEY.mac(base))
        assert label in line
        signature = signature.replace(b"\1", mac)
    request.fields += [("Signature-Input", line), ("Signature", signature)]
    anew = MessageSignatureScheme([signed_requests.KEY], components=(), require_nonce=False)
    reasons = set()
    for scheme in (anew, _ANY_SIGNATURE, _ANY_SIGNATURE):
        try:
            scheme.verify(request, now=signed_requests.NOW)
        except edgeauth.VerificationError as error:
            reasons.add(error.reason)
        else:
            reasons.add("ok")
    assert len(reasons) == 1, (data, reasons)
    assert reasons != {"ok"} or peer_accepts(request), data


_BETTER_FIRST = {"sha-512": ("sha512", 64), "sha-256": ("sha256", 32)}


def content_digest(data: bytes) -> None:
    """A Content-Digest, a line each, has the digest that a peer reads in it, or is malformed."""
    lines = data.split(b"\n")
    request = PlainRequest(fields=[("Content-Digest", line) for line in lines])
    try:
        found = body_digest(request, [name.encode() for name in _BETTER_FIRST])
    except edgeauth.MalformedHeader:
        # What is narrower here than at the peer is that of tests/properties.
        return
    peer = http_sf.parse(b", ".join(line.strip(b" \t") for line in lines), tltype="dictionary")
    expected = None
    for name, (algorithm, length) in _BETTER_FIRST.items():
        value = peer[name][0] if name in peer else None
        if isinstance(value, bytes) and len(value) == length:
            expected = expected or (algorithm, value)
    assert found == expected, (data, found, expected)


_G2O = AkamaiG2OScheme([signed_requests.KEY], versions=[1, 2, 3, 4, 5])
_G2O_PARTS = AkamaiG2OScheme([signed_requests.KEY], sign_string=list(PARTS))


def akamai_g2o(data: bytes) -> None:
    """A data header, a signature and a target, a line each, are accepted if they are right.

    A fuzzer finds no signatures, so the byte 0x01 stands for the right one. Whatever is refused
    can be explained.
    """
    header, _, rest = data.partition(b"\n")
    signature, _, target = rest.partition(b"\n")
    version, signed = header[:1], header + b"/" + target
    made = b""
    if version in b"12345" and version:
        made = base64.b64encode(DIGESTS[int(version)](signed_requests.KEY, signed))
    signature = signature.replace(b"\1", made)
    fields = list(zip(_G2O.headers, (header, signature), strict=True))
    request = PlainRequest(target=b"/" + target, host=target, fields=fields)
    parts = header.split(b", ")
    for scheme in (_G2O, _G2O_PARTS):
        try:
            claims = scheme.verify(request, now=signed_requests.NOW).claims
        except edgeauth.VerificationError:
            raw = b"\n".join(name.encode() + b": " + value for name, value in fields)
            line = b"GET /" + target.replace(b"\n", b"") + b" HTTP/1.1\n"
            explain_g2o(scheme, RequestLines(line + raw, [scheme.headers]), signed_requests.NOW)
        else:
            assert scheme is _G2O, data
            assert signature == made, data
            assert len(parts) == 6, data  # noqa: PLR2004
            assert abs(int(parts[3]) - signed_requests.NOW) <= 30, data  # noqa: PLR2004
            assert all(isinstance(text, str) and len(text) <= 45 for text in claims.values())  # noqa: PLR2004


_TOKEN_KEY = edgeauth.Key("edge", SECRET)
_TOKENS = SignedTokenScheme(
    [_TOKEN_KEY],
    header="X-Token",
    algorithm="HS256",
    issuer="i",
    audience=["a", "b"],
    claims={"c": [1, "x", True]},
    max_lifetime=600,
    identity_claims=["sub", "c", "iat"],
)


def signed_token(data: bytes) -> None:
    """A token is decided as a peer that reads it and the rules of RFC 7519 say.

    A fuzzer finds no signatures, so where the first byte is 0x01 what follows, header and payload
    in JSON with a line end between, is signed. What is accepted, the peer accepts, too; and what
    was accepted once is accepted again.
    """
    value = data
    if data.startswith(b"\1"):
        header, _, payload = data[1:].partition(b"\n")
        signed = part(header) + b"." + part(payload)
        value = signed + b"." + part(_TOKEN_KEY.mac(signed))
    outcomes = []
    for _ in range(2):
        try:
            outcomes.append(_TOKENS.verify_value(value, now=NOW))
        except edgeauth.VerificationError as error:
            outcomes.append(error.reason)
    assert outcomes[0] == outcomes[1], data
    if isinstance(outcomes[0], str):
        return
    # Of times it has its own clock, and a subject that is a number it refuses, too.
    names = ("exp", "iat", "nbf", "sub", "jti")
    unchecked = {f"verify_{name}": False for name in names}
    said = jwt.decode(
        value, SECRET, algorithms=["HS256"], issuer="i", audience=["a", "b"], options=unchecked
    )
    assert [value.count(mark) for mark in (b".", b"=", b",")] == [2, 0, 0], data
    assert said["exp"] + 5 > NOW, data
    assert max(said.get("iat", 0), said.get("nbf", 0)) - 5 <= NOW, data
    assert said["c"] in (1, "x"), data
    assert all(isinstance(one, (str, int)) for one in outcomes[0].claims.values()), data


_CLOUD_KEYS = {name: cloud_key_apps.gate_scheme(name) for name in cloud_key_apps.GATES}


def cloud_keys(data: bytes) -> None:
    """A request of lines is refused by each scheme of a storage cloud, or its signer agrees.

    The first line is the target, the others are fields. A fuzzer finds no signatures, so what is
    signed of the same request is tried in place of each Authorization, too.
    """
    target, *lines = data.split(b"\n")
    pairs = [line.partition(b":")[::2] for line in lines]
    fields = [(name.decode("latin-1"), value.strip(b" \t")) for name, value in pairs if name]
    for name, scheme in _CLOUD_KEYS.items():
        request = PlainRequest(target=target, host=b"shop.example", fields=fields)
        with contextlib.suppress(edgeauth.VerificationError):
            scheme.verify(request, now=signed_requests.NOW)
            raise AssertionError((name, data))
        text = target.decode("latin-1")
        if not text.isascii():
            continue
        own = {field.lower() for field in scheme.headers} | {"host"}
        others = [(field, value) for field, value in fields if field.lower() not in own]
        outgoing = Outgoing("GET", "shop.example", text, others)
        with contextlib.suppress(CannotSign):
            made = scheme.credential(now=signed_requests.NOW, request=outgoing)
            signed = [*others, *((field, value.encode()) for field, value in made.items())]
            again = PlainRequest(target=target, host=b"shop.example", fields=signed)
            assert scheme.verify(again, now=signed_requests.NOW).scheme == scheme.kind


_SIGV4 = AwsSigV4Scheme(
    [sigv4.KEY], region=sigv4.REGION, presigned=True, unsigned_payload=True, max_skew=1e12
)
_SIGV4_GENERIC = AwsSigV4Scheme([sigv4.KEY], region=sigv4.REGION, path_mode="generic")


def aws_sigv4(data: bytes) -> None:
    """A request in lines is decided alike by a scheme that is new, and no byte raises.

    The lines are method, target, and the values of Authorization, X-Amz-Date,
    X-Amz-Content-SHA256, and one more field of Amazon's. A fuzzer finds no signatures, so the byte
    0x01 stands for the right one.
    """
    method, target, *values = (*data.split(b"\n", 5), *[b""] * 6)[:6]
    names = ("Authorization", "X-Amz-Date", "X-Amz-Content-SHA256", "X-Amz-Meta-A")
    fields = [("Host", b"shop.example")]
    fields += [(name, value) for name, value in zip(names, values, strict=True) if value]
    for scheme in (_SIGV4, _SIGV4_GENERIC):
        request = PlainRequest(
            method=method.decode("latin-1"),
            target=target,
            host=b"shop.example",
            fields=_with_signature(scheme, method, target, fields),
        )
        anew = AwsSigV4Scheme(
            [sigv4.KEY],
            region=sigv4.REGION,
            presigned=scheme.presigned,
            unsigned_payload=scheme.unsigned_payload,
            max_skew=scheme.max_skew,
            path_mode=scheme.path_mode,
        )
        reasons = set()
        for judge in (anew, scheme, scheme):
            try:
                identity = judge.verify(request, now=NOW)
            except edgeauth.VerificationError as error:
                reasons.add(error.reason)
            else:
                reasons.add("ok")
                assert identity.key_id == sigv4.KEY.id
        assert len(reasons) == 1, (data, reasons)


def _with_signature(
    scheme: AwsSigV4Scheme, method: bytes, target: bytes, fields: list[tuple[str, bytes]]
) -> list[tuple[str, bytes]]:
    """The fields with the right signature in the place of the byte 0x01."""
    stand_in = [(name, value.replace(b"\1", b"0" * 64)) for name, value in fields]
    request = PlainRequest(
        method=method.decode("latin-1"), target=target, host=b"shop.example", fields=stand_in
    )
    with contextlib.suppress(edgeauth.VerificationError):
        given = given_of(request, presigned=False, path_mode=scheme.path_mode)
        found = given.credential
        secret = day_secret(sigv4.KEY.secret, found.day, found.region, found.service)
        message = message_of(request, given, scheme.path_mode)
        right = edgeauth.Key("day", secret).mac(message).hex().encode()
        return [(name, value.replace(b"\1", right)) for name, value in fields]
    return stand_in


TARGETS: dict[str, Callable[[bytes], None]] = {
    function.__name__: function
    for function in (
        header,
        forwarded,
        settings,
        secrets,
        addresses,
        message_signatures,
        content_digest,
        akamai_g2o,
        signed_token,
        cloud_keys,
        aws_sigv4,
        facts_of_the_edge,
    )
}

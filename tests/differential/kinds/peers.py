"""Who else verifies what the gates admit: each says whether it accepts what a server handed over.

The signers of clouds sign again, and what they make is what must have come. What no library does
is a few lines here, from what the vendor writes down. None of them imports the package.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from hashlib import md5, sha256
from ipaddress import ip_address, ip_network
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import quote, unquote, urlsplit

import botocore.auth
import jwt
from alibabacloud_oss_v2.credentials import StaticCredentialsProvider
from alibabacloud_oss_v2.signer import SignerV1, SignerV4
from alibabacloud_oss_v2.types import HttpRequest, SigningContext
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from http_message_signatures import MappingKeyResolver
from http_message_signatures.algorithms import HMAC_SHA256
from support.oracle import parse_hop
from support.signature_peer import Lines, Peer

from differential.kinds.table import (
    AUDIENCE,
    AZURE_SECRET,
    FINGERPRINT,
    FRONT_DOOR,
    ISSUER,
    NOW,
    SECRET,
)

_KEY = "default"
_EDGES = ip_network("151.101.0.0/16")
_LOOPBACK = ip_network("127.0.0.0/8")
_SKEW = 900


@dataclass(frozen=True)
class Handed:
    """A request as a server handed it over; texts are latin-1.

    Attributes:
        method, target, peer: as the server told them.
        fields: names in lower case.
        body: what the application read of it; None if it could not, or nobody sees one.
    """

    method: str
    target: str | None
    peer: str | None
    fields: tuple[tuple[str, str], ...]
    body: str | None = None

    def values(self, name: str) -> list[str]:
        return [value.strip(" \t") for field, value in self.fields if field == name]

    def one(self, name: str) -> str:
        """The value of a field that must be there once; ValueError if it is not."""
        (value,) = self.values(name)
        return value

    @property
    def path(self) -> str:
        return (self.target or "").partition("?")[0]

    @property
    def query(self) -> str:
        return (self.target or "").partition("?")[2]

    def beginning(self, *prefixes: str) -> dict[str, str]:
        """The fields whose names begin so, those of one name joined."""
        names = dict.fromkeys(name for name, _ in self.fields if name.startswith(prefixes))
        return {name: ",".join(self.values(name)) for name in names}


def _verifies(handed: Handed, components: tuple[str, ...], body: bytes | None) -> bool:
    peer = Peer(
        signature_algorithm=HMAC_SHA256,
        key_resolver=MappingKeyResolver(public_keys={_KEY: SECRET.encode()}, private_keys={}),
    )
    message = SimpleNamespace(
        method=handed.method,
        url=f"https://{handed.one('host')}{handed.target}",
        headers=Lines(list(handed.fields)),
    )
    found = peer.verify(
        message, max_age=None, expect_tag="edge", require_components=components, body=body
    )
    return len(found) == 1 and bool(found[0].parameters.get("nonce"))


def message_signatures(handed: Handed) -> bool:
    return _verifies(handed, ("@method", "@authority", "@path", "@query"), None)


def message_with_body(handed: Handed) -> bool:
    if handed.body is None:
        return False
    body = handed.body.encode("latin-1")
    return _verifies(handed, ("@method", "@target-uri", "content-digest"), body)


def _signed_by_akamai(handed: Handed, string: str) -> bool:
    data, sign = handed.one("x-akamai-g2o-auth-data"), handed.one("x-akamai-g2o-auth-sign")
    version, _edge, _client, time, _unique, nonce = data.split(", ")
    right = b64encode(hmac.digest(SECRET.encode(), (data + string).encode("latin-1"), "sha256"))
    found = (version, nonce, sign) == ("5", _KEY, right.decode())
    return found and abs(NOW - int(time)) <= 30


def akamai_g2o(handed: Handed) -> bool:
    return _signed_by_akamai(handed, handed.target or "")


def akamai_g2o_string(handed: Handed) -> bool:
    return _signed_by_akamai(handed, f"{handed.method}{handed.one('host')}{handed.target}")


def aws_sigv4(handed: Handed) -> bool:
    return _signed_by_aws(handed, botocore.auth.S3SigV4Auth, "s3")


def aws_sigv4_generic(handed: Handed) -> bool:
    return _signed_by_aws(handed, botocore.auth.SigV4Auth, "execute-api")


def _signed_by_aws(handed: Handed, auth: Any, service: str) -> bool:
    came, date = handed.one("authorization"), handed.one("x-amz-date")
    moment = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    listed = came.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    must = {"host", "x-amz-date", *handed.beginning("x-amz-")} - {"x-amz-content-sha256"}
    body = (handed.body or "").encode("latin-1")
    # What is told of the body is signed as it is told.
    right = handed.one("x-amz-content-sha256").lower() == sha256(body).hexdigest()
    if not right or not must <= set(listed) or len(handed.values("host")) != 1:
        return False
    url = f"https://{handed.one('host')}{handed.path}?{_spelt(handed.query)}"
    request = AWSRequest(handed.method, url, data=body)
    for name, value in handed.fields:
        if name in listed:
            request.headers[name] = value
    request.context["payload_signing_enabled"] = True
    signer = auth(Credentials(_KEY, SECRET), service, "eu-central-1")
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        signer.add_auth(request)
    made = request.headers["Authorization"]
    return made == came and abs(NOW - moment.timestamp()) <= _SKEW


def _spelt(query: str) -> str:
    """The query in the spelling that is signed: decoded, and encoded again."""
    parts = (part.partition("=") for part in query.split("&"))
    return (
        "&".join(f"{_encoded(name)}={_encoded(value)}" for name, _, value in parts) if query else ""
    )


def _encoded(text: str) -> str:
    return quote(unquote(text, "latin-1"), safe="-_.~", encoding="latin-1")


def azure_shared_key(handed: Handed) -> bool:
    headers = handed.beginning("")
    date = handed.one("x-ms-date") if "x-ms-date" in headers else handed.one("date")
    came, digest = handed.one("authorization"), headers.get("content-md5")
    if digest is not None and handed.body is not None:
        body = handed.body.encode("latin-1")
        if digest != b64encode(md5(body, usedforsecurity=False).digest()).decode():
            return False
    query: dict[str, list[str]] = {}
    for part in handed.query.split("&"):
        name, _, value = part.partition("=")
        if part:
            query.setdefault(unquote(name).lower(), []).append(unquote(value))
    asked = SimpleNamespace(
        method=handed.method,
        url=f"https://shop.example{handed.path}",
        # It looks for Range under a name that no request has.
        headers={**headers, "byte_range": headers.get("range", "")},
        query={name: quote(",".join(sorted(values))) for name, values in query.items()},
    )
    policy = SharedKeyCredentialPolicy("edgeacct", AZURE_SECRET)
    context = SimpleNamespace(transport=None)
    # As urlparse reads it, what follows a semicolon is no part of the path.
    with mock.patch("azure.storage.blob._shared.authentication.urlparse", urlsplit):
        policy.on_request(SimpleNamespace(http_request=asked, context=context))
    return asked.headers["Authorization"] == came and _is_near(date)


def _is_near(date: str) -> bool:
    return abs(NOW - parsedate_to_datetime(date).timestamp()) <= _SKEW


def _signed_for_oss(handed: Handed, signer: Any, moment: datetime, more: set[str] | None) -> str:
    key = unquote(handed.path).removeprefix("/")
    asked = HttpRequest(
        handed.method,
        f"https://shop.example{handed.target}",
        headers=handed.beginning("x-oss-", "content-", "date", "host"),
    )
    context = SigningContext(
        product="oss",
        region="cn-hangzhou",
        bucket="shop",
        key=key,
        request=asked,
        credentials=StaticCredentialsProvider(_KEY, SECRET).get_credentials(),
        signing_time=moment,
        additional_headers=more,
    )
    # Its own list is an old one, and it takes more.
    context.sub_resource = ["comp", "x-oss-process"]
    signer.sign(context)
    return str(asked.headers["Authorization"])


def alibaba_oss_v4(handed: Handed) -> bool:
    date = handed.one("x-oss-date")
    moment = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return (
        handed.one("x-oss-content-sha256") == "UNSIGNED-PAYLOAD"
        and abs(NOW - moment.timestamp()) <= _SKEW
        and _signed_for_oss(handed, SignerV4(), moment, {"host"}) == handed.one("authorization")
    )


def alibaba_oss_v1(handed: Handed) -> bool:
    date = handed.one("x-oss-date" if handed.values("x-oss-date") else "date")
    moment = parsedate_to_datetime(date)
    made = _signed_for_oss(handed, SignerV1(), moment, None)
    return _is_near(date) and made == handed.one("authorization")


def signed_token(handed: Handed) -> bool:
    found = jwt.decode(
        handed.one("x-edge-token"),
        SECRET,
        algorithms=["HS256"],
        audience=AUDIENCE,
        issuer=ISSUER,
        # It reads the clock of the machine.
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
    )
    return found["iat"] - 60 <= NOW <= found["exp"] + 60


def azure_front_door(handed: Handed) -> bool:
    lines = ",".join([*handed.values("x-forwarded-for"), handed.peer or ""])
    # From the right: what stands before the first that is no proxy's is anybody's word.
    hops = (parse_hop(hop.encode("latin-1")) for hop in reversed(lines.split(",")))
    client = next(hop for hop in hops if hop not in _LOOPBACK)
    return client in _EDGES and handed.one("x-azure-fdid").lower() == FRONT_DOOR


def client_certificate(handed: Handed) -> bool:
    told = handed.one("x-ssl-client-fingerprint").replace(":", "").lower()
    by_proxy = ip_address(handed.peer or "") in _LOOPBACK
    return by_proxy and (handed.one("x-ssl-client-verify"), told) == ("SUCCESS", FINGERPRINT)


@lru_cache(maxsize=64)  # of one request, servers mostly hand over the same
def accepts(peer: str, handed: Handed) -> bool:
    """Whether *peer*, by its name here, accepts it. What it cannot read it does not accept."""
    try:
        return bool(globals()[peer](handed))
    except Exception:  # noqa: BLE001 - each has its own
        return False

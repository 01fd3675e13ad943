"""The rows of tests/vectors/sigv4-s3.json, their settings in our words, and the peer's signer."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from edgeauth import EdgeIdentity, Key, KeyRing, SchemeSettings, VerificationError
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme
from support.request_rows import RequestRow
from support.requests import PlainRequest

_FILE = Path(__file__).parents[1] / "vectors" / "sigv4-s3.json"

KEY = Key("EDGE2026EXAMPLE", "kV3x9Qw7ZtB2mN8rLp4sHd6yUc1aFg5eJx0WvTqo")
REGION = "eu-central-1"


@dataclass(frozen=True)
class Row(RequestRow):
    why: str

    @property
    def target(self) -> bytes:
        # The suite of AWS has targets that are no ASCII.
        return self.request["target"].encode()

    @property
    def can_be_sent(self) -> bool:
        """Whether HTTP/1.1 has such a request line at all."""
        return all(0x21 <= byte < 0x7F for byte in self.target)

    @property
    def body(self) -> bytes:
        return base64.b64decode(self.request.get("body_b64") or "")

    @property
    def body_hash(self) -> bytes:
        """That of the body, which some rows do not have themselves."""
        told = self.request.get("body_sha256")
        if told and not self.body:
            return bytes.fromhex(told)
        return hashlib.sha256(self.body).digest()

    def plain(self, **otherwise: Any) -> PlainRequest:
        return super().plain(query=self.target.partition(b"?")[2], **otherwise)

    def scheme(self) -> AwsSigV4Scheme:
        """The verifier that the row describes."""
        return scheme_of(self.settings)

    def identity(self) -> EdgeIdentity | None:
        """Who sent it, its body compared; None if it is refused."""
        try:
            identity = self.scheme().verify(self.plain(), now=self.now)
        except VerificationError:
            return None
        body = identity.body
        return identity if body is None or body.value == self.body_hash else None


def scheme_of(settings: dict[str, Any]) -> AwsSigV4Scheme:
    """A row's settings in ours, read as settings are, but for the keys, which are published."""
    keys = KeyRing([Key(name, secret) for name, secret in settings["keys"].items()])
    scheme = SchemeSettings(AwsSigV4Scheme.kind, given=options_of(settings)).build_scheme(keys)
    assert isinstance(scheme, AwsSigV4Scheme)
    return scheme


def options_of(settings: dict[str, Any]) -> dict[str, Any]:
    """A row's settings as options of the kind."""
    assert settings["require_signed"] == ["host"]
    assert settings["require_all_amz"]
    return {
        "region": settings["region"],
        "service": settings["service"],
        "max_skew": settings["skew"],
        "presigned": settings["presigned"],
        "max_expires": settings["max_expires"],
        "path_mode": settings["path_mode"],
        "unsigned_payload": "UNSIGNED-PAYLOAD" in settings["payload_allowed"],
    }


def rows() -> list[Row]:
    names = ("name", "request", "settings", "now", "accept", "why")
    document = json.loads(_FILE.read_text("utf-8"))
    return [Row(**{name: entry[name] for name in names}) for entry in document]


# --- the peer

_SIGNERS = {
    ("s3", False): botocore.auth.S3SigV4Auth,
    ("s3", True): botocore.auth.S3SigV4QueryAuth,
    ("generic", False): botocore.auth.SigV4Auth,
    ("generic", True): botocore.auth.SigV4QueryAuth,
}


def signed_by_botocore(
    method: str,
    url: str,
    *,
    now: float,
    key: Key = KEY,
    region: str = REGION,
    service: str = "s3",
    path_mode: str = "s3",
    fields: dict[str, str] | None = None,
    body: bytes = b"",
    expires: int | None = None,
    token: str | None = None,
    unsigned: bool = False,
) -> tuple[str, list[tuple[str, bytes]]]:
    """The target and the fields of a request that botocore signs at *now*."""
    request = AWSRequest(method=method, url=url, headers=fields or {}, data=body)
    request.context["payload_signing_enabled"] = not unsigned
    if unsigned:
        request.context["client_config"] = mock.Mock(s3={"payload_signing_enabled": False})
    credentials = Credentials(key.id, key.secret.decode(), token)
    more = {} if expires is None else {"expires": expires}
    signer = _SIGNERS[path_mode, expires is not None](credentials, service, region, **more)
    moment = dt.datetime.fromtimestamp(now, dt.UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        signer.add_auth(request)
    prepared = request.prepare()
    host, _, target = prepared.url.partition("://")[2].partition("/")
    found = [("Host", host.encode())]
    for name, value in prepared.headers.items():
        raw = value if isinstance(value, bytes) else str(value).encode()
        if name.lower() != "host":
            found.append((name, raw))
    return "/" + target, found


def plain(method: str, target: str, fields: list[tuple[str, bytes]], **facts: Any) -> PlainRequest:
    """Such a request as the core sees it."""
    path, _, query = target.partition("?")
    host = next((value for name, value in fields if name.lower() == "host"), None)
    return PlainRequest(
        method=method,
        path=path,
        target=target.encode(),
        query=query.encode(),
        host=host,
        fields=fields,
        **facts,
    )

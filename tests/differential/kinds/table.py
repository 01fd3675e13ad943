"""The kinds, an entry each, and how a request chooses one of them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import edgeauth.guard
import edgeauth.service.app

# The clock of the gates stands still: a run can be repeated, and a peer is told the same time.
NOW = 1_760_000_000

SECRET = "a-secret-of-the-matrix-of-the-kinds"
AZURE_SECRET = b64encode(bytes(range(7, 71))).decode()
FRONT_DOOR = "0a1b2c3d-1111-4000-8000-0123456789ab"
FINGERPRINT = "ab" * 32
ISSUER, AUDIENCE = "https://issuer.example", "origin.example"
# An address of the list below, and one that is in none.
EDGE, STRANGER = "151.101.0.9", "203.0.113.7"

# The field that names an adapter, by its place, and a kind; and the one that tells what came of it.
CHOICE, SAW = "Kind-Gate", "Kind-Saw"


@dataclass(frozen=True)
class Kind:
    """A kind, and who else verifies its credential.

    Attributes:
        settings: of the guard; our signer is made of them too.
        peer: the name in ``peers.py``.
        fields: those of the credential, which no application may see.
        of_a_request: whether the target is signed, so that the server must tell it as it was sent.
        with_it: fields that the proxy sends beside the credential.
        service: whether it can stand at the decision service with the settings of that alone.
    """

    settings: dict[str, Any]
    peer: str
    fields: tuple[str, ...]
    of_a_request: bool = True
    with_it: tuple[tuple[str, str], ...] = ()
    service: bool = True


_MESSAGES = {"scheme": "message-signatures", "secret": SECRET, "tag": "edge", "replay": "memory"}
_SIGNATURE = ("signature-input", "signature")
_G2O = {"scheme": "akamai-g2o", "secret": SECRET, "replay": "memory"}
_DATA = ("x-akamai-g2o-auth-data", "x-akamai-g2o-auth-sign")
_AWS = {"scheme": "aws-sigv4", "secret": SECRET, "region": "eu-central-1", "replay": "memory"}
_AMZ = ("authorization", "x-amz-date", "x-amz-content-sha256")
_OSS = {"scheme": "alibaba-oss", "secret": SECRET, "bucket": "shop"}

KINDS: dict[str, Kind] = {
    "message-signatures": Kind(_MESSAGES, "message_signatures", _SIGNATURE),
    "message-with-body": Kind(
        {**_MESSAGES, "components": ["@method", "@target-uri", "content-digest"]},
        "message_with_body",
        _SIGNATURE,
        service=False,
    ),
    "akamai-g2o": Kind(_G2O, "akamai_g2o", _DATA),
    "akamai-g2o-string": Kind(
        {**_G2O, "sign_string": ["AK_METHOD", "AK_HOSTHEADER", "AK_URL"]},
        "akamai_g2o_string",
        _DATA,
    ),
    "aws-sigv4": Kind(_AWS, "aws_sigv4", _AMZ),
    "aws-sigv4-generic": Kind(
        {**_AWS, "path_mode": "generic", "service": "execute-api"}, "aws_sigv4_generic", _AMZ
    ),
    "azure-shared-key": Kind(
        {"scheme": "azure-shared-key", "secret": AZURE_SECRET, "account": "edgeacct"},
        "azure_shared_key",
        ("authorization", "x-ms-date"),
    ),
    "alibaba-oss-v4": Kind(
        {**_OSS, "region": "cn-hangzhou"},
        "alibaba_oss_v4",
        ("authorization", "x-oss-date", "x-oss-content-sha256"),
    ),
    "alibaba-oss-v1": Kind(
        {**_OSS, "version": "v1"}, "alibaba_oss_v1", ("authorization", "x-oss-date")
    ),
    "signed-token": Kind(
        {
            "scheme": "signed-token",
            "secret": SECRET,
            "header": "X-Edge-Token",
            "algorithm": "HS256",
            "issuer": ISSUER,
            "audience": [AUDIENCE],
        },
        "signed_token",
        ("x-edge-token",),
        of_a_request=False,
    ),
    "azure-front-door": Kind(
        {
            "scheme": "azure-front-door",
            "front_door_ids": [FRONT_DOOR],
            "addresses": "fastly",
            "trusted_proxies": ["127.0.0.0/8"],
        },
        "azure_front_door",
        ("x-azure-fdid",),
        of_a_request=False,
        with_it=(("X-Forwarded-For", EDGE),),
        service=False,
    ),
    "client-certificate": Kind(
        {
            "scheme": "client-certificate",
            "fingerprints": [FINGERPRINT],
            "trusted_proxies": ["127.0.0.0/8"],
        },
        "client_certificate",
        ("x-ssl-client-fingerprint", "x-ssl-client-verify"),
        of_a_request=False,
        service=False,
    ),
}


class _Clock:
    """Stands where the module ``time`` does."""

    @staticmethod
    def time() -> float:
        return NOW


def stop_the_clock() -> None:
    """Let the gates of this process judge at ``NOW``."""
    edgeauth.guard.time = _Clock
    edgeauth.service.app.time = _Clock.time

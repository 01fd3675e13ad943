"""What the table of presets says of each CDN: its proofs, and what its servers write."""

from __future__ import annotations

import pytest

from edgeauth.schemes.registry import built_in_kinds
from edgeauth.settings.cdns import CDNS

PROGRAMS = {"edge-auth", "message-signatures", "aws-sigv4", "shared-secret"}
# The kind, the others that it can be made to send, the bundled list, the options.
ABLE = {
    "fastly": ("edge-auth", {"azure-shared-key", "alibaba-oss", "client-certificate"}),
    "cloudflare": ("message-signatures", {"client-certificate", "signed-token"}),
    "cloudfront": ("shared-secret", {"edge-auth", "message-signatures"}),
    "akamai": ("akamai-g2o", {"client-certificate"}),
    "azure-front-door": ("azure-front-door", {"shared-secret"}),
    "google": ("aws-sigv4", {"shared-secret", "signed-token"}),
    "netlify": ("signed-token", {"shared-secret"}),
    "bunny": ("shared-secret", set()),
}
RUNS_PROGRAMS = {"fastly", "cloudflare", "akamai", "bunny"}
# The fields as their servers write them.
MARKS = """
fastly
    Fastly-FF: x!LHR!cache-lhr1
    CDN-Loop: Fastly
    Via: 1.1 v
cloudflare
    CF-Ray: 8f0c2a1b3d4e5f60-LHR
    CF-Connecting-IP: 192.0.2.1
    CDN-Loop: cloudflare; loops=1
cloudfront
    X-Amz-Cf-Id: x0ybXhbuOA7oLCRGW2gRZsV4CHUgrvzzYvl7GyA8GYd6RIDcCqSxXQ==
    Via: 2.0 0a1b2c3d4e5f.cloudfront.net (CloudFront)
    User-Agent: Amazon CloudFront
akamai
    Akamai-Origin-Hop: 2
    True-Client-IP: 192.0.2.1
    Via: 1.1 v1-akamaitech.net(ghost) (AkamaiGHost)
azure-front-door
    X-Azure-Ref: 20261101T000000Z-r1cheapplestands
    X-Azure-SocketIP: 192.0.2.1
    Via: HTTP/2.0 Azure
google
    Via: 1.1 google
    X-Cloud-Trace-Context: 0123456789abcdef/1
netlify
    X-Nf-Request-Id: 01HZZZZZZZ
    X-Nf-Client-Connection-Ip: ::1
bunny
    CDN-ServerId: 1000
    CDN-RequestId: 0123456789abcdef
    Via: BunnyCDN
"""


@pytest.mark.parametrize("name", ABLE)
def test_each_names_the_proof_that_the_cdn_gives_and_others_that_it_can(name):
    kind, able = ABLE[name]
    cdn = CDNS[name]

    assert cdn.kind == kind
    assert {*cdn.able} == able | (PROGRAMS if name in RUNS_PROGRAMS else set())
    assert {kind, *able} <= {*built_in_kinds()}


def test_a_list_of_addresses_and_options_come_with_those_that_have_them():
    assert {name: cdn.addresses for name, cdn in CDNS.items() if cdn.addresses is not None} == {
        "fastly": "fastly"
    }
    assert {name: cdn.options for name, cdn in CDNS.items() if cdn.options} == {
        "netlify": {"preset": "netlify"}
    }


def test_the_marks_are_the_fields_that_servers_of_the_cdn_write():
    told = [
        line
        for name, cdn in CDNS.items()
        for line in (name, *(f"    {field}: {value}" for field, value in cdn.marks))
    ]

    assert told == MARKS.split("\n")[1:-1]


def test_nobody_changes_a_preset():
    for table in (CDNS, *(cdn.options for cdn in CDNS.values())):
        with pytest.raises(TypeError):
            table["fastly"] = None

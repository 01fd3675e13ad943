"""Of a Front Door id and of a certificate's fields one sentence names the field and the remedy."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from edgeauth.ops.cli import main

ID = "0a1b2c3d-1111-4000-8000-0123456789ab"
OTHER = "ffffffff-3333-4000-8000-0123456789ab"
PRINT = "ab" * 20
FRONT_DOOR = {"EDGEAUTH_SCHEME": "azure-front-door", "EDGEAUTH_FRONT_DOOR_IDS": ID}
CERTIFICATE = {"EDGEAUTH_SCHEME": "client-certificate", "EDGEAUTH_FINGERPRINTS": PRINT}
SHARED = {"EDGEAUTH_SCHEME": "client-certificate", "EDGEAUTH_HOSTS": "shop.example"}
FINGERPRINT, VERIFIED = "X-SSL-Client-Fingerprint", "X-SSL-Client-Verify"


def verify(env, lines):
    given = "\n".join(["GET / HTTP/1.1", "Host: shop.example", *lines, ""])
    done = CliRunner().invoke(main, ["verify", "--json"], input=given, env=env)
    assert done.exit_code in {0, 1}, done.output
    return json.loads(done.output)


@pytest.mark.parametrize(
    ("lines", "reason", "code", "said"),
    [
        (["X-Other: 1"], "malformed", "id-form", "36 characters"),
        ([f"X-Azure-FDID: {ID}"], "ok", "id-is-no-secret", "edgeauth addresses check"),
        ([f"X-Azure-FDID: {OTHER}"], "claims", "id-other", "compare front_door_ids"),
        ([f"X-Azure-FDID: {ID}, {ID}"], "malformed", "id-twice", "X-Azure-FDID is there twice"),
        ([f'X-Azure-FDID: "{ID}"'], "malformed", "id-form", "without quotes"),
        (["X-Azure-FDID: /subscriptions/x"], "malformed", "id-form", "not the resource's path"),
        (["X-Azure-FDID: shop"], "malformed", "id-form", "36 characters of hex"),
    ],
)
def test_a_front_door_id_is_explained(lines, reason, code, said):
    document = verify(FRONT_DOOR, lines)

    assert document["reason"] == reason
    [finding] = document["findings"]
    assert finding["code"] == code
    assert said.lower() in finding["text"].lower()


def test_a_missing_front_door_id_is_explained():
    env = {**FRONT_DOOR, "EDGEAUTH_SCHEME": "azure-front-door"}
    from edgeauth.ops.schemes.azure_front_door.explain import explain  # noqa: PLC0415
    from edgeauth.ops.schemes.request_lines import RequestLines  # noqa: PLC0415
    from edgeauth.schemes.azure_front_door import FrontDoorScheme  # noqa: PLC0415

    scheme = FrontDoorScheme([env["EDGEAUTH_FRONT_DOOR_IDS"]])
    lines = RequestLines(b"X-Key: 1", [scheme.headers, ("X-Key",)])

    [finding] = explain(scheme, lines, 0).findings
    assert finding.code == "id-missing"
    assert "X-Azure-FDID" in finding.text


@pytest.mark.parametrize(
    ("verified", "fingerprint", "reason", "code", "said"),
    [
        ("SUCCESS", PRINT, "ok", "from-a-proxy-alone", "trusted_proxies"),
        ("SUCCESS", PRINT.upper(), "ok", "from-a-proxy-alone", "trusted_proxies"),
        (None, PRINT, "missing", "verified-missing", f"proxy_set_header {VERIFIED}"),
        ("NONE", None, "missing", "no-certificate", "sent no certificate"),
        ("FAILED:expired", PRINT, "bad-signature", "not-verified", "ssl_client_certificate"),
        ("0", PRINT, "bad-signature", "not-verified", "ssl_c_used"),
        ("SUCCESS, SUCCESS", PRINT, "bad-signature", "not-verified", "is there twice"),
        ("SUCCESS", None, "missing", "fingerprint-missing", f"proxy_set_header {FINGERPRINT}"),
        ("SUCCESS", "CN=edge", "malformed", "fingerprint-form", "the name in the certificate"),
        ("SUCCESS", "ab:" * 19 + "ab", "malformed", "fingerprint-form", "has colons"),
        ("SUCCESS", "abc", "malformed", "fingerprint-form", "40 (SHA-1) or 64"),
        ("SUCCESS", "cd" * 20, "claims", "claims", "with the setting fingerprints"),
        ("SUCCESS", "cd" * 32, "claims", "claims", "of another length"),
    ],
)
def test_what_a_proxy_says_of_a_certificate_is_explained(verified, fingerprint, reason, code, said):
    pairs = ((VERIFIED, verified), (FINGERPRINT, fingerprint))
    lines = [f"{name}: {value}" for name, value in pairs if value is not None]

    document = verify(CERTIFICATE, lines)

    assert document["reason"] == reason
    [finding] = document["findings"]
    assert finding["code"] == code
    assert said in finding["text"]


@pytest.mark.parametrize(
    ("host", "reason", "said"),
    [("shop.example", "ok", "trusted_proxies"), ("other.example", "claims", "Hosts must name")],
)
def test_the_host_is_explained_where_it_counts(host, reason, said):
    given = f"GET / HTTP/1.1\nHost: {host}\n{VERIFIED}: SUCCESS\n{FINGERPRINT}: {PRINT}\n"
    done = CliRunner().invoke(main, ["verify", "--json"], input=given, env=SHARED)
    document = json.loads(done.output)

    assert document["reason"] == reason
    assert said in document["findings"][0]["text"]
    assert [field["ok"] for field in document["fields"]] == [True, True, reason == "ok"]

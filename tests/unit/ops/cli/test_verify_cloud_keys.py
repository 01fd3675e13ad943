"""``edgeauth sign`` and ``verify`` of requests that are signed with the keys of storage clouds."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode

import pytest
from support.cloud_key_apps import GATES

AT = ("--at", "1760000000")
URL = "https://shop.example/a%20b/c?q=1&r"
START = "GET /a%20b/c?q=1&r HTTP/1.1"
NAMES = tuple(GATES)


@pytest.fixture
def env(tmp_path):
    """Settings of a gate, in variables."""

    def of(name, **more):
        kind, given, key = GATES[name]
        keys = tmp_path / "keys"
        keys.write_text(f"{key.id}:{key.secret.decode()}\n")
        settings = {"scheme": kind, **given, "secrets_file": keys, **more}
        return {f"EDGEAUTH_{part.upper()}": str(value) for part, value in settings.items()}

    return of


def came(signed, *more, start=START, host="shop.example"):
    return "\r\n".join([start, f"Host: {host}", *more, signed])


def codes(result):
    return [finding["code"] for finding in json.loads(result.stdout)["findings"]]


@pytest.mark.parametrize("name", NAMES)
def test_what_sign_prints_is_accepted_and_shows_no_secret(edgeauth, env, name):
    signed = edgeauth("sign", *AT, "--url", URL, env=env(name)).stdout
    result = edgeauth("verify", *AT, env=env(name), input=came(signed))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"ACCEPTED  signed with key {GATES[name][2].id}\n")
    assert GATES[name][2].secret.decode() not in result.stdout
    assert "FAIL" not in result.stdout


@pytest.mark.parametrize("name", NAMES)
def test_check_config_knows_the_kind(edgeauth, env, name):
    result = edgeauth("check-config", env=env(name))
    assert result.exit_code == 0, result.output
    assert GATES[name][0] in result.stdout
    assert GATES[name][2].secret.decode() not in result.stdout


def replaced(old, new):
    return lambda signed: signed.replace(old, new)


def same(signed):
    return signed


# Name of the gate, how the fields are altered, what else came, options, and what is found.
WRONG = {
    "method": ("azure", same, {"start": START.replace("GET", "HEAD")}, (), "method"),
    "query lost": ("azure", same, {"start": "GET /a%20b/c HTTP/1.1"}, ("--expect-url", URL), "url"),
    "query unsigned": ("azure-lite", same, {"start": "PUT /a%20b/c?q=1&r HTTP/1.1"}, (), "method"),
    "decoded": ("azure", same, {"start": "GET /a b/c?q=1&r HTTP/1.1"}, (), "path-encoded"),
    "prefix": (
        "azure",
        same,
        {"start": "GET /c?q=1&r HTTP/1.1"},
        ("--expect-prefix", "/a%20b"),
        "prefix-stripped",
    ),
    "no target": ("azure", same, {"start": ""}, (), "no-target"),
    "field added": ("azure", same, {"more": ("If-Match: a",)}, (), "field-added"),
    "own field added": ("azure", same, {"more": ("x-ms-note: a",)}, (), "field-added"),
    "account": ("azure", replaced("edgeacct", "another"), {}, (), "account"),
    "word": ("azure", replaced("SharedKey ", "SharedKeyLite "), {}, (), "other-word"),
    "lite word": ("azure-lite", replaced("SharedKeyLite ", "SharedKey "), {}, (), "other-word"),
    "padding": ("azure", replaced("=\n", "\n"), {}, (), "signature-form"),
    "bearer": ("azure", lambda _: "Authorization: Bearer x", {}, (), "other-credential"),
    "nothing": ("azure", lambda _: "Accept: */*", {}, (), "missing"),
    "no date": ("azure", lambda signed: signed.splitlines()[0], {}, (), "no-date"),
    "date form": ("azure", replaced("Thu, 09 Oct 2025", "2025-10-09"), {}, (), "date-form"),
    "old": ("azure", same, {}, ("--at", "1760001000"), "too-old"),
    "early": ("azure", same, {}, ("--at", "1759999000"), "future"),
    "twice": ("azure", same, {"more": ("x-ms-date: a",)}, (), "date-form"),
    "oss method": ("oss-v4", same, {"start": START.replace("GET", "PUT")}, (), "method"),
    "oss host": (
        "oss-v4",
        same,
        {"host": "10.0.0.1"},
        ("--expect-host", "shop.example"),
        "host-rewritten",
    ),
    "oss no host": ("oss-v4", same, {"host": ""}, (), "malformed"),
    "oss no target": ("oss-v1", same, {"start": ""}, (), "no-target"),
    "oss field added": ("oss-v4", same, {"more": ("x-oss-meta-a: 1",)}, (), "field-added"),
    "oss type added": ("oss-v1", same, {"more": ("Content-Type: a/b",)}, (), "field-added"),
    "oss key": ("oss-v4", replaced("LTAI5t", "LTAI5u"), {}, (), "unknown-key"),
    "oss v1 key": ("oss-v1", replaced("LTAI5t", "LTAI5u"), {}, (), "unknown-key"),
    "oss region": ("oss-v4", replaced("cn-hangzhou", "cn-beijing"), {}, (), "region"),
    "oss form": ("oss-v4", replaced("Signature=", "Signature=A"), {}, (), "signature-form"),
    "oss v1 form": ("oss-v1", replaced("=\n", "\n"), {}, (), "signature-form"),
    "oss bearer": ("oss-v4", lambda _: "Authorization: Bearer x", {}, (), "other-credential"),
    "oss nothing": ("oss-v1", lambda _: "Accept: */*", {}, (), "missing"),
    "oss old": ("oss-v4", same, {}, ("--at", "1760001000"), "too-old"),
    "oss v1 early": ("oss-v1", same, {}, ("--at", "1759999000"), "future"),
    "oss no date": ("oss-v1", lambda signed: signed.splitlines()[0], {}, (), "no-date"),
    "oss date form": ("oss-v1", replaced("Thu, 09 Oct 2025", "2025-10-09"), {}, (), "date-form"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_one_wrong_thing_is_named_in_a_sentence(edgeauth, env, wrong):
    name, alter, otherwise, options, code = wrong
    made = edgeauth("sign", *AT, "--url", URL, env=env(name)).stdout
    how = {"more": (), **otherwise}
    given = came(alter(made), *how.pop("more"), **how)
    at = () if "--at" in options else AT
    result = edgeauth("verify", *at, "--json", *options, env=env(name), input=given)
    assert result.exit_code == 1
    assert code in codes(result), result.stdout
    plain = edgeauth("verify", *at, *options, env=env(name), input=given)
    assert plain.stdout.startswith("REFUSED")
    assert GATES[name][2].secret.decode() not in plain.stdout


def test_a_key_that_was_sent_is_told(edgeauth, env):
    for name in ("azure", "oss-v1"):
        secret = GATES[name][2].secret.decode()
        result = edgeauth("verify", "--json", env=env(name), input=f"Authorization: {secret}")
        assert codes(result) == ["secret-sent"]


@pytest.mark.parametrize(
    ("here", "there", "code"),
    [
        ({}, {"require_additional": "off"}, "not-covered"),
        ({"resource_path": "raw"}, {}, "resource-path"),
        ({"version": "v1"}, {}, "other-version"),
        ({}, {"version": "v1"}, "other-version"),
    ],
)
def test_settings_of_oss_that_differ_from_the_edge_are_named(edgeauth, env, here, there, code):
    def settings(changed):
        found = env("oss-v4", **changed)
        if changed.get("version") == "v1":
            del found["EDGEAUTH_REGION"]
        return found

    url = "https://shop.example/a(b"
    made = edgeauth("sign", *AT, "--url", url, env=settings(there)).stdout
    given = came(made, start="GET /a(b HTTP/1.1")
    result = edgeauth("verify", *AT, "--json", env=settings(here), input=given)
    assert result.exit_code == 1
    assert code in codes(result), result.stdout


def authorization(lines, secret):
    """What is signed over *lines* with the secret, as a careless signer does."""
    key = GATES["oss-v1"][2].secret if secret is None else secret
    mac = b64encode(hmac.digest(key, "\n".join(lines).encode(), "sha1")).decode()
    return f"Authorization: OSS LTAI5t:{mac}"


@pytest.mark.parametrize(
    ("resource", "secret", "code"),
    [
        ("/a/b?acl&q=1", None, "bucket"),
        ("/shop/a/b?acl&q=1", None, "sub-resources"),
        ("/shop/a/b", None, "sub-resources"),
        ("/shop/a/b?acl", GATES["oss-v1"][2].secret + b"\n", "secret-newline"),
        ("/shop/a/b?acl", b"another", "wrong-signature"),
    ],
)
def test_mistakes_of_signers_of_oss_are_found(edgeauth, env, resource, secret, code):
    date = "Thu, 09 Oct 2025 08:53:20 GMT"
    if code == "bucket":
        resource = "/a/b?acl"
    lines = ["GET", "", "", date, resource]
    signed = authorization(lines, secret)
    given = came(f"{signed}\r\nDate: {date}", start="GET /a/b?acl&q=1 HTTP/1.1")
    result = edgeauth("verify", *AT, "--json", env=env("oss-v1"), input=given)
    assert codes(result) == [code]


DATE = "Thu, 09 Oct 2025 08:53:20 GMT"
# The lines of a PUT of no bytes with a Range, and what a careless signer has in their place.
RIGHT = [
    "PUT",
    *[""] * 10,
    "bytes=0-1",
    "x-ms-a_:1",
    "x-ms-a1:2",
    f"x-ms-date:{DATE}",
    "/edgeacct/a",
]
LITE = ["PUT", "", "", "", "x-ms-a_:1", "x-ms-a1:2", f"x-ms-date:{DATE}", "/edgeacct/a"]


def at(place, value):
    return [*RIGHT[:place], value, *RIGHT[place + 1 :]]


@pytest.mark.parametrize(
    ("lines", "secret", "code"),
    [
        (RIGHT, None, None),
        (at(6, DATE), None, "line-date"),
        (at(11, ""), None, "line-range"),
        (at(3, "0"), None, "line-content-length"),
        ([*RIGHT[:12], RIGHT[13], RIGHT[12], *RIGHT[14:]], None, "order"),
        (at(15, "/edgeacct/edgeacct/a"), None, "account-twice"),
        (LITE, None, "other-lines"),
        (RIGHT, GATES["azure"][2].secret, "secret-encoded"),
        (RIGHT, b"another", "wrong-signature"),
    ],
)
def test_mistakes_of_signers_of_azure_are_found(edgeauth, env, lines, secret, code):
    key = b64decode(GATES["azure"][2].secret) if secret is None else secret
    mac = b64encode(hmac.digest(key, "\n".join(lines).encode(), "sha256")).decode()
    fields = [
        *("Range: bytes=0-1", "x-ms-a1: 2", "x-ms-a_: 1", f"x-ms-date: {DATE}", f"Date: {DATE}"),
        *("Content-Length: 0", f"Authorization: SharedKey edgeacct:{mac}"),
    ]
    given = came("\r\n".join(fields), start="PUT /a HTTP/1.1")
    result = edgeauth("verify", *AT, "--json", env=env("azure"), input=given)
    assert codes(result) == ([] if code is None else [code]), result.stdout


@pytest.mark.parametrize("name", ["azure", "oss-v4"])
def test_a_key_that_is_not_valid_now_is_named(edgeauth, env, tmp_path, name):
    signed = edgeauth("sign", *AT, "--url", URL, env=env(name)).stdout
    settings, key = env(name), GATES[name][2]
    keys = tmp_path / "keys"
    keys.write_text(f"{key.id} [not_after=1759999999]: {key.secret.decode()}\n")
    result = edgeauth("verify", *AT, "--json", env=settings, input=came(signed))
    assert (result.exit_code, codes(result)) == (1, ["key-dates"])


@pytest.mark.parametrize("name", ["azure", "oss-v1"])
def test_a_target_that_cannot_be_signed_is_told(edgeauth, env, name):
    target = {"azure": "/a?b=1%0Ac:2", "oss-v1": "/a%3Facl"}[name]
    signed = edgeauth("sign", *AT, "--url", URL, env=env(name)).stdout
    given = came(signed, start=f"GET {target} HTTP/1.1")
    result = edgeauth("verify", *AT, "--json", env=env(name), input=given)
    assert (result.exit_code, codes(result)) == (1, ["malformed"])


def test_what_cannot_be_signed_is_passed_over_in_the_search(edgeauth, env):
    signed = edgeauth("sign", *AT, "--url", URL, env=env("azure")).stdout
    given = came(signed, start="GET /other HTTP/1.1")
    options = ("--expect-url", "https://shop.example/a?b=1%0Ac:2", "--expect-url", URL)
    result = edgeauth("verify", *AT, "--json", *options, env=env("azure"), input=given)
    assert codes(result) == ["url"]

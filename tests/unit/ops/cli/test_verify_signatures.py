"""``edgeauth verify`` of requests that are signed whole."""

from __future__ import annotations

import json

import pytest
from support.requests import PlainRequest

from edgeauth import Guard

SECRET = "a-secret-that-signs-whole-requests"
ENV = {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_SCHEME": "message-signatures"}
URL = "https://shop.example/a/b%20c?q=1"
AT = ("--at", "1760000000")


@pytest.fixture
def signed(edgeauth):
    """The two fields for ``URL``, as lines."""
    return edgeauth("sign", *AT, "--url", URL, env=ENV).stdout


def request(signed: str, *, start: str = "GET /a/b%20c?q=1 HTTP/1.1", host: str = "shop.example"):
    return f"{start}\r\nHost: {host}\r\n{signed}"


def test_what_sign_prints_is_accepted_with_the_url_that_was_signed(edgeauth, signed):
    result = edgeauth("verify", *AT, "--url", URL, env=ENV, input=signed)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("ACCEPTED  signed with key default\n")
    assert '  ok    "@path"              /a/b%20c\n' in result.stdout


def test_a_whole_request_needs_no_option(edgeauth, signed):
    assert edgeauth("verify", *AT, env=ENV, input=request(signed)).exit_code == 0


def test_the_line_that_differs_is_marked_and_the_reason_stands_below(edgeauth, signed):
    came = request(f"{signed}X-Forwarded-Host: shop.example\r\n", host="10.0.0.1:8000")
    result = edgeauth("verify", *AT, env=ENV, input=came)
    assert (result.exit_code, result.stderr) == (1, "")
    verdict, *lines = result.stdout.splitlines()
    assert verdict.startswith("REFUSED  bad-signature: ")
    assert [line.split()[1] for line in lines if line.startswith("  FAIL")] == [
        '"@authority"',
        "signature",
    ]
    assert "the edge signed shop.example" in result.stdout
    assert "Let the proxy pass it on as it came" in result.stdout
    assert SECRET not in result.stdout


@pytest.mark.parametrize(
    ("options", "came", "code"),
    [
        (["--expect-host", "shop.example"], {"host": "10.0.0.1"}, "host-rewritten"),
        (["--expect-prefix", "/a"], {"start": "GET /b%20c?q=1 HTTP/1.1"}, "prefix-stripped"),
        (["--expect-url", URL], {"start": "GET /a/b%20c HTTP/1.1"}, "url"),
        (["--method", "HEAD"], {}, "method"),
    ],
)
def test_what_the_operator_knows_is_tried(edgeauth, signed, options, came, code):
    given = request(signed, **came)
    result = edgeauth("verify", *AT, "--json", *options, env=ENV, input=given)
    document = json.loads(result.stdout)
    assert (document["reason"], result.exit_code) == ("bad-signature", 1)
    assert [finding["code"] for finding in document["findings"]] == [code]


def test_a_mount_point_of_the_settings_is_tried(edgeauth, signed):
    env = {**ENV, "EDGEAUTH_MOUNT_POINTS": "/,/a"}
    given = request(signed, start="GET /b%20c?q=1 HTTP/1.1")
    result = edgeauth("verify", *AT, "--json", env=env, input=given)
    assert [one["code"] for one in json.loads(result.stdout)["findings"]] == ["prefix-stripped"]


@pytest.mark.parametrize("option", ["--url", "--expect-url"])
def test_what_is_no_url_is_wrong_usage(edgeauth, option):
    result = edgeauth("verify", option, "shop.example/a", env=ENV, input="")
    assert result.exit_code == 2
    assert f"{option} 'shop.example/a' is no URL" in result.stderr


def test_without_a_request_the_request_is_asked_for(edgeauth, signed):
    result = edgeauth("verify", *AT, env=ENV, input=signed)
    assert result.exit_code == 1
    assert "give the request line as well" in " ".join(result.stdout.split())


def test_a_nonce_that_the_store_of_the_app_has_seen_is_told_with_when(edgeauth, tmp_path):
    env = {**ENV, "EDGEAUTH_REPLAY": f"sqlite:{tmp_path}/seen.db"}
    signed = edgeauth("sign", *AT, "--url", URL, env=env).stdout
    given = request(signed)
    assert edgeauth("verify", *AT, env=env, input=given).exit_code == 0
    fields = [tuple(line.split(": ", 1)) for line in signed.splitlines()]
    gate = Guard.from_settings(
        {"secret": SECRET, "scheme": "message-signatures", "replay": env["EDGEAUTH_REPLAY"]}
    )
    asked = PlainRequest(
        target=b"/a/b%20c?q=1",
        host=b"shop.example",
        fields=[("Host", b"shop.example"), *((name, value.encode()) for name, value in fields)],
    )
    assert gate.check(asked, now=1_760_000_002).reason == "ok"

    result = edgeauth("verify", "--at", "1760000012", "--json", env=env, input=given)
    document = json.loads(result.stdout)
    assert (result.exit_code, document["reason"], document["key_id"]) == (1, "replayed", "default")
    [finding] = document["findings"]
    assert finding["code"] == "replayed"
    assert "admitted at 2025-10-09 08:53:22 UTC, 10 s before" in finding["text"]
    # Judged at the moment at which it came, it was not seen before.
    assert edgeauth("verify", *AT, env=env, input=given).exit_code == 0
    assert gate.check(asked, now=1_760_000_002).reason == "replayed"


def test_a_store_that_cannot_be_asked_is_told(edgeauth, signed, tmp_path):
    (tmp_path / "seen.db").write_text("no database" * 1000)
    env = {**ENV, "EDGEAUTH_REPLAY": f"sqlite:{tmp_path}/seen.db"}
    result = edgeauth("verify", *AT, "--json", env=env, input=request(signed))
    assert json.loads(result.stdout)["reason"] == "replay-store"
    assert result.exit_code == 1

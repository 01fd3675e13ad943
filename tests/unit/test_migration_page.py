"""What docs/migration.md says of requests with one credential, the other, or both."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.signed_requests import KEY, NOW, signed, with_field

from edgeauth import AnyOf, EdgeAuthScheme, Guard, sign
from edgeauth.replay import MemoryReplayStore
from edgeauth.schemes.message_signatures import MessageSignatureScheme

PAGE = (Path(__file__).parents[2] / "docs" / "migration.md").read_text("utf-8")
TABLE = re.findall(r"^\| (\S+) \| (yes|no) \| (yes|no) \| (yes|no) \|$", PAGE, re.MULTILINE)
SECRET = "the-secret-of-last-november"


def scheme_of(takes):
    new, old = MessageSignatureScheme([KEY]), EdgeAuthScheme([SECRET])
    by_name = {"`edge-auth`": old, "both": AnyOf(new, old), "`message-signatures`": new}
    return by_name[takes]


def request_with(*, old, new):
    request = signed()
    fields = request.fields if new else request.fields[:1]
    value = [("Edge-Auth", sign(SECRET, pop="LHR", timestamp=NOW).encode())] if old else []
    return replace(request, fields=[*fields, *value])


def test_the_table_has_every_origin():
    assert [row[0] for row in TABLE] == ["`edge-auth`", "both", "`message-signatures`"]


@pytest.mark.parametrize(("takes", "old", "both", "new"), TABLE)
def test_an_origin_lets_in_what_the_table_says(takes, old, both, new):
    guard = Guard(scheme_of(takes))
    asked = [{"old": True, "new": False}, {"old": True, "new": True}, {"old": False, "new": True}]
    allowed = [guard.check(request_with(**one), now=NOW).allowed for one in asked]
    assert allowed == [word == "yes" for word in (old, both, new)]


def test_of_both_credentials_the_signature_counts():
    verdict = Guard(scheme_of("both")).check(request_with(old=True, new=True), now=NOW)
    assert verdict.identity.scheme == "message-signatures"


@pytest.mark.parametrize(
    ("field", "value"),
    [("Signature", b"edge=:AAAA:"), ("Signature-Input", b"junk"), ("Host", b"other.example")],
)
def test_a_wrong_signature_refuses_nobody_while_the_value_beside_it_is_good(field, value):
    request = with_field(request_with(old=True, new=True), field, value)
    if field == "Host":
        request = replace(request, host=value)
    verdict = Guard(scheme_of("both")).check(request, now=NOW)
    assert (verdict.allowed, verdict.identity.scheme) == (True, "edge-auth")


def test_while_both_are_accepted_a_store_refuses_retries_and_no_copied_value():
    guard = Guard(scheme_of("both"), replay=MemoryReplayStore())
    both, copied = request_with(old=True, new=True), request_with(old=True, new=False)
    assert [guard.check(both, now=NOW).reason for _ in "12"] == ["ok", "replayed"]
    another = replace(copied, method="DELETE", target=b"/account", path="/account")
    assert [guard.check(another, now=NOW).reason for _ in "12"] == ["ok", "ok"]

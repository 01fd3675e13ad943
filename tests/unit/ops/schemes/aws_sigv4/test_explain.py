"""What is said of each usual reason for which a request with AWS SigV4 is refused."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from support.sigv4 import KEY, REGION, signed_by_botocore

from edgeauth import EdgeIdentity, Key, VerificationError
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.aws_sigv4.explain import explain
from edgeauth.ops.schemes.request_lines import Hints, RequestLines
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme
from edgeauth.schemes.aws_sigv4 import sign as signing
from edgeauth.schemes.base import Outgoing

NOW = 1_764_230_400.0
HOST = "origin.example.com"
TARGET = "/a%20b/c?x=1&y=%2F"
EMPTY = hashlib.sha256(b"").hexdigest()


def scheme(**how):
    keys = how.pop("keys", [KEY])
    return AwsSigV4Scheme(keys, **{"region": REGION, **how})


def signed(method="GET", target=TARGET, *, by=None, host=HOST, fields=(), body=b"", key=None):
    """The lines of a request, as it is signed."""
    request = Outgoing(method, host, target, tuple(fields), body)
    made = (by or scheme()).credential(now=NOW, request=request, key=key)
    return lines(method, target, host, {**dict(fields), **made})


def lines(method, target, host, fields):
    told = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    return "\r\n".join([*told, *(f"{name}: {value}" for name, value in fields.items()), ""])


def diagnosed(text, *, by=None, now=NOW, hints=None):
    """The diagnosis; it says that something is wrong exactly where the scheme refuses."""
    by = by or scheme()
    seen = RequestLines(text.encode("latin-1"), [by.headers], hints or Hints())
    try:
        accepted = isinstance(by.verify(seen, now=now), EdgeIdentity)
    except VerificationError:
        accepted = False
    found = explain(by, seen, now)
    assert accepted == (not found.findings), found
    whole = json.dumps(found)
    assert KEY.secret.decode() not in whole
    return found


def told(text, code, *words, **how):
    found = diagnosed(text, **how)
    texts = {finding.code: finding.text for finding in found.findings}
    assert code in texts, texts
    for word in words:
        assert word in texts[code], texts[code]
    return found


def test_a_good_request_has_all_its_parts_and_nothing_to_tell():
    found = diagnosed(signed())
    assert [field.name for field in found.fields] == [
        *("Credential", "region", "service", "SignedHeaders"),
        *("X-Amz-Content-SHA256", "X-Amz-Date", "Signature"),
    ]
    assert all(field.ok for field in found.fields)


# --- no credential, or none of the form


def test_what_is_not_there_is_named():
    told(lines("GET", "/", HOST, {}), "missing", "does not sign")
    told(lines("GET", "/", HOST, {"Authorization": "Bearer abcdef"}), "another-kind", "Bearer")
    told(lines("GET", "/", HOST, {"Authorization": "abcdef"}), "another-kind", "one word")
    told(signed().replace("X-Amz-Date", "X-Date"), "no-date", "X-Amz-Date")
    told(signed().partition("\r\n")[2], "no-target", "--url")
    told(signed().replace(f"Host: {HOST}\r\n", ""), "no-host", "Host")


def test_a_secret_that_was_sent_is_told():
    told(lines("GET", "/", HOST, {"Authorization": KEY.secret.decode()}), "secret-sent", KEY.id)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Signature=", "Sig=", ("no Signature=",)),
        ("SignedHeaders=", "Headers=", ("no SignedHeaders=",)),
        ("/aws4_request", "", ("4 parts",)),
        ("/20251127/", "/2025-11-27/", ("the day in digits",)),
        ("Signature=", "Signature=A", ("65 characters",)),
        ("=host;", "=x-amz-date;host;", ("Sort the names",)),
        ("/20251127/", "/20251126/", ("not that of X-Amz-Date", "UTC")),
        ("X-Amz-Content-SHA256: ", "X-Amz-Content-SHA256: a b", ("neither a hash nor a word",)),
        ("X-Amz-Date: 20251127", "X-Amz-Date: 2025-11-27", ("YYYYMMDD",)),
    ],
)
def test_the_part_that_is_not_of_the_form_is_named(old, new, words):
    text = signed()
    assert old in text
    told(text.replace(old, new, 1), "malformed", *words)


def test_a_signature_in_capitals_and_two_of_them_are_told():
    head, _, signature = signed().rpartition("Signature=")
    told(f"{head}Signature={signature.upper()}", "malformed", "in capitals")
    again = next(line for line in signed().split("\r\n") if line.startswith("Authorization"))
    told(signed() + again + "\r\n", "several", "twice")


def test_a_presigned_url_is_told_from_a_missing_signature():
    wants = scheme(presigned=True, unsigned_payload=True)
    target = wants.presign(now=NOW, request=Outgoing("GET", HOST, TARGET), expires=60)
    text = lines("GET", target, HOST, {})
    told(text, "presigned", "presigned = true")
    assert not diagnosed(text, by=wants).findings
    told(text, "too-old", "X-Amz-Expires", by=wants, now=NOW + 100)
    told(text, "unsigned-payload", by=scheme(presigned=True))
    short = scheme(presigned=True, unsigned_payload=True, max_expires=59)
    told(text, "expires", "max_expires is 59 s", by=short)
    told(text.replace("X-Amz-Expires=60&", ""), "malformed", "-Expires", by=wants)


# --- authentic, and refused


def test_the_window_is_told_by_its_own_name():
    told(signed(), "too-old", "max_skew is 900 s", now=NOW + 1000)
    told(signed(), "future", "max_skew is 900 s", now=NOW - 1000)


@pytest.mark.parametrize(("name", "other"), [("region", "us-east-1"), ("service", "execute-api")])
def test_another_region_or_service_is_named_with_ours(name, other):
    told(signed(by=scheme(**{name: other})), name, other, f"set {name} here")


def test_a_key_that_is_not_here_or_not_valid_is_named():
    other = Key("ANOTHER", "an-entirely-different-secret-here")
    told(signed(key=other), "unknown-key", "ANOTHER", KEY.id)
    ended = scheme(keys=[Key(KEY.id, KEY.secret, not_after=NOW - 1)])
    told(signed(), "key-dates", KEY.id, by=ended)


def test_fields_that_are_not_signed_or_gone_are_named():
    told(signed() + "X-Amz-Meta-Role: admin\r\n", "not-covered", "x-amz-meta-role")
    with_field = signed(fields=[("x-amz-meta-a", "b")])
    told(with_field.replace("x-amz-meta-a: b\r\n", ""), "gone", "x-amz-meta-a")


def test_what_says_nothing_of_the_body_is_told():
    lax = scheme(unsigned_payload=True)
    made = lax.credential(now=NOW, request=Outgoing("PUT", HOST, "/"))
    told(lines("PUT", "/", HOST, made), "unsigned-payload", "unsigned_payload = true")
    assert not diagnosed(lines("PUT", "/", HOST, made), by=lax).findings
    fields = {"X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    target, sent = signed_by_botocore(
        "PUT", f"https://{HOST}/", now=NOW, path_mode="generic", fields=fields
    )
    found = {name: value.decode() for name, value in sent if name != "Host"}
    told(lines("PUT", target, HOST, found), "streaming", "in pieces")


def test_host_and_date_must_be_signed(monkeypatch):
    kept = signing._Signed.signature

    def without(self, request, lines, payload):
        del lines[b"host"], lines[b"x-amz-date"]
        return kept(self, request, lines, payload)

    monkeypatch.setattr(signing._Signed, "signature", without)
    text = signed().replace("=host;x-amz-content-sha256;x-amz-date", "=x-amz-content-sha256")
    told(text, "not-covered", "host, x-amz-date")


def test_a_replay_is_told_where_a_store_can_be_asked():
    by, text = scheme(), signed()
    seen = RequestLines(text.encode(), [by.headers], Hints(seen_at=lambda _key: NOW - 5))
    [finding] = explain(by, seen, NOW).findings
    assert finding.code == "replayed"
    assert "5 s before" in finding.text
    assert "replay_methods" in finding.text


# --- what happened on the way


@pytest.mark.parametrize(
    ("arrived", "code"),
    [
        ({"method": "HEAD"}, "method"),
        ({"host": f"{HOST}:443"}, "host"),
        ({"host": "backend.internal"}, None),
        ({"target": "/a%20b/c"}, None),
        ({"target": "/a b/c?x=1&y=%2F"}, None),
        ({"target": "/a+b/c?x=1&y=%2F"}, None),
        ({"target": "/prefix/a%20b/c?x=1&y=%2F"}, "prefix"),
        ({"target": TARGET + "&added=1"}, "query"),
        ({"target": "/A%20B/c?x=1&y=%2F"}, None),
    ],
)
def test_another_request_than_was_signed_is_refused_with_what_differs(arrived, code):
    made = dict(line.split(": ", 1) for line in signed().strip().split("\r\n")[2:])
    text = lines(
        arrived.get("method", "GET"), arrived.get("target", TARGET), arrived.get("host", HOST), made
    )
    found = explain(scheme(), RequestLines(text.encode(), [AwsSigV4Scheme.headers], Hints()), NOW)
    codes = [finding.code for finding in found.findings]
    if code is None:
        assert codes or "/a b/" in text
    else:
        assert any(code in one for one in codes), found.findings


def test_two_things_on_the_way_and_hints_are_found():
    made = dict(line.split(": ", 1) for line in signed().strip().split("\r\n")[2:])
    text = lines("GET", TARGET + "&added=1", "other.example", made)
    found = explain(
        scheme(),
        RequestLines(text.encode(), [AwsSigV4Scheme.headers], Hints(hosts=[HOST])),
        NOW,
    )
    codes = {finding.code for finding in found.findings}
    assert len(codes) == 2
    assert "wrong-signature" not in codes


def test_a_lost_port_is_found():
    text = signed(host=f"{HOST}:8443").replace(f"Host: {HOST}:8443", f"Host: {HOST}")
    told(text, "host-port", ":8443")


# --- what the edge does otherwise


def with_key(secret, **how):
    return signed(key=Key(KEY.id, secret, min_bytes=1), **how)


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        (KEY.secret + b"\n", "secret-newline"),
        (b'"' + KEY.secret + b'"', "secret-quotes"),
        (b"(null)", "secret-empty"),
    ],
)
def test_a_mistake_with_the_secret_is_named(secret, code):
    told(with_key(secret), code)


def test_the_key_of_another_id_is_named():
    other = Key("ANOTHER", "an-entirely-different-secret-here")
    told(with_key(other.secret), "other-key", "ANOTHER", by=scheme(keys=[other, KEY]))


def test_another_secret_altogether_is_told_so():
    told(with_key(b"an-entirely-different-secret-here"), "wrong-signature", KEY.id)


def resigned(change, *, monkeypatch, **how):
    """Signed by an edge whose string to sign is changed."""
    kept = signing.string_to_sign
    monkeypatch.setattr(
        signing, "string_to_sign", lambda *args, **told: change(kept, *args, **told)
    )
    return signed(**how)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace(b"\n", b"\r\n"), "crlf"),
        (lambda text: text + b"\n", "newline"),
        (lambda text: text[:-64] + text[-64:].upper(), "upper-hash"),
        (lambda text: text.partition(b"\n")[2], "no-algorithm"),
    ],
)
def test_a_string_to_sign_of_another_form_is_named(change, code, monkeypatch):
    text = resigned(lambda kept, *a, **k: change(kept(*a, **k)), monkeypatch=monkeypatch)
    told(text, code)


def at(place, value):
    """An edge that has another line in its canonical request."""

    def change(kept, request, **how):
        return kept((*request[:place], value, *request[place + 1 :][: len(request)]), **how)

    return change


def test_another_payload_than_is_sent_is_named(monkeypatch):
    def change(kept, request, **how):
        return kept((*request[:-1], b"UNSIGNED-PAYLOAD"), **how)

    told(resigned(change, monkeypatch=monkeypatch), "payload", "UNSIGNED-PAYLOAD")


def test_a_query_that_is_signed_as_it_is_sent_is_named(monkeypatch):
    text = resigned(at(2, b"y=1&x=/"), monkeypatch=monkeypatch, target="/a?y=1&x=/")
    told(text, "query-raw", "sorted")


def test_a_path_with_its_reserved_characters_encoded_is_named(monkeypatch):
    text = resigned(at(1, b"/a%40b"), monkeypatch=monkeypatch, target="/a@b")
    told(text, "path-reserved", "/a%40b")


def test_the_other_flavour_is_named():
    told(signed(by=scheme(path_mode="generic")), "path-mode", "path_mode = 'generic'")
    told(signed(), "path-mode", "path_mode = 's3'", by=scheme(path_mode="generic"))


@pytest.mark.parametrize("code", ["no-aws4", "no-derivation"])
def test_a_key_of_the_day_that_is_made_otherwise_is_named(code, monkeypatch):
    def made(secret, *parts):
        if code == "no-derivation":
            return secret
        found = secret
        for part in (*parts, b"aws4_request"):
            found = hmac.digest(found, part, "sha256")
        return found

    monkeypatch.setattr(signing, "day_secret", made)
    told(signed(), code)


def test_the_tools_say_what_the_kind_needs():
    tools = tools_of("aws-sigv4")
    assert tools.names_target(scheme())
    assert "key" in tools.wishes
    seen = RequestLines(signed().encode(), [AwsSigV4Scheme.headers])
    assert not tools.explain(scheme(), seen, NOW).findings

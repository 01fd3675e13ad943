"""Azure's Shared Key: what it accepts, what it refuses, and what it is worth."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy
from support.cloud_keys import row, rows
from support.requests import PlainRequest

from edgeauth import (
    BadSignature,
    ClaimRefused,
    ConfigurationError,
    Key,
    KeyRing,
    MalformedHeader,
    MissingHeader,
    NotCovered,
    SchemeSettings,
)
from edgeauth.schemes.azure_shared_key import AzureSharedKeyScheme
from edgeauth.schemes.base import CannotSign, Outgoing
from edgeauth.verdict import BodyDigest

NOW = 1_760_000_000
SECRET = b64encode(bytes(range(64))).decode()
SCHEME = AzureSharedKeyScheme([Key("k1", SECRET)], account="edgeacct")
LITE = AzureSharedKeyScheme([Key("k1", SECRET)], account="edgeacct", lite=True)


def sent(scheme=SCHEME, method="GET", target="/a%20b?q=1&r", fields=(), body=b"", **otherwise):
    """A request with the credential that *scheme* makes for it, in parts otherwise."""
    made = scheme.credential(
        now=NOW, request=Outgoing(method, "shop.example", target, fields, body)
    )
    lines = {**dict(fields), **made}
    if body:
        lines["Content-Length"] = str(len(body))
    facts = {
        "method": method,
        "target": target.encode(),
        "host": b"shop.example",
        "fields": [(name, value.encode()) for name, value in lines.items()],
    }
    return PlainRequest(**{**facts, **otherwise})


def with_line(request, name, value):
    return PlainRequest(
        method=request.method, target=request.target, fields=[*request.fields, (name, value)]
    )


@pytest.mark.parametrize("one", rows("azure-shared-key"), ids=lambda one: one.name)
def test_each_row_is_decided_as_it_says(one):
    assert one.accepted_by(one.scheme()) == one.accept, one.why


def test_what_it_signs_it_accepts_and_says_what_that_covers():
    identity = SCHEME.verify(sent(), now=NOW + 900)
    assert identity.scheme == "azure-shared-key"
    assert (identity.key_id, identity.timestamp) == ("k1", NOW)
    assert identity.covers == {"method", "path", "query", "time"}
    assert (identity.once, identity.body) == (None, None)


def test_lite_covers_no_query_and_accepts_nothing_but_lite():
    assert LITE.verify(sent(LITE), now=NOW).covers == {"method", "path", "time"}
    assert LITE.verify(sent(LITE, target="/a?x=1"), now=NOW)
    altered = sent(LITE, target="/a?x=1")
    altered.target = b"/a?x=2"
    assert LITE.verify(altered, now=NOW)
    with pytest.raises(MalformedHeader):
        LITE.verify(sent(SCHEME), now=NOW)
    with pytest.raises(MalformedHeader):
        SCHEME.verify(sent(LITE), now=NOW)


def test_lite_signs_the_parameter_comp_alone():
    altered = sent(LITE, target="/a?comp=list&x=1")
    altered.target = b"/a?y=2&Comp=list"
    assert LITE.verify(altered, now=NOW)
    altered.target = b"/a?comp=acl"
    with pytest.raises(BadSignature):
        LITE.verify(altered, now=NOW)
    altered.target = b"/a?comp=list&comp=list"
    with pytest.raises(MalformedHeader):
        LITE.verify(altered, now=NOW)


def test_a_signed_content_md5_is_the_digest_that_the_body_must_have():
    fields = [("Content-MD5", b64encode(bytes(16)).decode())]
    identity = SCHEME.verify(sent(method="PUT", fields=fields, body=b"abc"), now=NOW)
    assert identity.body == BodyDigest("md5", bytes(16))
    assert "body" in identity.covers
    # Sixteen bytes have 24 characters; what is no MD5 covers no body.
    odd = [("Content-MD5", b64encode(bytes(20)).decode())]
    assert SCHEME.verify(sent(method="PUT", fields=odd, body=b"abc"), now=NOW).body is None


@pytest.mark.parametrize(
    "altered",
    [
        {"method": "HEAD"},
        {"target": b"/a%20b?q=2&r"},
        {"target": b"/a%20b?q=1"},
        {"target": b"/a%20b?q=1&r&s"},
        {"target": b"/a%20b?q=1%0Ar:"},
        {"target": b"/a b?q=1&r"},
        {"target": b"http://shop.example/a%20b?q=1&r"},
        {"target": None},
    ],
)
def test_it_is_good_for_no_other_request(altered):
    request = sent()
    for name, value in altered.items():
        setattr(request, name, value)
    with pytest.raises((BadSignature, MalformedHeader)):
        SCHEME.verify(request, now=NOW)


@pytest.mark.parametrize("name", ["Range", "If-Match", "Content-Type", "x-ms-note", "x_ms_note"])
def test_a_signed_field_can_neither_be_added_nor_doubled(name):
    with pytest.raises(BadSignature):
        SCHEME.verify(with_line(sent(), name, b"a"), now=NOW)
    if "_" not in name:
        request = with_line(sent(fields=[(name, "a")]), name, b"a")
        with pytest.raises(MalformedHeader, match="twice"):
            SCHEME.verify(request, now=NOW)


def test_a_line_break_in_a_field_is_refused():
    with pytest.raises(MalformedHeader, match="line break"):
        SCHEME.verify(with_line(sent(), "x-ms-note", b"a\nb"), now=NOW)


def test_a_line_break_in_the_query_passes_where_it_reads_like_no_parameter():
    assert SCHEME.verify(sent(target="/?text=one%0D%0Atwo"), now=NOW)
    for target in ("/?a=1%0Ab:2", "/?a%0Ab=1"):
        with pytest.raises(CannotSign, match="another parameter"):
            sent(target=target)


def test_parameters_are_sorted_decoded_and_merged_without_regard_to_case():
    request = sent(target="/?b=2&A=%7e&a=1&&c=+")
    request.target = b"/?c=+&a=1&B=2&a=~"
    assert SCHEME.verify(request, now=NOW)


def test_it_names_no_key_so_each_that_is_valid_is_tried_and_dates_count():
    old = Key("old", b64encode(b"x" * 32).decode(), not_after=NOW - 1)
    both = AzureSharedKeyScheme(KeyRing([old, Key("k1", SECRET)]), account="edgeacct")
    assert both.verify(sent(), now=NOW).key_id == "k1"
    by_old = AzureSharedKeyScheme([Key("old", old.secret)], account="edgeacct")
    with pytest.raises(BadSignature, match="not valid now"):
        both.verify(sent(by_old), now=NOW)
    assert both.verify(sent(by_old), now=NOW - 1).key_id == "old"


def test_another_account_in_the_field_is_refused_though_the_signature_is_good():
    request = sent()
    request.fields[0] = (
        "Authorization",
        request.fields[0][1].replace(b"edgeacct", b"another"),
    )
    with pytest.raises(ClaimRefused, match="another account") as caught:
        SCHEME.verify(request, now=NOW)
    assert "'edgeacct'" in caught.value.hint


def test_a_signature_without_a_date_would_be_good_for_ever():
    request = PlainRequest(target=b"/")
    mac = SCHEME.decoded.newest_first[0].mac(SCHEME.string_to_sign(request))
    request.fields.append(("Authorization", b"SharedKey edgeacct:" + b64encode(mac)))
    with pytest.raises(NotCovered):
        SCHEME.verify(request, now=NOW)
    for date in (b"", b"2025-10-09T08:53:20Z", b"Thu, 99 Oct 2025 08:53:20 GMT"):
        dated = PlainRequest(target=b"/", fields=[("Date", date)])
        mac = SCHEME.decoded.newest_first[0].mac(SCHEME.string_to_sign(dated))
        dated.fields.append(("Authorization", b"SharedKey edgeacct:" + b64encode(mac)))
        with pytest.raises(MalformedHeader):
            SCHEME.verify(dated, now=NOW)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (b"", MissingHeader),
        (b"Bearer x", MissingHeader),
        (b"SharedKey", MalformedHeader),
        (b"SharedKey edgeacct:", MalformedHeader),
        (b"SharedKey edgeacct:" + b"A" * 43, MalformedHeader),
        (b"SharedKey edgeacct:" + b"A" * 43 + b"=\n", MalformedHeader),
        (b"SharedKey edgeacct:" + b"A" * 65536, MalformedHeader),
        (b"SharedKey edgeacct:" + b"A" * 43 + b"=", BadSignature),
    ],
)
def test_what_is_not_of_the_form_is_refused(value, error):
    request = PlainRequest(target=b"/", fields=[("Authorization", value)])
    with pytest.raises(error):
        SCHEME.verify(request, now=NOW)


def test_another_spelling_of_the_signature_is_refused():
    # The last character of 43 has two bits that stand for nothing.
    request = sent()
    value = request.fields[0][1]
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(value[-2:-1])
    request.fields[0] = ("Authorization", value[:-2] + alphabet[last ^ 1 : (last ^ 1) + 1] + b"=")
    with pytest.raises(BadSignature):
        SCHEME.verify(request, now=NOW)


def test_a_websocket_handshake_is_signed_as_get():
    request = sent(method="GET")
    request.method, request.handshake = "WEBSOCKET", True
    assert SCHEME.verify(request, now=NOW)


def test_nothing_of_no_request_is_signed():
    with pytest.raises(ConfigurationError, match="must be known"):
        SCHEME.credential(now=NOW)
    twice = [("x-ms-a", "1"), ("X-MS-A", "2")]
    with pytest.raises(CannotSign):
        SCHEME.credential(now=NOW, request=Outgoing("GET", "h", "/", twice))


def test_the_length_of_a_body_is_signed_once():
    declared = sent(method="PUT", fields=[("Content-Length", "3")], body=b"abc")
    assert SCHEME.verify(declared, now=NOW)
    assert SCHEME.verify(sent(method="PUT", body=b"abc"), now=NOW)
    with pytest.raises(BadSignature):
        SCHEME.verify(_cut(), now=NOW)


def _cut():
    request = sent(method="PUT", body=b"abc")
    request.fields[-1] = ("Content-Length", b"2")
    return request


@pytest.mark.parametrize(
    ("keys", "options", "part"),
    [
        (["no base64 at all!!"], {}, "is no base64"),
        ([SECRET.rstrip("=")], {}, "is no base64"),
        ([SECRET + SECRET], {}, "is no base64"),
        ([SECRET[:-3] + "9=="], {}, "is no base64"),
        ([b64encode(b"short").decode()], {}, "bytes"),
        ([SECRET], {"account": ""}, "account"),
        ([SECRET], {"account": None}, "account"),
        ([SECRET], {"account": "a:b"}, "account"),
        ([SECRET], {"max_skew": -1}, "max_skew"),
    ],
)
def test_a_wrong_argument_is_an_error_at_start_that_shows_no_secret(keys, options, part):
    with pytest.raises(ConfigurationError, match=part) as caught:
        AzureSharedKeyScheme(
            [Key("k1", one, min_bytes=1) for one in keys], **{"account": "edgeacct", **options}
        )
    assert all(one not in str(caught.value) for one in keys)


def test_settings_make_it_and_miss_the_account():
    keys = KeyRing([Key("k1", SECRET)])
    made = SchemeSettings("azure-shared-key", given={"account": "edgeacct"}).build_scheme(keys)
    assert made.verify(sent(), now=NOW)
    with pytest.raises(ConfigurationError, match="needs account"):
        SchemeSettings("azure-shared-key").build_scheme(keys)


# --- the peer


class PeersRequest:
    """A request as the signer of azure-storage-blob sees one."""

    def __init__(self, method, url, headers, query):
        self.method, self.url, self.headers, self.query = method, url, headers, query


@pytest.mark.parametrize(
    ("method", "target", "query", "fields"),
    [
        ("GET", "/c/a%20b.jpg", {}, {}),
        ("GET", "/c", {"restype": "container", "comp": "list", "prefix": "a%2Fb"}, {}),
        ("PUT", "/c/b", {}, {"content-type": "text/plain", "content-length": "5"}),
        ("PUT", "/c/b", {}, {"x-ms-meta-i-a": "1", "x-ms-meta-ib": "2", "x-ms-meta-i_c": "3"}),
        ("PUT", "/c/b", {}, {"x-ms-meta-a-b": "1", "x-ms-meta-ab": "2", "x-ms-meta-a'b": "3"}),
        ("DELETE", "/c/b", {"timeout": "20"}, {"if-match": '"0x1"', "x-ms-version": "2021-12-02"}),
    ],
)
def test_what_azure_storage_blob_signs_is_accepted(method, target, query, fields):
    date = datetime.fromtimestamp(NOW, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"x-ms-date": date, **fields}
    asked = PeersRequest(method, f"https://x.example{target}", headers, query)
    policy = SharedKeyCredentialPolicy("edgeacct", SECRET)
    context = SimpleNamespace(transport=None)
    policy.on_request(SimpleNamespace(http_request=asked, context=context))
    text = "&".join(f"{name}={value}" for name, value in query.items())
    request = PlainRequest(
        method=method,
        target=f"{target}?{text}".rstrip("?").encode(),
        fields=[(name, value.encode()) for name, value in headers.items()],
    )
    assert SCHEME.verify(request, now=NOW)
    assert SCHEME.string_to_sign(request)
    request.method = "OPTIONS"
    with pytest.raises(BadSignature):
        SCHEME.verify(request, now=NOW)


def test_an_order_of_bytes_alone_would_refuse_what_the_service_accepts():
    one = row("sdk-metadata-underscore-order")
    scheme = one.scheme()
    signed = scheme.string_to_sign(one.plain()).split(b"\n")
    own = [line for line in signed if line.startswith(b"x-ms-")]
    assert own != sorted(own)

"""OSS signatures of both versions: what is accepted, what is refused, and what it is worth."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from alibabacloud_oss_v2.credentials import StaticCredentialsProvider
from alibabacloud_oss_v2.signer import SignerV1, SignerV4
from alibabacloud_oss_v2.types import HttpRequest, SigningContext
from support.cloud_keys import rows
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
from edgeauth.schemes.alibaba_oss import AlibabaOssScheme
from edgeauth.schemes.alibaba_oss import scheme as module
from edgeauth.schemes.alibaba_oss.strings import v1_string, v4_key, v4_signature
from edgeauth.schemes.base import CannotSign, Outgoing

NOW = 1_760_000_000
KEY = Key("LTAI5t", "a-secret-of-an-access-key-30ch")
V4 = AlibabaOssScheme([KEY], bucket="shop", region="cn-hangzhou")
BARE = AlibabaOssScheme([KEY], bucket="shop", region="cn-hangzhou", require_additional=())
V1 = AlibabaOssScheme([KEY], bucket="shop", version="v1")


def sent(scheme, method="GET", target="/a%20b?q=1&r", fields=(), host="shop.example"):
    """A request with the credential that *scheme* makes for it."""
    made = scheme.credential(now=NOW, request=Outgoing(method, host, target, fields))
    lines = [("Host", host), *fields, *made.items()]
    return PlainRequest(
        method=method,
        target=target.encode(),
        host=host.encode(),
        fields=[(name, value.encode()) for name, value in lines],
    )


def set_line(request, name, value):
    request.fields[:] = [line for line in request.fields if line[0].lower() != name.lower()]
    if value is not None:
        request.fields.append((name, value))
    if name == "Host":
        request.host = value
    return request


def authorization(request):
    return request.header("Authorization")[0]


@pytest.mark.parametrize("one", rows("alibaba-oss"), ids=lambda one: one.name)
def test_each_row_is_decided_as_it_says(one):
    assert one.accepted_by(one.scheme()) == one.accept, one.why


def test_v4_covers_the_host_where_it_is_signed_and_never_the_body():
    identity = V4.verify(sent(V4), now=NOW - 900)
    assert identity.covers == {"method", "path", "query", "host", "time"}
    assert (identity.scheme, identity.key_id, identity.timestamp) == ("alibaba-oss", "LTAI5t", NOW)
    assert (identity.once, identity.body) == (None, None)
    assert BARE.verify(sent(BARE), now=NOW).covers == {"method", "path", "query", "time"}


def test_v1_covers_method_path_and_time():
    md5 = [("Content-MD5", "eB5eJF1ptWaXm4bijSPyxw==")]
    identity = V1.verify(sent(V1, fields=md5), now=NOW)
    assert identity.covers == {"method", "path", "time"}
    assert identity.body is None


@pytest.mark.parametrize("scheme", [V4, V1], ids=["v4", "v1"])
@pytest.mark.parametrize(
    "altered",
    [
        {"method": "HEAD"},
        {"target": b"/a%20c?q=1&r"},
        {"target": b"/a%20b?acl"},
        {"target": b"/a%20b?q=1&r&uploadId="},
        {"target": b"/a%20b?q=1&r&%61cl"},
        {"target": None},
        {"target": b"*"},
    ],
)
def test_it_is_good_for_no_other_request(scheme, altered):
    request = sent(scheme)
    for name, value in altered.items():
        setattr(request, name, value)
    with pytest.raises((BadSignature, MalformedHeader)):
        scheme.verify(request, now=NOW)


@pytest.mark.parametrize("scheme", [V4, V1], ids=["v4", "v1"])
@pytest.mark.parametrize("name", ["Content-Type", "Content-MD5", "x-oss-note", "x_oss_note"])
def test_a_signed_field_can_neither_be_added_nor_doubled(scheme, name):
    request = set_line(sent(scheme), name, b"a")
    with pytest.raises(BadSignature):
        scheme.verify(request, now=NOW)
    if "_" not in name:
        doubled = sent(scheme, fields=[(name, "a")])
        doubled.fields.append((name, b"a"))
        with pytest.raises(MalformedHeader, match="twice"):
            scheme.verify(doubled, now=NOW)


def test_v4_signs_the_query_as_it_is_spelt_in_any_order():
    request = sent(V4, target="/?b=%7e&a&c=")
    request.target = b"/?a=&c&b=%7e"
    assert V4.verify(request, now=NOW)
    request.target = b"/?a=&c&b=~"
    with pytest.raises(BadSignature):
        V4.verify(request, now=NOW)


@pytest.mark.parametrize("version", ["v4", "v1"])
def test_the_path_is_that_of_the_service_or_as_it_is_sent(version):
    more = {"region": "cn-hangzhou"} if version == "v4" else {}
    raw = AlibabaOssScheme([KEY], bucket="shop", version=version, resource_path="raw", **more)
    decoded = V4 if version == "v4" else V1
    request = sent(decoded, target="/a%28b")
    request.target = b"/a(b"
    assert decoded.verify(request, now=NOW)
    request = sent(raw, target="/a%28b")
    assert raw.verify(request, now=NOW)
    request.target = b"/a(b"
    with pytest.raises(BadSignature):
        raw.verify(request, now=NOW)


def test_the_path_of_v4_is_encoded_but_for_its_slashes():
    request = sent(V4, target="/a(b/c")
    assert V4.v4_canonical(request, b"host")[0].split(b"\n")[1] == b"/shop/a%28b/c"
    assert AlibabaOssScheme([KEY], bucket="", region="r").v4_canonical(request, b"host")[0].split(
        b"\n"
    )[1] == (b"/a%28b/c")


def test_bytes_that_are_no_utf_8_are_signed_as_they_are():
    for scheme in (V4, V1):
        assert scheme.verify(sent(scheme, target="/%ff%FE?%ff"), now=NOW)


@pytest.mark.parametrize(
    "target",
    [
        "/a%3Facl",
        "/a%3Fx&acl",
        "/a?append=1%26position=5",
        "/a?append=1%26position=5%26b",
        "/a?acl&acl",
        "/a?%61cl&acl",
    ],
)
def test_v1_refuses_what_reads_like_another_sub_resource(target):
    with pytest.raises(CannotSign):
        sent(V1, target=target)


@pytest.mark.parametrize(
    "target",
    ["/what%3F", "/a%3Fb=c", "/a?response-content-type=a%26b", "/a?uploadId=1%26x&q=1&q=2"],
)
def test_v1_accepts_separators_that_are_text(target):
    assert V1.verify(sent(V1, target=target), now=NOW)


def test_v1_signs_the_sub_resources_that_settings_name():
    own = AlibabaOssScheme([KEY], bucket="shop", version="v1", sub_resources=["q"])
    request = sent(own, target="/a?q=1&acl")
    request.target = b"/a?q=1"
    assert own.verify(request, now=NOW)
    request.target = b"/a?q=2"
    with pytest.raises(BadSignature):
        own.verify(request, now=NOW)


def test_a_field_that_must_be_signed_is_demanded():
    with pytest.raises(NotCovered, match="host"):
        V4.verify(sent(BARE), now=NOW)
    more = AlibabaOssScheme(
        [KEY], bucket="shop", region="cn-hangzhou", require_additional=["X-Client", "host"]
    )
    fields = [("X-Client", "192.0.2.1")]
    assert more.verify(sent(more, fields=fields), now=NOW)
    with pytest.raises(CannotSign, match="AdditionalHeaders"):
        sent(more)
    with pytest.raises(NotCovered, match="x-client"):
        more.verify(sent(V4, fields=fields), now=NOW)


def test_another_host_is_refused_where_the_host_is_signed():
    request = set_line(sent(V4), "Host", b"other.example")
    with pytest.raises(BadSignature):
        V4.verify(request, now=NOW)
    assert BARE.verify(set_line(sent(BARE), "Host", b"other.example"), now=NOW)


def test_another_region_or_product_is_refused_though_the_signature_is_good():
    beijing = AlibabaOssScheme([KEY], bucket="shop", region="cn-beijing")
    request = sent(beijing)
    with pytest.raises(ClaimRefused, match="region"):
        V4.verify(request, now=NOW)
    # Only named so, and not signed so.
    value = authorization(sent(V4)).replace(b"cn-hangzhou", b"cn-beijing")
    with pytest.raises(BadSignature):
        V4.verify(set_line(sent(V4), "Authorization", value), now=NOW)


def by_hand(date, day):
    """A request that is signed over *date* with the key of *day*."""
    request = set_line(sent(V4), "x-oss-date", date)
    scope = day + b"/cn-hangzhou/oss/aliyun_v4_request"
    key = v4_key(KEY.secret, day, b"cn-hangzhou", b"oss")
    made = v4_signature(key, date, scope, V4.v4_canonical(request, b"host")[0])
    value = b"OSS4-HMAC-SHA256 Credential=LTAI5t/%b,AdditionalHeaders=host,Signature=%b"
    return set_line(request, "Authorization", value % (scope, made))


def test_a_scope_of_another_day_is_refused_though_the_signature_is_good():
    assert V4.verify(by_hand(b"20251009T085320Z", b"20251009"), now=NOW)
    with pytest.raises(ClaimRefused, match="another day"):
        V4.verify(by_hand(b"20251009T085320Z", b"20251008"), now=NOW)


@pytest.mark.parametrize("date", [b"20251009", b"20251009T995320Z", b"20251009T085320+0100"])
def test_a_date_of_v4_that_is_none_is_refused_though_it_is_signed(date):
    with pytest.raises(MalformedHeader, match="date"):
        V4.verify(by_hand(date, b"20251009"), now=NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-oss-date", None),
        ("x-oss-date", b"Thu, 09 Oct 2025 08:53:20 GMT"),
        ("x-oss-content-sha256", None),
        (
            "x-oss-content-sha256",
            sha256().hexdigest().encode(),
        ),
    ],
)
def test_v4_needs_its_date_and_the_word_for_the_payload(name, value):
    with pytest.raises((MalformedHeader, BadSignature)):
        V4.verify(set_line(sent(V4), name, value), now=NOW)


def test_v1_without_a_date_would_be_good_for_ever():
    request = PlainRequest(target=b"/")
    signed, date = V1.v1_signed(request)
    assert date is None
    value = b"OSS LTAI5t:" + module._v1_mac(KEY, signed)
    with pytest.raises(NotCovered):
        V1.verify(set_line(request, "Authorization", value), now=NOW)
    assert v1_string(request, {}, {}, b"/shop/") == signed


def test_v1_takes_the_date_of_http():
    request = PlainRequest(target=b"/", fields=[("Date", b"Thu, 09 Oct 2025 08:53:20 GMT")])
    value = b"OSS LTAI5t:" + module._v1_mac(KEY, V1.v1_signed(request)[0])
    assert V1.verify(set_line(request, "Authorization", value), now=NOW).timestamp == NOW


def test_the_day_key_is_remembered_of_what_is_authentic_and_bounded(monkeypatch):
    made = []
    real = module.v4_key
    request, forged = sent(V4), set_line(sent(V4), "x-oss-note", b"a")
    monkeypatch.setattr(module, "v4_key", lambda *parts: made.append(parts) or real(*parts))
    scheme = AlibabaOssScheme([KEY], bucket="shop", region="cn-hangzhou")
    with pytest.raises(BadSignature):
        scheme.verify(forged, now=NOW)
    for _ in range(3):
        scheme.verify(request, now=NOW)
    assert len(made) == 2
    monkeypatch.setattr(module, "_DAYS", 1)
    scheme.verify(request, now=NOW)
    tomorrow = scheme.credential(now=NOW + 86400, request=Outgoing("GET", "h", "/", ()))
    later = PlainRequest(
        target=b"/",
        host=b"h",
        fields=[("Host", b"h"), *((name, text.encode()) for name, text in tomorrow.items())],
    )
    assert scheme.verify(later, now=NOW + 86400)
    assert len(scheme._days) == 1


@pytest.mark.parametrize(
    ("scheme", "value", "error"),
    [
        (V4, b"", MissingHeader),
        (V4, b"Bearer x", MissingHeader),
        (V4, b"OSS LTAI5t:" + b"A" * 27 + b"=", MalformedHeader),
        (V1, b"OSS4-HMAC-SHA256 Credential=LTAI5t/20251009", MalformedHeader),
        (V4, b"OSS4-HMAC-SHA256", MalformedHeader),
        (V1, b"OSS LTAI5t:" + b"A" * 65536, MalformedHeader),
        (V1, b"OSS LTAI5t:" + b"A" * 27 + b"=\n", MalformedHeader),
        (V1, b"OSS nobody:" + b"A" * 27 + b"=", BadSignature),
        (V1, b"OSS LTAI5t:" + b"A" * 27 + b"=", BadSignature),
        (V1, "OSS LTAI5t:²".encode(), MalformedHeader),
    ],
)
def test_what_is_not_of_the_form_is_refused(scheme, value, error):
    request = PlainRequest(target=b"/", fields=[("Authorization", value)])
    with pytest.raises(error):
        scheme.verify(request, now=NOW)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b"LTAI5t", b"nobody", BadSignature),
        (b"AdditionalHeaders=host", b"AdditionalHeaders=host;host", MalformedHeader),
        (b"AdditionalHeaders=host", b"AdditionalHeaders=abc;host", MalformedHeader),
        (b"AdditionalHeaders=host,", b"", BadSignature),
        (b"/oss/", b"/oss2/", BadSignature),
        (b"Signature=", b"Signature=0", MalformedHeader),
        (b",Signature", b", Signature", None),
        (b",", b", ", None),
    ],
)
def test_of_the_field_of_v4_spaces_after_commas_alone_may_be_otherwise(old, new, error):
    request = sent(V4)
    set_line(request, "Authorization", authorization(request).replace(old, new))
    if error is None:
        assert V4.verify(request, now=NOW)
        return
    with pytest.raises(error):
        V4.verify(request, now=NOW)


def test_a_host_that_is_signed_must_be_there_once():
    request = sent(V4)
    request.fields.append(("Host", b"shop.example"))
    with pytest.raises(MalformedHeader, match="one Host"):
        V4.verify(request, now=NOW)
    request = set_line(sent(V4), "Host", None)
    with pytest.raises(MalformedHeader, match="one Host"):
        V4.verify(request, now=NOW)


def test_a_field_twice_is_refused():
    for scheme in (V4, V1):
        for name in ("Authorization", "x-oss-date"):
            request = sent(scheme)
            request.fields.append((name, request.header(name)[0]))
            with pytest.raises(MalformedHeader):
                scheme.verify(request, now=NOW)


def test_a_key_verifies_between_its_dates_alone():
    dated = AlibabaOssScheme(
        [Key(KEY.id, KEY.secret, not_after=NOW - 1)], bucket="shop", version="v1"
    )
    with pytest.raises(BadSignature, match="not valid now"):
        dated.verify(sent(V1), now=NOW)


def test_nothing_of_no_request_is_signed():
    with pytest.raises(ConfigurationError, match="must be known"):
        V4.credential(now=NOW)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"bucket": "shop"}, "needs region"),
        ({"bucket": "shop", "region": ""}, "needs region"),
        ({"bucket": "Shop", "region": "r"}, "bucket"),
        ({"bucket": "shop", "region": "a/b"}, "region"),
        ({"bucket": "shop", "region": "r", "version": "v2"}, "version"),
        ({"bucket": "shop", "region": "r", "resource_path": "x"}, "resource_path"),
        ({"bucket": "shop", "region": "r", "sub_resources": ["acl"]}, "sub_resources"),
        ({"bucket": "shop", "region": "r", "version": "v1"}, "region"),
        ({"bucket": "shop", "region": "r", "require_additional": "host"}, "require_additional"),
        ({"bucket": "shop", "region": "r", "require_additional": ["a b"]}, "header"),
        ({"bucket": "shop", "version": "v1", "sub_resources": "acl"}, "sub_resources"),
        ({"bucket": "shop", "region": "r", "max_skew": True}, "max_skew"),
    ],
)
def test_a_wrong_argument_is_an_error_at_start(options, part):
    with pytest.raises(ConfigurationError, match=part):
        AlibabaOssScheme([KEY], **options)


def test_settings_make_it_and_miss_the_bucket():
    given = {"bucket": "shop", "region": "cn-hangzhou"}
    made = SchemeSettings("alibaba-oss", given=given).build_scheme(KeyRing([KEY]))
    assert made.verify(sent(V4), now=NOW)
    with pytest.raises(ConfigurationError, match="needs bucket"):
        SchemeSettings("alibaba-oss").build_scheme(KeyRing([KEY]))


def test_off_requires_no_additional_field():
    [option] = [one for one in AlibabaOssScheme.OPTIONS if one.name == "require_additional"]
    assert option.read("require_additional", "off") == ()
    assert option.read("require_additional", "host, x-a") == ("host", "x-a")


# --- the peer


def by_peer(signer, method, target, key, fields=(), additional=None):
    """What alibabacloud-oss-v2 signs, as an origin receives it."""
    headers = {"Host": "shop.example", **dict(fields)}
    asked = HttpRequest(method, f"https://shop.example{target}", headers=headers)
    provider = StaticCredentialsProvider(KEY.id, KEY.secret.decode())
    signer.sign(
        SigningContext(
            product="oss",
            region="cn-hangzhou",
            bucket="shop",
            key=key,
            request=asked,
            credentials=provider.get_credentials(),
            signing_time=datetime.fromtimestamp(NOW, UTC),
            additional_headers=additional,
        )
    )
    lines = [(name, value.encode()) for name, value in asked.headers.items()]
    return PlainRequest(method=method, target=target.encode(), host=b"shop.example", fields=lines)


@pytest.mark.parametrize(
    ("method", "target", "key", "fields"),
    [
        ("GET", "/a%20b/c.jpg", "a b/c.jpg", {}),
        ("GET", "/%E4%BD%A0?acl&versionId=a%2Fb", "你", {}),
        ("PUT", "/a~b%2Bc", "a~b+c", {"content-type": "text/plain", "x-oss-meta-a": "1"}),
        ("GET", "/x?response-content-type=a%20b&q=1", "x", {"x-oss-meta-b": "2"}),
    ],
)
def test_what_alibabacloud_oss_v2_signs_is_accepted(method, target, key, fields):
    for scheme, signer, additional in (
        (V1, SignerV1(), None),
        (BARE, SignerV4(), None),
        (V4, SignerV4(), {"host"}),
    ):
        request = by_peer(signer, method, target, key, fields, additional)
        assert scheme.verify(request, now=NOW)
        request.method = "OPTIONS"
        with pytest.raises(BadSignature):
            scheme.verify(request, now=NOW)

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
    Expired,
    Key,
    KeyRing,
    MalformedHeader,
    MissingHeader,
    NotCovered,
    NotYetValid,
    SchemeSettings,
    VerificationError,
)
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.alibaba_oss import AlibabaOssScheme
from edgeauth.schemes.alibaba_oss import scheme as module
from edgeauth.schemes.alibaba_oss.strings import (
    V1_CREDENTIAL,
    V4_CREDENTIAL,
    v1_resource,
    v1_string,
    v4_key,
    v4_signature,
)
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
        "/a%3Facl=1%3Fb",
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
    words = r"^the scheme alibaba-oss needs bucket: the name of the bucket that the edge signs for"
    with pytest.raises(ConfigurationError, match=words):
        SchemeSettings("alibaba-oss").build_scheme(KeyRing([KEY]))


def test_off_requires_no_additional_field():
    [option] = [one for one in AlibabaOssScheme.OPTIONS if one.name == "require_additional"]
    assert option.read("require_additional", "off") == ()
    assert option.read("require_additional", "host, x-a") == ("host", "x-a")


def test_what_there_is_to_set_is_read_from_the_text_of_a_variable():
    options = {one.name: one for one in AlibabaOssScheme.OPTIONS}
    assert {name: one.default for name, one in options.items()} == {
        "bucket": None,
        "version": "v4",
        "region": None,
        "max_skew": 900,
        "sub_resources": None,
        "resource_path": "decoded",
        "require_additional": ("host",),
    }
    assert all(one.doc for one in options.values())
    for name, value, read in (
        ("bucket", "shop", "shop"),
        ("version", "v1", "v1"),
        ("version", "v4", "v4"),
        ("region", "cn-hangzhou", "cn-hangzhou"),
        ("max_skew", "7", 7),
        ("sub_resources", "acl, q", ("acl", "q")),
        ("resource_path", "decoded", "decoded"),
        ("resource_path", "raw", "raw"),
    ):
        assert options[name].read(name, value) == read
    for name, value, words in (
        ("bucket", "", "bucket is ''; write a text that is not empty"),
        ("version", "v2", "version is 'v2'; write 'v4' or 'v1'"),
        ("resource_path", "x", "resource_path is 'x'; write 'decoded' or 'raw'"),
        ("require_additional", 7, "require_additional is 7; write a list"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            options[name].read(name, value)
        assert str(caught.value) == words


def test_it_says_what_it_is_and_at_which_fields_it_looks():
    assert (V4.bucket, V4.version, V4.region, V4.max_skew) == ("shop", "v4", "cn-hangzhou", 900)
    assert (V4.resource_path, V4.require_additional) == ("decoded", ("host",))
    assert (V1.bucket, V1.version, V1.region, V1.require_additional) == ("shop", "v1", "", ())
    raw = AlibabaOssScheme([KEY], bucket="shop", version="v1", resource_path="raw")
    assert raw.resource_path == "raw"
    assert "acl" in V1.sub_resources
    assert V4.sub_resources == frozenset()
    assert V4.headers == ("Authorization", "x-oss-date", "x-oss-content-sha256")
    assert V4.looks_at == ("Content-MD5", "Content-Type", "host")
    assert V1.headers == ("Authorization", "x-oss-date")
    assert V1.looks_at == ("Date", "Content-MD5", "Content-Type")
    assert V4.looks_at_beginning == V1.looks_at_beginning == ("x-oss-",)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"region": "a/b"}, "region 'a/b' must be small letters, digits and dashes"),
        ({"region": 7}, "region 7 must be small letters, digits and dashes"),
        ({"bucket": "a" * 65}, f"bucket '{'a' * 65}' must be small letters, digits and dashes"),
        (
            {"sub_resources": ["a"]},
            "sub_resources has no meaning but for version v1: leave sub_res",
        ),
        (
            {"region": "r", "version": "v1"},
            "region has no meaning but for version v4: leave region",
        ),
        ({"require_additional": b"a"}, "require_additional must be a list, not b'a'"),
        ({"max_skew": -1}, "max_skew must be 0 seconds or more, not -1"),
        ({"version": "v3"}, "version 'v3' must be 'v4' or 'v1'"),
        ({"resource_path": "v3"}, "resource_path 'v3' must be 'decoded' or 'raw'"),
        ({"region": None}, "version v4 needs region: that of the bucket, such as 'cn-hangzhou'"),
        ({"version": "v1", "region": None, "sub_resources": "a"}, "sub_resources must be a list"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_must_be(options, words):
    with pytest.raises(ConfigurationError) as caught:
        AlibabaOssScheme([KEY], **{"bucket": "shop", "region": "r", **options})
    assert str(caught.value).startswith(words)
    assert AlibabaOssScheme([KEY], bucket="a" * 64, region="r").bucket == "a" * 64


def test_a_public_key_is_refused_by_the_name_of_the_scheme():
    public = PublicKey.from_text("k", "ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")
    with pytest.raises(ConfigurationError, match="the scheme 'alibaba-oss' compares"):
        AlibabaOssScheme([public], bucket="shop", version="v1")


def test_the_credential_is_of_the_form_that_the_service_reads():
    outgoing = Outgoing("GET", "shop.example", "/", ())
    made = V4.credential(now=NOW + 0.9, request=outgoing)
    assert list(made) == ["Authorization", "x-oss-date", "x-oss-content-sha256"]
    assert (made["x-oss-date"], made["x-oss-content-sha256"]) == (
        "20251009T085320Z",
        "UNSIGNED-PAYLOAD",
    )
    assert made["Authorization"].startswith(
        "OSS4-HMAC-SHA256 Credential=LTAI5t/20251009/cn-hangzhou/oss/aliyun_v4_request,"
        "AdditionalHeaders=host,Signature="
    )
    bare = BARE.credential(now=NOW, request=outgoing)["Authorization"]
    assert "aliyun_v4_request,Signature=" in bare
    made = V1.credential(now=NOW, request=outgoing)
    assert list(made) == ["Authorization", "x-oss-date"]
    assert made["x-oss-date"] == "Thu, 09 Oct 2025 08:53:20 GMT"
    assert made["Authorization"].startswith("OSS LTAI5t:")


def test_the_newest_key_that_is_valid_at_that_moment_signs():
    later = Key("later", "another-secret-of-an-access-key", not_before=NOW + 10)
    for more in ({"version": "v1"}, {"region": "r"}):
        which = AlibabaOssScheme([KEY, later], bucket="shop", **more)
        for now, key in ((NOW, "LTAI5t"), (NOW + 10, "later")):
            made = which.credential(now=now, request=Outgoing("GET", "h", "/", ()))
            fields = [("Host", b"h"), *((name, text.encode()) for name, text in made.items())]
            request = PlainRequest(target=b"/", host=b"h", fields=fields)
            assert which.verify(request, now=now).key_id == key


def test_what_cannot_be_signed_is_told():
    for which in (V4, V1):
        with pytest.raises(CannotSign) as caught:
            sent(which, target="*")
        assert str(caught.value).startswith("the request cannot be signed: the target is no path")
        assert caught.value.__cause__ is None
    with pytest.raises(ConfigurationError, match="alibaba-oss"):
        V4.credential(now=NOW)


def told(request, scheme=V4, now=NOW):
    with pytest.raises(VerificationError) as caught:
        scheme.verify(request, now=now)
    return caught.value.message, caught.value.hint


UNKNOWN = (
    "the signature names an access key id that is not here",
    "give the key the access key id as its id",
)


def test_the_operator_is_told_what_is_wrong_with_a_signature():
    assert told(set_line(sent(V4), "Authorization", None))[0] == "no Authorization header"
    for which in (V4, V1):
        message, hint = told(set_line(sent(which), "x-oss-note", b"a"), which)
        assert message == "key LTAI5t did not make this signature of this request"
        assert hint.startswith("does something between edge and origin change the method, the path")
        named = authorization(sent(which)).replace(b"LTAI5t", b"nobody")
        assert told(set_line(sent(which), "Authorization", named), which) == UNKNOWN
    assert told(sent(AlibabaOssScheme([KEY], bucket="shop", region="r"))) == (
        "the signature is good, and for another region or product",
        "the setting region is 'cn-hangzhou', the product oss: write them at the edge",
    )
    assert told(by_hand(b"20251009T085320Z", b"20251008")) == (
        "the signature is good, and its scope is of another day",
        None,
    )
    assert told(sent(BARE)) == (
        "the signature leaves out host",
        "let the edge name it in AdditionalHeaders, or require less here (require_additional)",
    )
    request = PlainRequest(target=b"/")
    value = b"OSS LTAI5t:" + module._v1_mac(KEY, V1.v1_signed(request)[0])
    assert told(set_line(request, "Authorization", value), V1) == (
        "no date is signed: it would be good for ever",
        "let the edge send x-oss-date or Date",
    )


def test_the_operator_is_told_of_each_field_that_is_left_out_in_order():
    more = AlibabaOssScheme(
        [KEY], bucket="shop", region="cn-hangzhou", require_additional=["X-B", "x-a", "Host", "x-b"]
    )
    assert more.require_additional == ("host", "x-a", "x-b")
    assert told(sent(BARE), more)[0] == "the signature leaves out host, x-a, x-b"


def test_the_operator_is_told_what_is_wrong_with_the_fields_of_v4():
    both = (
        "x-oss-date is missing, or x-oss-content-sha256 is not UNSIGNED-PAYLOAD",
        "the edge must send both",
    )
    assert told(set_line(sent(V4), "x-oss-date", None)) == both
    assert told(set_line(sent(V4), "x-oss-content-sha256", b"a")) == both
    value = authorization(sent(V4))
    named = value.replace(b"=host,", b"=host;x-a,")
    assert told(set_line(sent(V4), "Authorization", named)) == (
        "a field of AdditionalHeaders is not in the request",
        "does something between edge and origin remove or rename a field?",
    )
    for names in (b"=x-a;host,", b"=host;host,"):
        named = value.replace(b"=host,", names)
        assert told(set_line(sent(V4), "Authorization", named))[0] == (
            "AdditionalHeaders is not sorted, or names a field twice"
        )


@pytest.mark.parametrize(
    ("scheme", "value", "message", "hint"),
    [
        (V4, b"Bearer x", "Authorization holds no signature of OSS", None),
        (V4, b"OSS", "Authorization is signed in another version than v4", "v4"),
        (V1, b"OSS4-HMAC-SHA256", "Authorization is signed in another version than v1", "v1"),
        (V4, b"OSS4-HMAC-SHA256", "Authorization is not of the form of v4", None),
        (V1, b"OSS", "Authorization is not of the form of v1", None),
    ],
)
def test_the_operator_is_told_which_version_is_meant(scheme, value, message, hint):
    request = PlainRequest(target=b"/", fields=[("Authorization", value)])
    wanted = None if hint is None else f"let the edge sign with {hint}, or set version here"
    assert told(request, scheme) == (message, wanted)


def test_v1_signs_the_date_of_the_service_before_that_of_http():
    fields = [("Date", "Thu, 09 Oct 2025 00:00:00 GMT")]
    assert V1.verify(sent(V1, fields=fields), now=NOW).timestamp == NOW
    request = sent(V1, fields=fields)
    signed, date = V1.v1_signed(request)
    assert date == b"Thu, 09 Oct 2025 08:53:20 GMT"
    assert signed.split(b"\n")[:5] == [b"GET", b"", b"", date, b"x-oss-date:" + date]


def test_the_skew_is_that_of_the_settings():
    for which in (
        AlibabaOssScheme([KEY], bucket="shop", version="v1", max_skew=1),
        AlibabaOssScheme([KEY], bucket="shop", region="r", max_skew=1),
    ):
        assert which.verify(sent(which), now=NOW + 1).scheme == "alibaba-oss"
        with pytest.raises(Expired, match="past max_skew 1 s"):
            which.verify(sent(which), now=NOW + 2)
        with pytest.raises(NotYetValid, match="past max_skew 1 s"):
            which.verify(sent(which), now=NOW - 2)


def test_each_day_is_remembered_for_each_key_until_there_are_64():
    other = Key("other", "another-secret-of-an-access-key")
    which = AlibabaOssScheme([KEY, other], bucket="shop", region="cn-hangzhou")
    one = AlibabaOssScheme([other], bucket="shop", region="cn-hangzhou")
    for signer in (V4, one):
        assert which.verify(sent(signer), now=NOW)
    assert set(which._days) == {(b"LTAI5t", b"20251009"), (b"other", b"20251009")}
    for number in range(62):
        which._days[b"other", b"%d" % number] = b"key"
    for signer in (V4, one):
        assert which.verify(sent(signer), now=NOW)
    assert len(which._days) == 64
    later = by_hand(b"20251010T000000Z", b"20251010")
    with pytest.raises(NotYetValid):
        which.verify(later, now=NOW)
    assert set(which._days) == {(b"LTAI5t", b"20251010")}


# --- the strings


def test_the_string_of_v1_has_a_line_for_each_part():
    md5 = [("Content-MD5", b"m"), ("Content-Type", b"t"), ("Date", b"d")]
    own = [("x-oss-b", b"2"), ("X-OSS-a", b"1")]
    request = PlainRequest(method="PUT", target=b"/k?acl&b=1&uploadId=7", fields=[*md5, *own])
    assert V1.v1_signed(request) == (
        b"PUT\nm\nt\nd\nx-oss-a:1\nx-oss-b:2\n/shop/k?acl&uploadId=7",
        b"d",
    )
    bare = AlibabaOssScheme([KEY], bucket="", version="v1")
    assert bare.v1_signed(PlainRequest(target=b"/k?q"))[0] == b"GET\n\n\n\n/k"


def test_the_string_of_v4_has_a_line_for_each_part():
    lines = [("Content-MD5", b"m"), ("Content-Type", b"t"), ("x-oss-date", b"d")]
    lines += [("x-oss-content-sha256", b"UNSIGNED-PAYLOAD"), ("Host", b"h"), ("Other", b"o")]
    request = PlainRequest(method="PUT", target=b"/k?b=1&a&c==&b=0", host=b"h", fields=lines)
    for names, line in (
        (b"", []),
        (b"host", [b"host:h"]),
        (b"host;other", [b"host:h", b"other:o"]),
    ):
        canonical, found = V4.v4_canonical(request, names)
        assert canonical.split(b"\n") == [
            *(b"PUT", b"/shop/k", b"a&b=0&b=1&c=="),
            *(b"content-md5:m", b"content-type:t", *line),
            *(b"x-oss-content-sha256:UNSIGNED-PAYLOAD", b"x-oss-date:d", b"", names),
            b"UNSIGNED-PAYLOAD",
        ]
        assert found[b"x-oss-date"] == b"d"


def test_the_fields_that_v4_needs_may_be_named_as_additional_ones():
    lines = [("x-oss-date", b"d"), ("x-oss-content-sha256", b"UNSIGNED-PAYLOAD")]
    request = PlainRequest(target=b"/", fields=lines)
    assert V4.v4_canonical(request, b"x-oss-content-sha256;x-oss-date")[1].keys() == {
        b"x-oss-content-sha256",
        b"x-oss-date",
    }


def test_a_path_is_encoded_anew_unless_it_is_plain():
    def path(target, **more):
        which = AlibabaOssScheme([KEY], bucket="", region="r", **more)
        lines = [("x-oss-date", b"d"), ("x-oss-content-sha256", b"UNSIGNED-PAYLOAD")]
        request = PlainRequest(target=target, fields=lines)
        return which.v4_canonical(request, b"")[0].split(b"\n")[1]

    assert path(b"/aZ09_.~-/b") == b"/aZ09_.~-/b"
    assert path(b"/%61%2f(%7E%ff)") == b"/a/%28~%FF%29"
    assert path(b"/%61%2f(%7E%ff)", resource_path="raw") == b"/%61%2f(%7E%ff)"


@pytest.mark.parametrize(
    ("target", "resource"),
    [
        (b"/a%20b?", b"/shop/a b"),
        (b"/a?q=1", b"/shop/a"),
        (b"/a?versionId=&acl", b"/shop/a?acl&versionId"),
        (b"/a?versionId=%61%3d=&x&acl", b"/shop/a?acl&versionId=a=="),
    ],
)
def test_of_the_query_v1_signs_sub_resources_sorted_and_decoded(target, resource):
    request = PlainRequest(target=target)
    assert v1_resource(request, b"shop", V1.sub_resources, raw=False) == resource


def test_the_operator_is_told_what_v1_cannot_sign():
    for target, words in (
        (b"/a?acl&acl", "a sub-resource is there twice, and it is signed"),
        (b"/a%3Facl", "a decoded part of the target reads like a sub-resource, so the signature"),
        (
            b"/a%3Fb&acl=1",
            "a decoded part of the target reads like a sub-resource, so the signature",
        ),
        (b"/a?acl=1%26append", "a decoded part of the target reads like a sub-resource, so the"),
        (b"/a?acl=1%26b%26append=2", "a decoded part of the target reads like a sub-resource"),
    ):
        with pytest.raises(MalformedHeader) as caught:
            v1_resource(PlainRequest(target=target), b"shop", V1.sub_resources, raw=False)
        assert str(caught.value).startswith(words)
    request = PlainRequest(target=b"/a%3Facl")
    assert v1_resource(request, b"shop", V1.sub_resources, raw=True) == b"/shop/a%3Facl"


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("id", b"a" * 64, True),
        ("id", b"a" * 65, False),
        ("id", b"Aa0._-", True),
        ("id", b"a/b", False),
        ("day", b"2025109", False),
        ("day", b"202510090", False),
        ("region", b"r" * 64, True),
        ("region", b"r" * 65, False),
        ("region", b"R", False),
        ("region", b"", False),
        ("product", b"p" * 32, True),
        ("product", b"p" * 33, False),
        ("product", b"", False),
        ("names", b"!#$%&'*+.^`|~-", True),
        ("names", b"a" * 128, True),
        ("names", b"a" * 129, False),
        ("names", b"A", False),
        ("names", b"a;", False),
        ("names", b";".join([b"a"] * 64), True),
        ("names", b";".join([b"a"] * 65), False),
        ("signature", b"0" * 63, False),
        ("signature", b"A" * 64, False),
    ],
)
def test_the_field_of_v4_has_its_form_and_no_other(name, value, fits):
    parts = {
        "id": b"k",
        "day": b"20251009",
        "region": b"r",
        "product": b"oss",
        "names": b"host",
        "signature": b"0" * 64,
        name: value,
    }
    text = (
        b"OSS4-HMAC-SHA256 Credential=%(id)b/%(day)b/%(region)b/%(product)b/aliyun_v4_request,"
        b"AdditionalHeaders=%(names)b,Signature=%(signature)b"
    ) % {part.encode(): given for part, given in parts.items()}
    assert (V4_CREDENTIAL.fullmatch(text) is not None) is fits


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (b"OSS k:" + b"A" * 27 + b"=", True),
        (b"OSS " + b"k" * 64 + b":" + b"A" * 27 + b"=", True),
        (b"OSS " + b"k" * 65 + b":" + b"A" * 27 + b"=", False),
        (b"OSS k:" + b"A" * 26 + b"=", False),
        (b"OSS k:" + b"+/0az" + b"A" * 22 + b"=", True),
        (b"OSS k:" + b"A" * 26 + b"-=", False),
    ],
)
def test_the_field_of_v1_has_its_form_and_no_other(value, fits):
    assert (V1_CREDENTIAL.fullmatch(value) is not None) is fits


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

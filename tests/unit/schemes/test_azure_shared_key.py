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
    Expired,
    Key,
    KeyRing,
    MalformedHeader,
    MissingHeader,
    NotCovered,
    SchemeSettings,
    VerificationError,
)
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.azure_shared_key import CREDENTIAL, LINES, AzureSharedKeyScheme
from edgeauth.schemes.base import CannotSign, Outgoing
from edgeauth.verdict import BodyDigest

NOW = 1_760_000_000
SECRET = b64encode(bytes(range(64))).decode()
PUBLIC = "ed25519:JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="
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


def test_what_there_is_to_set_is_read_from_the_text_of_a_variable():
    options = {one.name: one for one in AzureSharedKeyScheme.OPTIONS}
    assert {name: one.default for name, one in options.items()} == {
        "account": None,
        "max_skew": 900,
        "lite": False,
    }
    assert all(one.doc for one in options.values())
    assert options["lite"].default is False
    for name, value, read in (
        ("account", "edgeacct", "edgeacct"),
        ("max_skew", "7", 7),
        ("lite", "true", True),
    ):
        assert options[name].read(name, value) == read
    with pytest.raises(ConfigurationError, match=r"^lite is 7; write true or false"):
        options["lite"].read("lite", 7)


def test_it_says_what_it_is_and_at_which_fields_it_looks():
    assert (SCHEME.account, SCHEME.max_skew, SCHEME.lite) == ("edgeacct", 900, False)
    assert (SCHEME.word, LITE.word, LITE.lite) == (b"SharedKey", b"SharedKeyLite", True)
    assert SCHEME.headers == LITE.headers == ("Authorization", "x-ms-date")
    assert SCHEME.looks_at_beginning == ("x-ms-",)
    assert LITE.looks_at == ("Content-Md5", "Content-Type", "Date")
    assert SCHEME.looks_at == (
        *("Content-Encoding", "Content-Language", "Content-Length", "Content-Md5"),
        *("Content-Type", "Date", "If-Modified-Since", "If-Match", "If-None-Match"),
        *("If-Unmodified-Since", "Range"),
    )


@pytest.mark.parametrize(
    ("keys", "options", "words"),
    [
        (
            [Key("k1", "no base64 at all!!")],
            {},
            "the secret of key 'k1' is no base64: copy the key of the storage account as the",
        ),
        (
            [Key("k1", b64encode(bytes(15)).decode())],
            {},
            "the secret of key 'k1' stands for 15 bytes; a key of a storage account has 64, and",
        ),
        ([SECRET], {"account": "a" * 65}, "account 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        (
            [SECRET],
            {"account": "a.b"},
            "account 'a.b' must be the name of the storage account: letters and digits",
        ),
        ([SECRET], {"account": 7}, "account 7 must be the name of the storage account"),
        ([SECRET], {"max_skew": -1}, "max_skew must be 0 seconds or more, not -1"),
        (
            [PublicKey.from_text("p", PUBLIC)],
            {},
            "key 'p' is a public key, and the scheme 'azure-sh",
        ),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_must_be(keys, options, words):
    with pytest.raises(ConfigurationError) as caught:
        AzureSharedKeyScheme(keys, **{"account": "edgeacct", **options})
    assert str(caught.value).startswith(words)
    assert caught.value.__cause__ is None


def test_an_account_has_at_most_64_letters_and_a_key_at_least_16_bytes():
    least = Key("k", b64encode(bytes(range(16))).decode(), NOW, NOW + 10)
    which = AzureSharedKeyScheme([least], account="aZ-09" + "a" * 59)
    [key] = which.decoded
    assert (key.id, key.secret, key.not_before, key.not_after) == (
        *("k", bytes(range(16)), NOW),
        NOW + 10,
    )


def test_settings_that_miss_the_account_say_what_it_is():
    words = "the scheme azure-shared-key needs account: the name of the storage account that the"
    with pytest.raises(ConfigurationError, match=words):
        AzureSharedKeyScheme.from_options(KeyRing([Key("k1", SECRET)]), {"account": None})


def test_the_credential_is_of_the_form_that_the_service_reads():
    for which, word in ((SCHEME, "SharedKey"), (LITE, "SharedKeyLite")):
        made = which.credential(now=NOW + 0.9, request=Outgoing("GET", "h", "/", ()))
        assert list(made) == ["Authorization", "x-ms-date"]
        assert made["x-ms-date"] == "Thu, 09 Oct 2025 08:53:20 GMT"
        assert made["Authorization"].startswith(f"{word} edgeacct:")


def test_the_newest_key_that_is_valid_at_that_moment_signs():
    later = Key("later", b64encode(b"x" * 32).decode(), not_before=NOW + 10)
    which = AzureSharedKeyScheme([Key("k1", SECRET), later], account="edgeacct")
    for now, key in ((NOW, "k1"), (NOW + 10, "later")):
        made = which.credential(now=now, request=Outgoing("GET", "h", "/", ()))
        fields = [(name, text.encode()) for name, text in made.items()]
        assert which.verify(PlainRequest(target=b"/", fields=fields), now=now).key_id == key


def test_what_cannot_be_signed_is_told():
    with pytest.raises(
        CannotSign, match=r"^the request cannot be signed: the target is no"
    ) as caught:
        sent(target="*")
    assert caught.value.__cause__ is None
    with pytest.raises(ConfigurationError, match="azure-shared-key"):
        SCHEME.credential(now=NOW)


def test_the_length_of_a_body_is_that_which_is_declared():
    declared = Outgoing("PUT", "h", "/", [("content-LENGTH", "7")], b"abc")
    alone = Outgoing("PUT", "h", "/", (), b"abc")
    for outgoing, length in ((declared, b"7"), (alone, b"3")):
        made = SCHEME.credential(now=NOW, request=outgoing)
        fields = [(name, text.encode()) for name, text in made.items()]
        fields.append(("Content-Length", length))
        request = PlainRequest(method="PUT", target=b"/", fields=fields)
        assert SCHEME.verify(request, now=NOW)
        assert "content-length" not in made


def told(request, scheme=SCHEME):
    with pytest.raises(VerificationError) as caught:
        scheme.verify(request, now=NOW)
    return caught.value.message, caught.value.hint


def test_the_operator_is_told_what_is_wrong_with_a_signature():
    assert told(PlainRequest(target=b"/"))[0] == "no Authorization header"
    twice = PlainRequest(target=b"/", fields=[("Authorization", b"a"), ("authorization", b"a")])
    assert told(twice)[0] == "2 Authorization headers; there must be one"
    message, hint = told(
        sent(), AzureSharedKeyScheme([Key("k", b64encode(b"x" * 32))], account="a")
    )
    assert message == "no key here made this signature of this request"
    assert hint.startswith("does something between edge and origin change the method, the path")
    other = AzureSharedKeyScheme([Key("k1", SECRET)], account="other")
    value = authorization(sent()).replace(b"edgeacct", b"other")
    request = sent()
    request.fields[0] = ("Authorization", value)
    assert told(request) == (
        "the signature is good, and the field names another account",
        "the setting account is 'edgeacct': write it at the edge",
    )
    assert told(sent(), other)[0] == "no key here made this signature of this request"
    bare = PlainRequest(target=b"/")
    mac = SCHEME.decoded.newest_first[0].mac(SCHEME.string_to_sign(bare))
    bare.fields.append(("Authorization", b"SharedKey edgeacct:" + b64encode(mac)))
    assert told(bare) == (
        "no date is signed: it would be good for ever",
        "let the edge send x-ms-date",
    )


def authorization(request):
    return request.header("Authorization")[0]


FORM = "the edge must send {} ACCOUNT:SIGNATURE, a signature of 44 characters of base64"


@pytest.mark.parametrize(
    ("scheme", "value", "message", "hint"),
    [
        (SCHEME, b"Bearer x", "Authorization holds no SharedKey", None),
        (LITE, b"Bearer x", "Authorization holds no SharedKeyLite", None),
        (SCHEME, b"SharedKey x", "Authorization is not of the form", FORM.format("SharedKey")),
        (LITE, b"SharedKey x", "Authorization is not of the form", FORM.format("SharedKeyLite")),
        (
            SCHEME,
            b"SharedKeyLite a:" + b"A" * 43 + b"=",
            "Authorization is signed as SharedKeyLite, and SharedKey is what counts",
            "sign so at the edge, or set lite = true; it leaves the query unsigned",
        ),
        (
            LITE,
            b"SharedKey a:" + b"A" * 43 + b"=",
            "Authorization is signed as SharedKey, and SharedKeyLite is what counts",
            "sign so at the edge, or set lite = false",
        ),
    ],
)
def test_the_operator_is_told_which_word_is_meant(scheme, value, message, hint):
    request = PlainRequest(target=b"/", fields=[("Authorization", value)])
    assert told(request, scheme) == (message, hint)


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        (b"SharedKey " + b"a" * 64 + b":" + b"A" * 43 + b"=", True),
        (b"SharedKey " + b"a" * 65 + b":" + b"A" * 43 + b"=", False),
        (b"SharedKey aZ-09:" + b"+/09az" + b"A" * 37 + b"=", True),
        (b"SharedKeyLite a:" + b"A" * 43 + b"=", True),
        (b"SharedKey a:" + b"A" * 42 + b"=", False),
        (b"SharedKey a:" + b"A" * 44 + b"=", False),
        (b"SharedKey a:" + b"A" * 42 + b"-=", False),
        (b"sharedkey a:" + b"A" * 43 + b"=", False),
    ],
)
def test_the_field_has_its_form_and_no_other(value, fits):
    assert (CREDENTIAL.fullmatch(value) is not None) is fits


def test_the_string_that_is_signed_has_a_line_for_each_part():
    names = [name.decode() for name in LINES]
    lines = [(name, b"%d" % place) for place, name in enumerate(names)]
    own = [("x-ms-b", b"2"), ("x-ms-a", b"1")]
    request = PlainRequest(method="PUT", target=b"/a%20b?B=2&a=%31&b=1&&c", fields=lines + own)
    assert SCHEME.string_to_sign(request).split(b"\n") == [
        *(b"PUT", *[b"%d" % place for place in range(11)]),
        *(b"x-ms-a:1", b"x-ms-b:2"),
        *(b"/edgeacct/a%20b", b"a:1", b"b:1,2", b"c:"),
    ]
    assert LITE.string_to_sign(request).split(b"\n") == [
        *(b"PUT", b"3", b"4", b"5", b"x-ms-a:1", b"x-ms-b:2", b"/edgeacct/a%20b"),
    ]
    assert LITE.string_to_sign(PlainRequest(target=b"/?x&COMP=l%20s")).split(b"\n") == [
        *(b"GET", b"", b"", b"", b"/edgeacct/?comp=l s"),
    ]


def test_a_date_of_the_service_empties_that_of_http_and_a_length_of_none_is_empty():
    lines = [("Date", b"d"), ("Content-Length", b"0"), ("x-ms-date", b"m")]
    found = SCHEME.string_to_sign(PlainRequest(target=b"/", fields=lines)).split(b"\n")
    assert found == [b"GET", *[b""] * 11, b"x-ms-date:m", b"/edgeacct/"]
    assert LITE.string_to_sign(PlainRequest(target=b"/", fields=lines)).split(b"\n") == [
        *(b"GET", b"", b"", b"", b"x-ms-date:m", b"/edgeacct/"),
    ]


def test_the_date_of_the_service_counts_before_that_of_http():
    assert SCHEME.verify(sent(fields=[("Date", "Thu, 09 Oct 2025 00:00:00 GMT")]), now=NOW)
    request = PlainRequest(target=b"/", fields=[("Date", b"Thu, 09 Oct 2025 08:53:20 GMT")])
    mac = SCHEME.decoded.newest_first[0].mac(SCHEME.string_to_sign(request))
    request.fields.append(("Authorization", b"SharedKey edgeacct:" + b64encode(mac)))
    assert SCHEME.verify(request, now=NOW).timestamp == NOW


def test_the_operator_is_told_what_the_query_reads_like():
    for target in (b"/?a=1%0Ab:2", b"/?a%0Ab=1", b"/?a=%0A:"):
        with pytest.raises(MalformedHeader) as caught:
            SCHEME.string_to_sign(PlainRequest(target=target))
        assert str(caught.value).startswith(
            "a line break in the query reads like another parameter"
        )
    assert SCHEME.string_to_sign(PlainRequest(target=b"/?a=1:2%0Ab%0Ac"))
    with pytest.raises(
        MalformedHeader, match=r"^the parameter comp is there twice, and it is signed$"
    ):
        LITE.string_to_sign(PlainRequest(target=b"/?comp=1&comp=1"))


def test_names_are_sorted_by_letters_and_then_by_dashes():
    order = [
        *("x-ms-", "x-ms-!", "x-ms-#", "x-ms-$", "x-ms-%", "x-ms-&", "x-ms-*", "x-ms-.", "x-ms-^"),
        *("x-ms-_", "x-ms-`", "x-ms-|", "x-ms-~", "x-ms-+", "x-ms-0", "x-ms-9"),
        *(
            "x-ms-a",
            "x-ms-a'",
            "x-ms-a-",
            "x-ms-ab",
            "x-ms-ab'",
            "x-ms-ab-",
            "x-ms-a'b",
            "x-ms-a-b",
            "x-ms-z",
        ),
    ]
    lines = [(name, b"1") for name in sorted(order)]
    signed = SCHEME.string_to_sign(PlainRequest(target=b"/", fields=lines)).split(b"\n")
    assert [line[:-2].decode() for line in signed if line.startswith(b"x-ms-")] == order


def test_the_skew_is_that_of_the_settings():
    strict = AzureSharedKeyScheme([Key("k1", SECRET)], account="edgeacct", max_skew=1)
    assert strict.verify(sent(), now=NOW + 1)
    with pytest.raises(Expired, match="past max_skew 1 s"):
        strict.verify(sent(), now=NOW + 2)


def test_an_md5_has_16_bytes_and_lite_signs_it_too():
    digest = b64encode(bytes(range(200, 216))).decode()
    identity = LITE.verify(sent(LITE, method="PUT", fields=[("Content-MD5", digest)]), now=NOW)
    assert identity.body == BodyDigest("md5", bytes(range(200, 216)))
    assert identity.covers == {"method", "path", "time", "body"}
    for other in (digest[:-2], digest + "=", b64encode(bytes(15)).decode()):
        identity = LITE.verify(sent(LITE, method="PUT", fields=[("Content-MD5", other)]), now=NOW)
        assert (identity.body, identity.covers) == (None, {"method", "path", "time"})


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

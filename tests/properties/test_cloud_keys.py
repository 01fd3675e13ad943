"""Requests that are signed with the keys of storage clouds, by us and by the clouds' signers."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import quote, unquote

import pytest
from alibabacloud_oss_v2.credentials import StaticCredentialsProvider
from alibabacloud_oss_v2.signer import SignerV1, SignerV4
from alibabacloud_oss_v2.types import HttpRequest, SigningContext
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy
from hypothesis import given
from hypothesis import strategies as st
from support.cloud_key_apps import AZURE_SECRET, GATES, OSS_SECRET, gate_scheme
from support.requests import PlainRequest

from edgeauth import VerificationError
from edgeauth.schemes.base import CannotSign, Outgoing

NOW = 1_760_000_000
SCHEMES = {name: gate_scheme(name) for name in GATES}

methods = st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"])
texts = st.text("aA1%2Fb/ ~.+&=?:,;'()é你\n\r", max_size=8)
segments = st.lists(texts.map(lambda text: quote(text, safe="/")), max_size=3)
paths = segments.map(lambda parts: "/" + "/".join(parts))
queries = st.lists(
    st.tuples(
        st.sampled_from(["acl", "q", "versionId", "comp", "Q", "x-oss-process", "%61cl", ""]),
        texts.map(lambda text: quote(text, safe="+,:")),
    ),
    max_size=3,
).map(lambda pairs: "&".join(f"{name}={value}" if value else name for name, value in pairs))
names = st.sampled_from(
    [
        *("Content-Type", "Range", "If-Match", "x-ms-meta-a-b", "x-ms-meta-a_b", "x-ms-meta-ab"),
        *("x-oss-meta-a", "x-oss-meta-b", "X-Other"),
    ]
)
fields = st.dictionaries(names, st.sampled_from(["a", "b c", '"x"', "1"]), max_size=4)


def received(method, target, lines, host="shop.example"):
    return PlainRequest(
        method=method,
        target=target.encode(),
        host=host.encode(),
        fields=[("Host", host.encode()), *((name, value.encode()) for name, value in lines)],
    )


def accepts(scheme, request, now=NOW):
    try:
        scheme.verify(request, now=now)
    except VerificationError:
        return False
    return True


def signed(scheme, method, path, query, lines):
    target = f"{path}?{query}" if query else path
    given = list(lines.items())
    made = scheme.credential(now=NOW, request=Outgoing(method, "shop.example", target, given))
    return received(method, target, [*given, *made.items()])


@pytest.mark.parametrize("name", SCHEMES)
@given(method=methods, path=paths, query=queries, lines=fields)
def test_what_is_signed_verifies_at_its_time_and_not_beside_it(name, method, path, query, lines):
    try:
        request = signed(SCHEMES[name], method, path, query, lines)
    except CannotSign:
        return
    assert accepts(SCHEMES[name], request, NOW - 900)
    assert accepts(SCHEMES[name], request, NOW + 900)
    assert not accepts(SCHEMES[name], request, NOW + 901)
    assert not accepts(SCHEMES[name], request, NOW - 901)
    assert not accepts(SCHEMES[name], request, float("nan"))


@pytest.mark.parametrize("name", SCHEMES)
@given(
    method=methods,
    path=paths,
    place=st.integers(0, 400),
    flip=st.integers(1, 127),
    data=st.data(),
)
def test_no_byte_of_the_credential_can_be_another(name, method, path, place, flip, data):
    try:
        request = signed(SCHEMES[name], method, path, "", {})
    except CannotSign:
        return
    which = data.draw(st.sampled_from(SCHEMES[name].headers))
    for index, (field, value) in enumerate(request.fields):
        if field.lower() == which.lower():
            changed = bytearray(value)
            changed[place % len(value)] ^= flip
            request.fields[index] = (field, bytes(changed))
    assert not accepts(SCHEMES[name], request)


@pytest.mark.parametrize("name", SCHEMES)
@given(
    value=st.binary(max_size=200)
    | st.from_regex(rb"(SharedKey(Lite)?|OSS) [a-zA-Z0-9]*:[A-Za-z0-9+/]{0,50}=*")
    | st.from_regex(rb"OSS4-HMAC-SHA256 Credential=.{0,90},Signature=[0-9a-f]*"),
    date=st.binary(max_size=40),
    target=st.none() | st.binary(max_size=60),
    method=st.text(max_size=6),
)
def test_bytes_of_a_client_raise_nothing_but_refusals(name, value, date, target, method):
    scheme = SCHEMES[name]
    lines = [("Authorization", value), (scheme.headers[1], date), ("Host", date)]
    request = PlainRequest(method=method, target=target, host=date, fields=lines)
    assert not accepts(scheme, request)


def by_azure(method, path, pairs, lines):
    date = datetime.fromtimestamp(NOW, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {**{name.lower(): value for name, value in lines.items()}, "x-ms-date": date}
    asked = SimpleNamespace(
        method=method,
        url=f"https://shop.example{path}",
        headers=headers,
        query={name: quote(value, safe="") for name, value in pairs.items()},
    )
    policy = SharedKeyCredentialPolicy("edgeacct", AZURE_SECRET)
    context = SimpleNamespace(transport=None)
    policy.on_request(SimpleNamespace(http_request=asked, context=context))
    query = "&".join(f"{name}={value}" for name, value in asked.query.items())
    return received(method, f"{path}?{query}" if query else path, headers.items())


plain = st.text("aA1 ~.é你+&=?,", max_size=6)


@given(
    method=methods,
    path=st.text("aA1 ~.é", max_size=8).map(lambda text: "/c/" + quote(text)),
    pairs=st.dictionaries(st.sampled_from(["comp", "restype", "prefix"]), plain, max_size=3),
    # It signs no Range, and takes no field whose name is not lower case for its own.
    lines=fields.filter(lambda lines: "Range" not in lines),
)
def test_what_azure_storage_blob_signs_is_accepted(method, path, pairs, lines):
    assert accepts(SCHEMES["azure"], by_azure(method, path, pairs, lines))


@given(
    method=methods,
    key=st.text("aA1 ~.é你+&=?,()'/", min_size=1, max_size=8),
    pairs=st.dictionaries(st.sampled_from(["acl", "versionId", "q"]), plain, max_size=3),
    lines=fields,
)
def test_what_alibabacloud_oss_v2_signs_is_accepted(method, key, pairs, lines):
    target = "/" + quote(key, safe="/~")
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items())
    provider = StaticCredentialsProvider("LTAI5t", OSS_SECRET)
    for name, signer, additional in (
        ("oss-v1", SignerV1(), None),
        ("oss-v4", SignerV4(), {"host"}),
    ):
        whole = f"{target}?{query}" if query else target
        headers = {"Host": "shop.example", **lines}
        asked = HttpRequest(method, f"https://shop.example{whole}", headers=headers)
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
        request = received(method, whole, [(n, v) for n, v in asked.headers.items() if n != "Host"])
        assert unquote(target) == "/" + key
        assert accepts(SCHEMES[name], request) or (
            name == "oss-v1" and reads_like_another(key, pairs)
        )


def reads_like_another(key, pairs):
    """Whether what version 1 signs could be a request with another sub-resource: refused here."""
    return "?" in key or any("&" in value for value in pairs.values())

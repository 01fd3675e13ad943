"""Akamai's Signature Header Authentication: what is accepted, and what nobody may send."""

from __future__ import annotations

import hashlib
import hmac
import math
import pickle
from base64 import b64encode
from dataclasses import replace

import pytest
from support.akamai_g2o import rows
from support.requests import PlainRequest

from edgeauth import (
    BadSignature,
    ClaimRefused,
    ConfigurationError,
    Expired,
    Guard,
    Key,
    MalformedHeader,
    MissingHeader,
    NotYetValid,
    VerificationError,
)
from edgeauth.replay import MemoryReplayStore
from edgeauth.request import HANDSHAKE
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme

ROWS = rows()
NOW = 1_760_000_000
SECRET = "a-secret-that-akamai-has-as-well"
KEY = Key("key-1", SECRET)
DATA, SIGN = "X-Akamai-G2O-Auth-Data", "X-Akamai-G2O-Auth-Sign"
TARGET = "/a/b%20c?q=1&q=2"


def data_header(
    version=5, edge="192.0.2.1", client="198.51.100.7", time=NOW, unique="1.2", key_id="key-1"
):
    return f"{version}, {edge}, {client}, {time}, {unique}, {key_id}"


def sign(data, signed, *, secret=SECRET, version=5):
    """The signature, by the table of versions and nothing of ours."""
    key, message = secret.encode(), (data + signed).encode("latin-1")

    def md5(*parts):
        return hashlib.md5(b"".join(parts)).digest()  # noqa: S324

    made = {
        1: lambda: md5(key, message),
        2: lambda: md5(key, md5(key, message)),
        3: lambda: hmac.digest(key, message, "md5"),
        4: lambda: hmac.digest(key, message, "sha1"),
        5: lambda: hmac.digest(key, message, "sha256"),
    }[version]()
    return b64encode(made).decode()


def request_of(data, signature, *, target=TARGET, **more):
    found = PlainRequest(target=target.encode("latin-1"), **more)
    found.fields = [
        ("Host", b"shop.example"),
        (DATA, data.encode("latin-1")),
        (SIGN, signature.encode("latin-1")),
    ]
    return found


def signed(data=None, *, target=TARGET, string=None, version=5, **more):
    data = data_header(version=version) if data is None else data
    signature = sign(data, target if string is None else string, version=version)
    return request_of(data, signature, target=target, **more)


def verified(request, *, now=NOW, **arguments):
    return AkamaiG2OScheme([KEY], **arguments).verify(request, now=now)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_is_decided_as_it_says(row):
    if row.accept:
        identity = row.verify(row.plain())
        assert identity.scheme == "akamai-g2o"
        assert identity.key_id in row.settings["keys"]
    else:
        with pytest.raises(VerificationError):
            row.verify(row.plain())


# --- what is vouched for


def test_the_identity_has_what_the_edge_vouches_for_and_no_more():
    identity = verified(signed())

    assert identity[:4] == (NOW, None, "key-1", "akamai-g2o")
    assert identity.covers == {"path", "query", "time", "once"}
    assert identity.body is None
    assert identity.claims == {"edge_address": "192.0.2.1", "client_address": "198.51.100.7"}
    assert identity.once == (data_header().encode(), NOW + 30, NOW - 30)


@pytest.mark.parametrize(
    ("client", "found"),
    [
        ("2001:DB8::7", "2001:db8::7"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("fe80::1%eth0", None),
        ("localhost", None),
        ("-", None),
        ("1.2.3", None),
        ("999.1.1.1", None),
        ("a" * 64, None),
    ],
)
def test_a_client_that_is_no_address_is_no_claim_and_refuses_nobody(client, found):
    claims = verified(signed(data_header(client=client))).claims

    assert claims.get("client_address") == found
    assert set(claims) == {"edge_address"} | ({"client_address"} if found else set())
    assert len(claims) == len(dict(claims))


def test_claims_can_be_printed_compared_and_handed_to_another_process():
    claims = verified(signed()).claims

    assert repr(claims) == "{'edge_address': '192.0.2.1', 'client_address': '198.51.100.7'}"
    assert pickle.loads(pickle.dumps(claims)) == claims  # noqa: S301 - as it travels
    with pytest.raises(KeyError):
        claims["subject"]


def test_a_data_header_is_admitted_once_where_a_store_remembers_it_and_covers_once_then_alone():
    scheme = AkamaiG2OScheme([KEY])
    remembering, forgetting = Guard(scheme, replay=MemoryReplayStore()), Guard(scheme)

    assert [remembering.check(signed(), now=NOW).reason for _ in range(2)] == ["ok", "replayed"]
    assert remembering.check(signed(data_header(unique="1.3")), now=NOW).identity.covers >= {"once"}
    assert [forgetting.check(signed(), now=NOW).reason for _ in range(2)] == ["ok", "ok"]
    assert "once" not in forgetting.check(signed(), now=NOW).identity.covers


# --- versions


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_each_version_is_accepted_where_it_is_asked_for_and_nowhere_else(version):
    request = signed(version=version)
    others = [other for other in (1, 2, 3, 4, 5) if other != version]

    assert verified(request, versions=[version]).key_id == "key-1"
    with pytest.raises(ClaimRefused, match=f"version {version}, and versions has") as caught:
        verified(request, versions=others)
    assert caught.value.identity[:4] == (NOW, None, "key-1", "akamai-g2o")
    assert str(caught.value).endswith(f"versions has {', '.join(map(str, others))}")
    assert "encoding version" in caught.value.hint


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_forged_signature_of_another_version_is_told_from_a_right_one(version):
    data = data_header(version=version)
    with pytest.raises(BadSignature):
        verified(request_of(data, sign(data, TARGET, secret="x" * 32, version=version)))
    with pytest.raises(BadSignature):
        verified(request_of(data, sign(data, TARGET, version=5)))


@pytest.mark.parametrize("version", ["0", "6", "9", "05", " 5", "", "55", "²", "5.0"])
def test_there_is_no_other_version(version):
    data = data_header(version=version)
    with pytest.raises(MalformedHeader):
        verified(request_of(data, sign(data, TARGET)))


def test_where_python_has_not_the_hash_the_version_cannot_be_set_and_is_refused(monkeypatch):
    def no_such_hash(*_: object) -> bytes:
        raise ValueError("disabled for FIPS")

    request = signed(version=4)
    monkeypatch.setattr("edgeauth.schemes.akamai_g2o.digests.hmac.digest", no_such_hash)
    with pytest.raises(ConfigurationError, match="versions has 4, and this Python has not"):
        AkamaiG2OScheme([KEY], versions=[5, 4])
    with pytest.raises(BadSignature):
        verified(request)


# --- the form


MALFORMED = {
    "nothing": "",
    "no space": data_header().replace(", ", ","),
    "two spaces": data_header().replace(", ", ",  "),
    "space at the end": data_header() + " ",
    "line end": data_header() + "\n",
    "seven fields": data_header() + ", x",
    "five fields": data_header().rpartition(", ")[0],
    "twice": data_header() + "," + data_header(),
    "time in another alphabet": data_header(time="١٧٦٠٠٠٠٠٠٠".encode().decode("latin-1")),
    "superscript": data_header(time="²"),
    "leading zero": data_header(time=f"0{NOW}"),
    "time 0": data_header(time=0),
    "fraction": data_header(time=f"{NOW}.0"),
    "nan": data_header(time="nan"),
    "sign": data_header(time=f"+{NOW}"),
    "underscore": data_header(time="1_760_000_000"),
    "huge": data_header(time="9" * 400),
    "thirteen digits": data_header(time=10**12),
    "no client": data_header(client=""),
    "long client": data_header(client="a" * 65),
    "comma in a field": data_header(edge="1,2"),
    "control in a field": data_header(edge="1\x002"),
    "latin-1": data_header(unique="é"),
    "long key id": data_header(key_id="k" * 65),
    "key id with a slash": data_header(key_id="key-1/"),
    "64 KB": data_header(unique="(" * 65_536),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_a_data_header_of_another_form_is_refused_though_it_is_signed(data):
    with pytest.raises(MalformedHeader, match=f"the value of {DATA} is not of the form"):
        verified(request_of(data, sign(data, TARGET)))


@pytest.mark.parametrize("name", [DATA, SIGN])
def test_each_field_must_be_there_once(name):
    request = signed()
    without = replace(request, fields=[pair for pair in request.fields if pair[0] != name])
    twice = replace(request, fields=[*request.fields, (name.lower(), request.header(name)[0])])

    with pytest.raises(MissingHeader, match=f"no {name} header"):
        verified(without)
    with pytest.raises(MalformedHeader, match=f"2 {name} headers"):
        verified(twice)


def test_the_fields_may_have_other_names():
    request = signed()
    request.fields = [("X-D", request.header(DATA)[0]), ("x-s", request.header(SIGN)[0])]
    scheme = AkamaiG2OScheme([KEY], data_header="X-D", sign_header="X-S")

    assert scheme.headers == ("X-D", "X-S")
    assert scheme.verify(request, now=NOW).key_id == "key-1"
    with pytest.raises(MissingHeader):
        verified(request)


# --- the signature


RIGHT = sign(data_header(), TARGET)
WRONG = {
    "empty": "",
    "one character": RIGHT[:1],
    "one short": RIGHT[:-1],
    "one more": RIGHT + "A",
    "a space more": RIGHT + " ",
    "nul": RIGHT + "\0x",
    "hex": hmac.digest(SECRET.encode(), (data_header() + TARGET).encode(), "sha256").hex(),
    "other case": RIGHT.swapcase(),
    "twice": f"{RIGHT}, {RIGHT}",
    "latin-1": "é" + RIGHT[1:],
    "of the path alone": sign(data_header(), TARGET.partition("?")[0]),
    "of another secret": sign(data_header(), TARGET, secret="x" * 32),
    "of an empty secret": sign(data_header(), TARGET, secret=""),
    "64 KB": "(" * 65_536,
}


@pytest.mark.parametrize("signature", WRONG.values(), ids=WRONG)
def test_nothing_but_the_whole_signature_is_accepted(signature):
    assert verified(request_of(data_header(), RIGHT))
    with pytest.raises(BadSignature, match="key key-1 did not make") as caught:
        verified(request_of(data_header(), signature))
    assert RIGHT not in str(caught.value)
    assert "Is the secret" in caught.value.hint


def test_base64_with_spare_bits_is_another_text():
    spare = "AEIMQUYcgkosw048"
    digit = RIGHT[-2]
    assert digit in spare
    with pytest.raises(BadSignature):
        verified(request_of(data_header(), RIGHT[:-2] + chr(ord(digit) + 1) + "="))


def test_the_data_header_names_its_key_and_no_other_key_is_tried():
    other = Key("key-2", "another-secret-that-akamai-has-too")
    scheme = AkamaiG2OScheme([KEY, other])
    second = data_header(key_id="key-2")

    assert scheme.verify(signed(), now=NOW).key_id == "key-1"
    right = request_of(second, sign(second, TARGET, secret=other.secret.decode()))
    assert scheme.verify(right, now=NOW).key_id == "key-2"
    with pytest.raises(BadSignature):
        scheme.verify(request_of(second, sign(second, TARGET)), now=NOW)
    for unknown in ("key-3", "__proto__", "key", "key-11", "KEY-1"):
        data = data_header(key_id=unknown)
        with pytest.raises(BadSignature, match="names a key that is not here") as caught:
            scheme.verify(request_of(data, sign(data, TARGET)), now=NOW)
        assert "the nonce at the edge" in caught.value.hint


def test_a_piece_of_the_path_is_no_piece_of_the_key_id():
    data, keys = data_header(key_id="key-1"), [KEY, Key("key-1.x", "y" * 32)]
    signature = sign(data, ".x/a")
    moved = request_of(data_header(key_id="key-1.x"), signature, target="/a")
    with pytest.raises(BadSignature):
        AkamaiG2OScheme(keys).verify(moved, now=NOW)


# --- the time


@pytest.mark.parametrize("now", [NOW - 30, NOW, NOW + 30])
def test_within_the_window_and_at_its_ends_it_is_accepted(now):
    assert verified(signed(), now=now).timestamp == NOW


def test_outside_of_the_window_it_is_refused_as_authentic():
    with pytest.raises(Expired) as old:
        verified(signed(), now=NOW + 30.5)
    with pytest.raises(NotYetValid) as early:
        verified(signed(), now=NOW - 30.5)
    assert (old.value.age, old.value.limit) == (30.5, 30)
    assert (early.value.age, early.value.limit) == (-30.5, 30)
    for identity in (old.value.identity, early.value.identity):
        assert identity[:4] == (NOW, None, "key-1", "akamai-g2o")


@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf])
def test_a_clock_that_is_no_number_is_in_no_window(now):
    with pytest.raises(VerificationError):
        verified(signed(), now=now)


def test_the_windows_are_set_each_by_itself():
    assert verified(signed(), now=NOW + 60, max_age=60)
    assert verified(signed(), now=NOW - 1, max_future=1)
    with pytest.raises(Expired):
        verified(signed(), now=NOW + 1, max_age=0)
    with pytest.raises(NotYetValid):
        verified(signed(), now=NOW - 1, max_future=0)


def test_the_dates_of_a_key_narrow_the_window_and_what_is_remembered():
    dated = Key("key-1", SECRET, NOW - 5, NOW + 5)
    scheme = AkamaiG2OScheme([dated])

    assert scheme.verify(signed(), now=NOW + 5).once.until == NOW + 5
    for now in (NOW - 6, NOW + 6):
        with pytest.raises(BadSignature, match="which is not valid now") as caught:
            scheme.verify(signed(), now=now)
        assert "not_before and not_after" in caught.value.hint


def test_a_forged_request_never_learns_its_age():
    with pytest.raises(BadSignature):
        verified(request_of(data_header(), "forged"), now=NOW + 1000)


# --- the target


@pytest.mark.parametrize(
    "target", ["/a/b%20c?q=1", "/a/b%20c", "/a/b c?q=1&q=2", "/A/b%20c?q=1&q=2", "/", "//a"]
)
def test_another_target_was_not_signed(target):
    with pytest.raises(BadSignature):
        verified(replace(signed(), target=target.encode()))


@pytest.mark.parametrize("target", ["*", "", "https://shop.example/a", "a"])
def test_a_target_that_is_no_path_is_refused(target):
    with pytest.raises(MalformedHeader, match="the target is no path"):
        verified(signed(target=target))


def test_a_server_that_does_not_tell_the_target_is_named_as_the_cause():
    with pytest.raises(MalformedHeader, match="does not tell the target") as caught:
        verified(replace(signed(), target=None))
    assert "RAW_URI" in caught.value.hint


def test_an_empty_query_that_the_server_does_not_tell_is_tried_and_no_other():
    class Scope(PlainRequest):
        drops_empty_query = True

    def came(target, signed_target):
        request = signed(target=signed_target)
        return Scope(target=target, host=b"shop.example", fields=request.fields)

    assert verified(came(b"/a", "/a?")).timestamp == NOW
    assert verified(came(b"/a", "/a")).timestamp == NOW
    by_parts = came(b"/a", "/a?")
    by_parts.fields[2] = (SIGN, sign(data_header(), "GET/a?").encode())
    assert verified(by_parts, sign_string=["AK_METHOD", "AK_URL"])
    called = came(b"/a", "/a?")
    assert verified(called, sign_string=lambda request: request.target)
    for target, signed_target in ((b"/a", "/a??"), (b"/a?b", "/a?b?"), (b"/a", "/"), (None, "?")):
        with pytest.raises(VerificationError):
            verified(came(target, signed_target))
    with pytest.raises(BadSignature):
        verified(came(None, "/"), sign_string=lambda _request: b"?")
    with pytest.raises(BadSignature):
        verified(replace(signed(target="/a?"), target=b"/a"))


def test_neither_the_method_nor_the_host_nor_another_field_is_signed():
    request = replace(signed(), method="DELETE", host=b"other.example")
    request.fields.append(("X-Other", b"1"))
    assert verified(request)


# --- sign strings

PARTS = {
    "AK_METHOD": "GET",
    "AK_SCHEME": "https",
    "AK_HOSTHEADER": "www.Shop.example:8443",
    "AK_DOMAIN": "Shop.example",
    "AK_URL": "/dir/page.en.html?a=1&b=%2F",
    "AK_PATH": "/dir/page.en.html",
    "AK_QUERY": "a=1&b=%2F",
    "AK_FILENAME": "page.en.html",
    "AK_EXTENSION": "html",
    "AK_CLIENT_REAL_IP": "198.51.100.7",
}


def by_parts(names, string, **more):
    arguments = {"target": PARTS["AK_URL"], "host": PARTS["AK_HOSTHEADER"].encode(), **more}
    return verified(signed(string=string, **arguments), sign_string=names)


@pytest.mark.parametrize("name", PARTS)
def test_each_part_of_a_property_is_what_is_signed(name):
    assert by_parts([name], PARTS[name])
    with pytest.raises(BadSignature):
        by_parts([name], PARTS[name] + "x")


def test_parts_stand_in_their_order_with_nothing_between_them():
    assert by_parts(list(PARTS), "".join(PARTS.values()))
    with pytest.raises(BadSignature):
        by_parts(["AK_METHOD", "AK_URL"], PARTS["AK_URL"] + "GET")


@pytest.mark.parametrize(
    ("target", "filename", "extension", "query"),
    [
        ("/", "", "", ""),
        ("/a/", "", "", ""),
        ("/a.b/c", "c", "", ""),
        ("/c.", "c.", "", ""),
        ("/a?", "a", "", ""),
        ("/a?x=/b.html?", "a", "", "x=/b.html?"),
    ],
)
def test_a_part_may_be_empty(target, filename, extension, query):
    for name, value in {
        "AK_FILENAME": filename,
        "AK_EXTENSION": extension,
        "AK_QUERY": query,
    }.items():
        assert by_parts(["AK_METHOD", name], "GET" + value, target=target)


@pytest.mark.parametrize(
    ("host", "domain"), [(b"a.shop.example", "shop.example"), (b"localhost", "")]
)
def test_the_domain_of_a_host_without_a_port_is_what_follows_its_first_label(host, domain):
    assert by_parts(["AK_METHOD", "AK_DOMAIN"], "GET" + domain, host=host)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_each_method_that_the_edge_forwards_can_be_signed(method):
    assert by_parts(["AK_METHOD", "AK_URL"], method + PARTS["AK_URL"], method=method)


def test_the_opening_of_a_websocket_is_a_get_and_a_method_of_that_name_is_none():
    assert by_parts(["AK_METHOD"], "GET", method=HANDSHAKE, handshake=True)
    for method, handshake in ((HANDSHAKE, False), ("GETPOST", False), ("get", False), ("é", False)):
        with pytest.raises(MalformedHeader, match="none that the edge forwards"):
            by_parts(["AK_METHOD"], method, method=method, handshake=handshake)


@pytest.mark.parametrize("host", [None, b"", b"shop.example/a", b"shop example", b"h" * 256])
@pytest.mark.parametrize("name", ["AK_HOSTHEADER", "AK_DOMAIN"])
def test_a_host_that_is_no_name_is_not_signed(host, name):
    with pytest.raises(MalformedHeader, match="one Host header"):
        by_parts([name], "" if host is None else host.decode(), host=host)


def test_of_two_host_headers_none_is_signed():
    request = signed(string="shop.example", host=b"shop.example")
    request.fields.append(("host", b"shop.example"))
    with pytest.raises(MalformedHeader, match="one Host header"):
        verified(request, sign_string=["AK_HOSTHEADER"])


@pytest.mark.parametrize(
    ("names", "covers"),
    [
        ("AK_URL", "path query"),
        ("AK_METHOD AK_URL", "method path query"),
        ("AK_METHOD AK_HOSTHEADER AK_URL", "method host path query"),
        ("AK_METHOD AK_SCHEME AK_HOSTHEADER AK_PATH", "method host path"),
        ("AK_HOSTHEADER AK_METHOD AK_URL", "path query"),
        ("AK_HOSTHEADER AK_DOMAIN AK_URL", "path query"),
        ("AK_CLIENT_REAL_IP AK_METHOD AK_CLIENT_REAL_IP AK_URL", "method path query"),
        ("AK_URL AK_CLIENT_REAL_IP AK_SCHEME", "path query"),
        # "/a" and "b=c" is "/ab=c", too.
        ("AK_PATH AK_QUERY", ""),
        ("AK_QUERY AK_PATH", ""),
        ("AK_PATH AK_PATH", ""),
        ("AK_FILENAME AK_URL", ""),
        ("AK_URL AK_HOSTHEADER", ""),
        ("AK_QUERY AK_METHOD AK_QUERY", ""),
        ("AK_QUERY AK_SCHEME AK_FILENAME", ""),
        ("AK_QUERY", "query"),
        ("AK_FILENAME", ""),
        ("AK_SCHEME AK_CLIENT_REAL_IP", ""),
    ],
)
def test_a_part_is_covered_if_where_it_begins_and_ends_is_known(names, covers):
    scheme = AkamaiG2OScheme([KEY], sign_string=names.split())
    assert scheme.covers == {*covers.split(), "time", "once"}


def test_a_callable_makes_the_string_and_may_say_what_it_covers():
    def upper(request):
        return request.target.upper()

    request = signed(string=TARGET.upper())
    assert verified(request, sign_string=upper).covers == {"time", "once"}
    upper.covers = {"path", "query"}
    assert verified(request, sign_string=upper).covers == {"path", "query", "time", "once"}
    with pytest.raises(BadSignature):
        verified(signed(), sign_string=upper)


def test_a_callable_that_returns_no_bytes_lets_nobody_in():
    scheme = AkamaiG2OScheme([KEY], sign_string=lambda _request: "/text")

    with pytest.raises(TypeError, match="sign_string returned str, and must return bytes"):
        scheme.verify(signed(), now=NOW)
    assert Guard(scheme).check(signed(), now=NOW).reason == "error"

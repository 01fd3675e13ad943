"""What is said of each usual reason for which a request of Akamai's G2O is refused."""

from __future__ import annotations

import hmac
from base64 import b64encode

import pytest

from edgeauth import Key
from edgeauth.ops.schemes.akamai_g2o import TOOLS
from edgeauth.ops.schemes.request_lines import Hints, RequestLines
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme
from edgeauth.schemes.akamai_g2o.digests import DIGESTS
from edgeauth.schemes.base import Outgoing

NOW = 1_760_000_000
SECRET = "a-secret-that-akamai-has-as-well"
KEY, OTHER = Key("key-1", SECRET), Key("key-2", "another-secret-that-akamai-has")
KEYS = [OTHER, KEY]
HOST, TARGET = "shop.example", "/a/b%20c?q=1&r=2"
DATA, SIGN = "X-Akamai-G2O-Auth-Data", "X-Akamai-G2O-Auth-Sign"


def data_header(version=5, time=NOW, key_id="key-1", **other):
    client, unique = other.get("client", "198.51.100.7"), other.get("unique", "1.2")
    return f"{version}, 192.0.2.1, {client}, {time}, {unique}, {key_id}"


def sign(data, signed=TARGET, *, version=5, key=KEY):
    return b64encode(DIGESTS[version](key, (data + signed).encode())).decode()


def diagnosed(data=None, signature=None, *, now=NOW, lines=(), hints=None, **asked):
    """What is said of a request with these two fields; None is a right one, "" one that is gone."""
    data = data_header() if data is None else data
    signature = sign(data) if signature is None else signature
    start = f"{asked.pop('method', 'GET')} {asked.pop('target', TARGET)} HTTP/1.1"
    fields = [f"Host: {asked.pop('host', HOST)}", f"{DATA}: {data}", f"{SIGN}: {signature}"]
    scheme = AkamaiG2OScheme(asked.pop("keys", KEYS), **asked)
    raw = "\r\n".join([start, *fields, *lines, ""]).encode("latin-1")
    found = RequestLines(raw, [scheme.headers], hints or Hints())
    return TOOLS.explain(scheme, found, now)


def codes(diagnosis):
    return [finding.code for finding in diagnosis.findings]


def only(diagnosis):
    """The one sentence."""
    [finding] = diagnosis.findings
    return finding


def shown(diagnosis):
    return {field.name: (field.seen, field.ok) for field in diagnosis.fields}


def test_of_a_right_request_nothing_is_said_and_each_part_is_shown():
    found = diagnosed()
    assert codes(found) == []
    assert all(field.ok for field in found.fields)
    assert {name: seen for name, (seen, _) in shown(found).items() if name != "sign"} == {
        "version": "5",
        "edge": "192.0.2.1",
        "client": "198.51.100.7",
        "time": str(NOW),
        "nonce": "key-1",
        "sign string": TARGET,
    }


@pytest.mark.parametrize("string", [None, ["AK_METHOD", "AK_URL"], lambda request: request.target])
def test_it_agrees_with_the_scheme_on_what_the_scheme_signs(string):
    scheme = AkamaiG2OScheme(KEYS, sign_string=string)
    made = scheme.credential(now=NOW, request=Outgoing("GET", HOST, TARGET))
    assert codes(diagnosed(made[DATA], made[SIGN], sign_string=string)) == []


# --- the fields


def test_a_field_that_is_missing_is_named():
    scheme = AkamaiG2OScheme(KEYS)

    def of(text):
        return only(TOOLS.explain(scheme, RequestLines(text, [scheme.headers]), NOW))

    assert of(b"GET / HTTP/1.1").text.startswith(f"There is no {DATA} and {SIGN}: the behaviour")
    half = of(f"GET / HTTP/1.1\r\n{DATA}: x".encode())
    assert half.code == "missing"
    assert half.text.startswith(f"There is no {SIGN}: the behaviour Signature Header")


def test_other_names_of_the_fields_are_told():
    finding = only(diagnosed(data_header="X-D", sign_header="X-S"))
    assert finding.code == "other-name"
    assert (
        f"There is no X-D and X-S, and there is {DATA} and {SIGN}: set data_header" in finding.text
    )


def test_a_secret_in_a_field_is_told_first_and_not_shown():
    finding = only(diagnosed(signature=SECRET))
    assert finding.code == "secret-sent"
    assert SECRET not in finding.text


def test_a_data_header_that_is_there_twice_is_told():
    more = [f"{DATA}: {data_header(unique='1.3')}"]
    assert only(diagnosed(lines=more)).code == "data-twice"
    assert only(diagnosed(data_header() + "," + data_header())).code == "data-twice"


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (data_header().replace(", ", ","), "data-separator", "a comma and one space"),
        (data_header().rpartition(", ")[0], "data-fields", "has 5 fields, and must have 6"),
        (data_header() + ", more", "data-fields", "has 7 fields"),
        ("x" * 2000, "data-too-long", "has 2000 bytes"),
        (data_header(version=6), "data-version", "The version is 6: write encoding version 5"),
        (data_header(version="05"), "data-version", "The version is 05"),
        (data_header(client=""), "data-client", "The address of the client is"),
        (data_header(unique="1 2"), "data-unique-id", "The unique id is 1 2"),
        (data_header().replace("192.0.2.1", "a b"), "data-edge", "The address of the edge is a b"),
        (data_header(key_id="key 1"), "data-nonce", "letters, digits, dots, dashes"),
        (data_header(time=f"{NOW}.5"), "not-seconds", "must send whole seconds"),
        (data_header(time=f"{NOW}000"), "not-seconds", f"{DATA}: The time is in milliseconds"),
        (data_header(time="nan"), "timestamp-form", "Unix seconds in digits"),
        (data_header(time="9" * 200), "timestamp-form", "Unix seconds in digits"),
    ],
)
def test_a_data_header_of_another_form_is_told_what_is_wrong_with_it(data, code, told):
    finding = only(diagnosed(data))
    assert finding.code == code
    assert told in finding.text


def test_a_version_that_is_not_accepted_is_told_with_the_setting():
    data = data_header(version=3)
    found = diagnosed(data, sign(data, version=3), versions=[5, 4])
    assert only(found).code == "version"
    assert (
        "says version 3, and versions here has 5, 4: set the encoding version" in only(found).text
    )
    assert shown(found)["version"] == ("3", False)
    assert shown(found)["sign"][1] is True


def test_a_nonce_that_is_no_key_is_told_with_the_keys_that_there_are():
    data = data_header(key_id="key-9")
    found = diagnosed(data, "x" * 44)
    assert codes(found)[0] == "unknown-key"
    assert "nonce of the property is key-9, and the keys here are: key-2, key-1" in (
        found.findings[0].text
    )
    assert shown(found)["nonce"] == ("key-9", False)
    # It was made by a key that is here.
    assert codes(diagnosed(data, sign(data))) == ["unknown-key", "other-key"]


def test_a_key_that_is_not_valid_now_is_told():
    found = diagnosed(keys=[Key("key-1", SECRET, not_after=NOW - 1)])
    assert codes(found) == ["key-dates"]


@pytest.mark.parametrize(("now", "code"), [(NOW + 31, "too-old"), (NOW - 31, "future")])
def test_a_time_outside_of_the_window_is_told(now, code):
    assert codes(diagnosed(now=now)) == [code]


def test_what_was_admitted_before_is_told_with_the_remedy():
    found = only(diagnosed(hints=Hints(seen_at=lambda _key: NOW - 2.0)))
    assert found.code == "replayed"
    assert "2 s before" in found.text
    assert "replay_methods" in found.text
    # Of a forged one it is not known that it is one.
    wrong = diagnosed(signature="x" * 44, hints=Hints(seen_at=lambda _key: NOW - 2.0))
    assert "replayed" not in codes(wrong)


# --- the signature

RIGHT = sign(data_header())
MAC = hmac.digest(SECRET.encode(), (data_header() + TARGET).encode(), "sha256")


@pytest.mark.parametrize(
    ("signature", "code", "told"),
    [
        ('""', "signature-form", "neither base64 nor hex"),
        ("*not base64*", "signature-form", "neither base64 nor hex"),
        ("é" + RIGHT[1:], "signature-form", "neither base64 nor hex"),
        (f"{RIGHT}, {RIGHT}", "sign-twice", "was there twice"),
        (RIGHT[:1], "cut-off", "has 1 characters, and the right one has 44: it is cut off"),
        (RIGHT[:-1], "cut-off", "it is cut off"),
        (RIGHT + "x", "cut-off", "something is behind it"),
        (MAC.hex(), "signature-hex", "is in hex"),
        (f'"{RIGHT}"', "signature-space", "spaces or quotes around it"),
        (RIGHT[:-2] + chr(ord(RIGHT[-2]) + 1) + "=", "signature-ending", "last character"),
        ("x" * 44, "wrong-signature", "No key here made"),
        ("AAAAAAAAAAAAAAAAA", "wrong-signature", "No key here made"),
    ],
)
def test_a_signature_that_is_written_otherwise_is_told(signature, code, told):
    found = diagnosed(signature=signature)
    assert code in codes(found)
    text = next(one.text for one in found.findings if one.code == code)
    assert told in text
    assert shown(found)["sign"][1] is False
    assert not any(RIGHT in one.text for one in found.findings)


def test_the_base64_of_urls_is_told():
    data = next(
        made
        for place in range(1000)
        if "+" in sign(made := data_header(unique=f"1.{place}")) or "/" in sign(made)
    )
    signature = sign(data).translate(str.maketrans("+/", "-_"))
    finding = only(diagnosed(data, signature))
    assert finding.code == "signature-base64"
    assert "another base64 than the edge writes" in finding.text


def test_an_empty_signature_is_told():
    raw = f"GET {TARGET} HTTP/1.1\r\n{DATA}: {data_header()}\r\n{SIGN}: \r\n".encode()
    scheme = AkamaiG2OScheme(KEYS)
    found = TOOLS.explain(scheme, RequestLines(raw, [scheme.headers]), NOW)
    assert only(found).code == "empty-signature"
    assert "is the secret key of the property set?" in only(found).text


class Wrong:
    def __init__(self, secret):
        self.secret = secret

    def mac(self, message):
        return hmac.digest(self.secret, message, "sha256")


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        (SECRET + "\n", "secret-newline"),
        (f'"{SECRET}"', "secret-quotes"),
        ("", "secret-empty"),
        ("(null)", "secret-empty"),
        (b64encode(SECRET.encode()).decode(), "secret-encoded"),
    ],
)
@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_a_mistake_with_the_secret_is_told(secret, code, version):
    data = data_header(version=version)
    signature = sign(data, version=version, key=Wrong(secret.encode()))
    assert only(diagnosed(data, signature, versions=[version])).code == code


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_signature_of_another_version_than_the_data_header_says_is_told(version):
    finding = only(diagnosed(signature=sign(data_header(), version=version)))
    assert finding.code == "other-version"
    assert f"is of version {version}, and {DATA} says 5" in finding.text


def test_a_signature_of_another_key_than_the_data_header_names_is_told():
    finding = only(diagnosed(signature=sign(data_header(), key=OTHER)))
    assert finding.code == "other-key"
    assert "Key key-2 made this signature" in finding.text


@pytest.mark.parametrize(
    ("signed", "told"),
    [
        ("", "signs nothing of the request"),
        ("/a/b%20c", "signs AK_PATH"),
        (f"GET{TARGET}", "signs AK_METHOD AK_URL"),
        (f"{HOST}{TARGET}", "signs AK_HOSTHEADER AK_URL"),
        (f"GET{HOST}{TARGET}", "signs AK_METHOD AK_HOSTHEADER AK_URL"),
        (f"https{HOST}{TARGET}", "signs AK_SCHEME AK_HOSTHEADER AK_URL"),
        (f"{TARGET}198.51.100.7", "signs AK_URL AK_CLIENT_REAL_IP"),
        (f"https://{HOST}{TARGET}", "signs the whole URL (https://...)"),
    ],
)
def test_another_sign_string_is_told(signed, told):
    finding = only(diagnosed(signature=sign(data_header(), signed)))
    assert finding.code == "sign-string"
    assert told in finding.text
    assert "the settings here say the target" in finding.text


def test_that_the_property_signs_the_target_alone_is_told_by_what_is_set():
    finding = only(diagnosed(sign_string=["AK_METHOD", "AK_URL"]))
    assert "The property signs the target, and the settings here say AK_METHOD AK_URL" in (
        finding.text
    )
    called = only(diagnosed(sign_string=lambda _request: b"x"))
    assert "the settings here say a callable" in called.text


@pytest.mark.parametrize(
    ("signed", "code"),
    [
        ("/a/b c?q=1&r=2", "path-encoding"),
        ("/a/b%20c/?q=1&r=2", "path-slash"),
        ("/shop/a/b%20c?q=1&r=2", "prefix-stripped"),
        ("/a/b%20c?r=2&q=1", "query-reordered"),
        ("/a/b%20c?q=1", "query-parameter-added"),
    ],
)
def test_what_happens_to_a_target_on_its_way_is_undone_and_told(signed, code):
    found = diagnosed(signature=sign(data_header(), signed), lines=["X-Forwarded-Prefix: /shop"])
    assert only(found).code == code


def test_a_host_and_a_method_are_undone_where_they_are_signed():
    names = ["AK_METHOD", "AK_HOSTHEADER", "AK_URL"]
    signature = sign(data_header(), f"HEAD{HOST}{TARGET}")
    found = diagnosed(
        signature=signature,
        sign_string=names,
        host="10.0.0.1:8000",
        lines=[f"X-Forwarded-Host: {HOST}"],
    )
    assert sorted(codes(found)) == ["host-rewritten", "method"]


def test_behind_a_callable_nothing_is_undone():
    found = diagnosed(
        signature=sign(data_header(), "/other"), sign_string=lambda request: request.target
    )
    assert only(found).code == "wrong-signature"


def test_where_there_is_no_target_it_is_asked_for():
    raw = f"{DATA}: {data_header()}\r\n{SIGN}: {RIGHT}".encode()
    scheme = AkamaiG2OScheme(KEYS)
    found = TOOLS.explain(scheme, RequestLines(raw, [scheme.headers]), NOW)
    assert only(found).code == "no-target"
    assert "--url" in only(found).text


def test_what_cannot_be_signed_is_told():
    found = diagnosed(sign_string=["AK_METHOD", "AK_URL"], method="BREW")
    assert only(found).code == "cannot-be-signed"
    assert "none that the edge forwards" in only(found).text

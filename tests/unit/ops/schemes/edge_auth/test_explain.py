"""What the diagnosis says of each usual mistake."""

from __future__ import annotations

import base64
import dataclasses
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.vectors import OLDER_SECRET, Row, rows
from support.vectors import VECTOR_SECRET as SECRET

from edgeauth import EdgeAuthScheme, Key, VerificationError, sign
from edgeauth.ops.schemes.edge_auth.explain import diagnose

NOW = 1_700_000_000
FIELDS = f"{NOW},LHR"
HEX_SECRET = "5f2b8a019c3d4e6f7a8b9c0d1e2f3a4b"
BASE64_SECRET = "V2hhdCBhIGxvbmcgc2VjcmV0IHRoaXMgaXMh"
KEYRING = [Key("2025", OLDER_SECRET), Key("2026", SECRET)]


def mac(message: str = FIELDS, secret: str | bytes = SECRET, name: str = "sha256") -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, message.encode(), name)


def in_hex(message: str = FIELDS, secret: str | bytes = SECRET, sent: str | None = None) -> str:
    return f"{message if sent is None else sent},0x{mac(message, secret).hex()}"


def in_base64(*, url_safe: bool = False) -> str:
    # This message's signature has both of the characters in which the alphabets differ.
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    return f"{FIELDS},{encode(mac()).decode()}"


def codes(value: str | bytes, *, now: float = NOW, keys=None, **options) -> list[str]:
    raw = value.encode() if isinstance(value, str) else value
    scheme = EdgeAuthScheme(keys or [Key("default", SECRET)], **options)
    return [finding.code for finding in diagnose(raw, scheme, now=now).findings]


@dataclasses.dataclass
class Case:
    id: str
    value: str
    expected: list[str]
    options: dict = dataclasses.field(default_factory=dict)


def secret_case(id_: str, code: str, at_edge: str | bytes, here: str = SECRET) -> Case:
    value = in_hex(secret=at_edge)
    return Case(f"secret-{id_}", value, [code], {"keys": [Key("default", here)]})


UNDER_OTHER_MISTAKE = mac(secret=SECRET + "\n").hex().upper()

CASES = [
    Case("vcl", in_hex(), []),
    Case("rust", sign(SECRET, pop="LHR", timestamp=NOW, encoding="base64"), []),
    Case("at-the-limit", in_hex(), [], {"now": NOW + 60}),
    Case("too-old", in_hex(), ["too-old"], {"now": NOW + 72}),
    Case("future", in_hex(), ["future"], {"now": NOW - 6}),
    Case("older-key", in_hex(secret=OLDER_SECRET), ["older-key"], {"keys": KEYRING}),
    Case("newest-key", in_hex(), [], {"keys": KEYRING}),
    Case(
        "key-not-valid-now",
        in_hex(),
        ["key-dates"],
        {"keys": [Key("default", SECRET, not_after=NOW - 1)]},
    ),
    # The value as a whole
    Case("empty", "", ["empty"]),
    Case("too-long", f"{NOW}," + " " * 60_000, ["too-long"]),
    Case("no-comma", "abc", ["no-comma"]),
    Case("quoted", f'"{in_hex()}"', ["quoted"]),
    Case("date", f"Tue, 14 Nov 2023 22:13:20 GMT,LHR,0x{'0' * 64}", ["date-in-words"]),
    Case("joined-twice", f"{in_hex()}, {in_hex()}", ["joined"]),
    Case("joined-two-edges", f"{in_hex()},{in_hex(f'{NOW},XXX')}", ["joined"]),
    Case("joined-with-empty", f"{FIELDS},, {in_hex()}", ["joined"]),
    Case("secret-sent", SECRET, ["secret-sent"]),
    Case("secret-as-signature", f"{FIELDS},{SECRET}", ["secret-sent"]),
    # The timestamp
    Case("milliseconds", in_hex(f"{NOW}000,LHR"), ["not-seconds"]),
    Case("fraction", in_hex(f"{NOW}.5,LHR"), ["not-seconds"]),
    Case("leading-zero", in_hex(f"0{NOW},LHR"), ["timestamp-form"]),
    Case("year-9999", in_hex("999999999999,LHR"), ["future"]),
    # The POP
    Case("pop-empty", in_hex(f"{NOW},"), ["pop-empty"]),
    Case("pop-null", in_hex(f"{NOW},(null)"), ["pop-empty"]),
    Case("pop-space", in_hex(f"{NOW},L R"), ["pop-form"]),
    Case("four-fields", in_hex(f"{NOW},LHR,x"), ["fields"]),
    Case("pop-listed", in_hex(), [], {"pops": ["LHR"]}),
    Case("pop-case", in_hex(f"{NOW},lhr"), ["pop-case"], {"pops": ["LHR"]}),
    Case("pop-not-listed", in_hex(), ["pop-not-listed"], {"pops": ["FRA", "AMS"]}),
    Case("two-fields", in_hex(f"{NOW}"), ["no-pop"]),
    Case("two-fields-admitted", in_hex(f"{NOW}"), [], {"require_pop": False}),
    Case(
        "two-fields-and-a-list",
        in_hex(f"{NOW}"),
        ["no-pop"],
        {"require_pop": False, "pops": ["LHR"]},
    ),
    # How the signature is written
    Case("no-signature", f"{FIELDS},", ["empty-signature"]),
    Case("space-for-signature", f"{FIELDS},  ", ["empty-signature"]),
    Case("not-a-signature", f"{FIELDS},0x", ["signature-form"]),
    Case("base64-of-no-length", f"{FIELDS},{'Z' * 41}", ["signature-form"]),
    Case("upper-case", f"{FIELDS},0x{mac().hex().upper()}", ["upper-case-hex"]),
    Case("upper-case-0X", f"{FIELDS},0X{mac().hex()}", ["upper-case-hex"]),
    Case("unpadded", in_base64().removesuffix("="), ["unpadded-base64"]),
    Case("url-safe", in_base64(url_safe=True), ["url-safe-base64"]),
    Case("base64-ending", in_base64()[:-2] + "t=", ["base64-ending"]),
    Case(
        "base64-of-hex",
        f"{FIELDS},{base64.b64encode(mac().hex().encode()).decode()}",
        ["base64-of-hex"],
    ),
    Case("quoted-signature", f'{FIELDS},"{mac().hex()}"', ["signature-space"]),
    Case("a-digit-too-many", in_hex() + "0", ["signature-form"]),
    Case("cut-off", in_hex()[:-2], ["cut-off"]),
    Case("cut-off-inside-a-byte", in_hex()[:-3], ["cut-off"]),
    Case("sha1", f"{FIELDS},0x{mac(name='sha1').hex()}", ["hash"]),
    Case("sha512", f"{FIELDS},0x{mac(name='sha512').hex()}", ["hash"]),
    # What was signed
    Case("echo", in_hex(FIELDS + "\n", sent=FIELDS), ["signed-newline"]),
    Case("comma-signed", in_hex(FIELDS + ",", sent=FIELDS), ["signed-comma"]),
    Case("space-signed", in_hex(FIELDS + ", ", sent=FIELDS), ["signed-space"]),
    Case("space-alone-signed", in_hex(FIELDS + " ", sent=FIELDS), ["signed-space"]),
    Case("space-sent-only", in_hex(FIELDS, sent=f"{NOW}, LHR"), ["signed-spaces", "pop-form"]),
    Case("time-signed", in_hex(f"{NOW}", sent=FIELDS), ["signed-pop"]),
    Case("no-comma-signed", in_hex(f"{NOW}LHR", sent=FIELDS), ["signed-pop"]),
    Case("lower-pop-signed", in_hex(f"{NOW},lhr", sent=FIELDS), ["signed-pop"]),
    Case("upper-pop-signed", in_hex(FIELDS, sent=f"{NOW},lhr"), ["signed-pop"]),
    # The secret
    secret_case("newline", "secret-newline", SECRET + "\n"),
    secret_case("windows-newline", "secret-newline", SECRET + "\r\n"),
    secret_case("space", "secret-space", SECRET + " "),
    secret_case("space-before", "secret-space", " " + SECRET),
    secret_case("double-quotes", "secret-quotes", f'"{SECRET}"'),
    secret_case("single-quotes", "secret-quotes", f"'{SECRET}'"),
    secret_case("bom", "secret-bom", "\ufeff" + SECRET),
    secret_case("id", "secret-id", f"default:{SECRET}"),
    secret_case("from-hex", "secret-decoded", bytes.fromhex(HEX_SECRET), HEX_SECRET),
    secret_case("from-base64", "secret-decoded", base64.b64decode(BASE64_SECRET), BASE64_SECRET),
    secret_case("to-base64", "secret-encoded", base64.b64encode(SECRET.encode())),
    secret_case("to-hex", "secret-encoded", SECRET.encode().hex()),
    secret_case("empty", "secret-empty", ""),
    secret_case("null", "secret-empty", "(null)"),
    secret_case("quotes-here", "secret-quotes-here", SECRET, f'"{SECRET}"'),
    secret_case("id-here", "secret-id-here", SECRET, f"2026:{SECRET}"),
    secret_case("unknown", "wrong-signature", "another secret altogether"),
    secret_case("that-is-base64-of-no-length", "wrong-signature", "other", "Z" * 17),
    secret_case("that-is-hex-of-odd-length", "wrong-signature", "other", "a" * 19),
    # Several at once
    Case("two-mistakes", f"{FIELDS},{UNDER_OTHER_MISTAKE}", ["upper-case-hex", "secret-newline"]),
    Case(
        "older-key-and-newline",
        in_hex(secret=OLDER_SECRET + "\n"),
        ["secret-newline"],
        {"keys": KEYRING},
    ),
    Case("wrong-and-old", in_hex(secret="x" * 20), ["wrong-signature", "too-old"], {"now": 2e9}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_each_usual_mistake_has_its_code(case: Case):
    assert codes(case.value, **case.options) == case.expected


def test_the_url_safe_case_differs_from_the_standard_alphabet():
    assert in_base64() != in_base64(url_safe=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_case_shows_the_secret_or_a_signature_that_would_be_accepted(case: Case):
    options = dict(case.options)
    now = options.pop("now", NOW)
    keys = options.pop("keys", [Key("default", SECRET)])
    shown = str(diagnose(case.value.encode(), EdgeAuthScheme(keys, **options), now=now))
    signed = case.value.rpartition(",")[0].encode()
    for key in keys:
        assert key.secret.decode() not in shown
        assert key.mac(signed).hex() not in shown
        assert base64.b64encode(key.mac(signed)).decode() not in shown


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (NOW + 72, "Too old by 12 s: signed 72 s ago, and max_age is 60 s."),
        (NOW + 72, "the clock here is ahead of the edge's by 12 s or more"),
        (NOW - 30, "Too new by 25 s: signed 30 s in the future, and max_future is 5 s."),
        (NOW - 30, "the clock here is behind the edge's by 25 s or more"),
        (NOW + 36_000, "signed 10 h ago"),
        (NOW + 864_000, "signed 10 days ago"),
    ],
)
def test_a_value_outside_its_window_tells_the_skew_that_would_explain_it(now, words):
    (finding,) = diagnose(in_hex().encode(), EdgeAuthScheme([SECRET]), now=now).findings
    assert words in finding.text


def test_joined_values_tell_what_each_would_be_alone():
    joined = f"{in_hex(secret='x' * 20)}, {in_hex()}".encode()
    (finding,) = diagnose(joined, EdgeAuthScheme([SECRET]), now=NOW).findings
    assert "the first is refused (bad-signature), the rest is accepted" in finding.text


def test_a_date_past_the_calendar_is_no_date():
    fields = diagnose(b"999999999999,LHR,0x", EdgeAuthScheme([SECRET]), now=NOW).fields
    assert "after the year 2999" in fields[0].note


def test_what_was_received_is_shown_escaped_and_short():
    value = b"1700000000,\x1b[31m\xff,0x" + b"7" * 200
    fields = diagnose(value, EdgeAuthScheme([SECRET]), now=NOW).fields
    assert [field.seen for field in fields] == [
        "1700000000",
        r"\x1b[31m\xff",
        "0x77777777...7777",
    ]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_the_diagnosis_agrees_with_the_scheme_on_every_vector(row: Row):
    scheme = EdgeAuthScheme(row.secrets, **row.options)
    assert agrees(row.raw, scheme, row.now)


@given(
    st.binary(max_size=120)
    | st.tuples(st.integers(0, len(in_hex()) - 1), st.integers(0, 255)).map(
        lambda change: (
            in_hex().encode()[: change[0]] + bytes([change[1]]) + in_hex().encode()[change[0] + 1 :]
        )
    )
)
def test_the_diagnosis_agrees_with_the_scheme_on_any_bytes(value):
    assert agrees(value, EdgeAuthScheme([SECRET], pops=["LHR", "XXX"]), NOW)


def agrees(value: bytes, scheme: EdgeAuthScheme, now: float) -> bool:
    """An accepted value has good fields only; a refused one has a bad one and a finding."""
    diagnosis = diagnose(value, scheme, now=now)
    good = all(field.ok for field in diagnosis.fields)
    try:
        scheme.verify_value(value, now=now)
    except VerificationError:
        return not good and bool(diagnosis.findings)
    return good

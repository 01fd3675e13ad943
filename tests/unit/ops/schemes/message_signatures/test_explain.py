"""What is said of each usual reason for which a message signature is refused."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from support.rfc9421 import published_key
from support.signed_requests import KEY, NOW, SECRET

from edgeauth import Key
from edgeauth.errors import VerificationError
from edgeauth.ops.schemes.message_signatures.explain import explain
from edgeauth.ops.schemes.request_lines import Hints, RequestLines
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner, PrivateKey

if TYPE_CHECKING:
    from edgeauth.ops.schemes.diagnosis import Diagnosis

HOST = "shop.example"
TARGET = "/a/b%20c?q=1&r=2"
ALL = ("@method", "@authority", "@path", "@query")
OTHER = Key("edge-2", "another-secret-that-signs-requests")


@dataclass
class Sent:
    """What the edge signs. What arrives is this, unless it is changed on its way."""

    method: str = "GET"
    target: str = TARGET
    host: str = HOST
    fields: list[tuple[str, str]] = field(default_factory=list)

    def lines(self, *more: tuple[str, str]) -> str:
        fields = [("Host", self.host), *self.fields, *more]
        return "\r\n".join(
            [
                f"{self.method} {self.target} HTTP/1.1",
                *(f"{name}: {value}" for name, value in fields),
                "",
            ]
        )


def signature(sent: Sent, *, key: Any = KEY, signer: dict[str, Any] | None = None, **how: Any):
    made = MessageSigner(key, **(signer or {})).sign(
        sent.method, sent.target, sent.host, fields=sent.fields, **{"created": NOW, **how}
    )
    return list(made.items())


def diagnosed(
    raw: str, *, keys: Any = None, hints: Hints | None = None, now: float = NOW, **options: Any
) -> tuple[Diagnosis, str]:
    """What is said of a request, and the reason for which it is refused."""
    scheme = MessageSignatureScheme(keys or [KEY], **options)
    lines = RequestLines(raw.encode("latin-1"), [scheme.headers], hints or Hints())
    try:
        scheme.verify(lines, now=now)
    except VerificationError as error:
        reason = error.reason
    else:
        reason = "ok"
    found = explain(scheme, lines, now)
    text = repr(found)
    assert SECRET not in text
    assert OTHER.secret.decode() not in text
    return found, reason


def codes(found: Diagnosis) -> list[str]:
    return [finding.code for finding in found.findings]


def wrong(found: Diagnosis) -> list[str]:
    return [one.name for one in found.fields if not one.ok]


def test_of_a_good_signature_each_line_is_shown_and_nothing_is_found():
    found, reason = diagnosed(Sent().lines(*signature(Sent(), nonce="n-1")))
    assert reason == "ok"
    assert found.findings == ()
    assert [(one.name, one.seen) for one in found.fields if one.name[1] == "@"] == [
        ('"@method"', "GET"),
        ('"@authority"', HOST),
        ('"@path"', "/a/b%20c"),
        ('"@query"', "?q=1&r=2"),
        (
            '"@signature-params"',
            f'("@method" "@authority" "@path" "@query");created={NOW};keyid="edge-1";nonce="n-1"',
        ),
    ]
    assert all(one.ok for one in found.fields)


@dataclass
class Case:
    """One thing that happens between edge and origin.

    Attributes:
        sent: what the edge signs.
        came: what arrives.
        code: what is found.
        line: the line that differs, and no other.
        more: fields that a proxy adds.
    """

    id: str
    code: str
    line: str
    sent: Sent
    came: Sent
    more: list[tuple[str, str]] = field(default_factory=list)
    hints: Hints = field(default_factory=Hints)
    options: dict[str, Any] = field(default_factory=dict)
    signer: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case(
        "Host rewritten, X-Forwarded-Host",
        "host-rewritten",
        '"@authority"',
        Sent(),
        Sent(host="origin.internal:8000"),
        [("X-Forwarded-Host", "Shop.Example")],
    ),
    Case(
        "Host rewritten, Forwarded",
        "host-rewritten",
        '"@authority"',
        Sent(),
        Sent(host="127.0.0.1:8000"),
        [("Forwarded", 'for=192.0.2.1;proto=https;host="shop.example"')],
    ),
    Case(
        "Host rewritten, told by --expect-host",
        "host-rewritten",
        '"@authority"',
        Sent(),
        Sent(host="127.0.0.1"),
        hints=Hints(hosts=["www.example", HOST]),
    ),
    Case("port added", "host-port", '"@authority"', Sent(), Sent(host=f"{HOST}:8443")),
    Case("port lost", "host-port", '"@authority"', Sent(host=f"{HOST}:8443"), Sent()),
    Case("path decoded", "path-encoding", '"@path"', Sent(target="/a%7Eb"), Sent(target="/a~b")),
    Case(
        "slash decoded", "path-encoding", '"@path"', Sent(target="/a%2Fb/c"), Sent(target="/a/b/c")
    ),
    Case(
        "path encoded anew",
        "path-encoding",
        '"@path"',
        Sent(target="/a~b'c"),
        Sent(target="/a%7Eb%27c"),
    ),
    Case(
        "case of escapes",
        "path-encoding",
        '"@path"',
        Sent(target="/%c3%bc"),
        Sent(target="/%C3%BC"),
    ),
    Case("slashes merged", "path-encoding", '"@path"', Sent(target="/a%2F"), Sent(target="/a/")),
    Case("slash added", "path-slash", '"@path"', Sent(target="/a"), Sent(target="/a/")),
    Case("slash lost", "path-slash", '"@path"', Sent(target="/a/"), Sent(target="/a")),
    Case(
        "prefix stripped",
        "prefix-stripped",
        '"@path"',
        Sent(target="/shop/a"),
        Sent(target="/a"),
        [("X-Forwarded-Prefix", "/shop/")],
    ),
    Case(
        "prefix stripped, told by --expect-prefix",
        "prefix-stripped",
        '"@path"',
        Sent(target="/shop/a?x"),
        Sent(target="/a?x"),
        hints=Hints(prefixes=["/shop"]),
    ),
    Case("prefix added", "prefix-added", '"@path"', Sent(target="/a/b"), Sent(target="/v1/x/a/b")),
    Case(
        "target rewritten, X-Original-URI",
        "target-rewritten",
        '"@path"',
        Sent(target="/old/page?x=1"),
        Sent(target="/index.php?x=1"),
        [("X-Original-URI", "/old/page?x=1")],
    ),
    Case(
        "query dropped, X-Original-URI",
        "target-rewritten",
        '"@query"',
        Sent(target="/a?q=secret"),
        Sent(target="/a"),
        [("X-Original-URI", "/a?q=secret")],
    ),
    Case(
        "query dropped, told by --expect-url",
        "url",
        '"@query"',
        Sent(target="/a?q=1"),
        Sent(target="/a"),
        hints=Hints(urls=["https://shop.example/a?q=1"]),
    ),
    Case("query not signed", "query-dropped", '"@query"', Sent(target="/a"), Sent(target="/a?x=1")),
    Case(
        "query reordered",
        "query-reordered",
        '"@query"',
        Sent(target="/a?b=2&a=1&c=3"),
        Sent(target="/a?a=1&c=3&b=2"),
    ),
    Case(
        "query encoded anew",
        "query-encoding",
        '"@query"',
        Sent(target="/a?q=x+y"),
        Sent(target="/a?q=x%20y"),
    ),
    Case(
        "parameter added",
        "query-parameter-added",
        '"@query"',
        Sent(target="/a?q=1&r=2"),
        Sent(target="/a?q=1&debug=1&r=2"),
    ),
    Case("method changed", "method", '"@method"', Sent(method="HEAD"), Sent(method="GET")),
    Case(
        "method overridden",
        "method",
        '"@method"',
        Sent(method="PURGE"),
        Sent(method="POST"),
        [("X-HTTP-Method-Override", "PURGE")],
    ),
    Case(
        "another scheme",
        "url-scheme",
        '"@scheme"',
        Sent(),
        Sent(),
        options={"components": (*ALL, "@scheme")},
        signer={"components": (*ALL, "@scheme"), "scheme": "http"},
    ),
    Case(
        "field added to",
        "field-changed",
        '"x-forwarded-for"',
        Sent(fields=[("X-Forwarded-For", "192.0.2.7")]),
        Sent(fields=[("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-For", "10.0.0.1")]),
        signer={"components": (*ALL, "x-forwarded-for")},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_line_that_differs_is_named_and_why(case: Case):
    fields = signature(case.sent, signer=case.signer)
    found, reason = diagnosed(
        case.came.lines(*fields, *case.more), hints=case.hints, **case.options
    )
    assert reason == "bad-signature"
    assert codes(found) == [case.code]
    assert wrong(found) == [case.line, "signature"]
    # It was good before.
    assert diagnosed(case.sent.lines(*fields), **case.options)[1] in {"ok", "bad-signature"}


def test_a_default_port_that_the_edge_signs_is_named():
    sent = Sent(host=f"{HOST}:443")
    fields = signature(sent, signer={"scheme": "http"})
    found, reason = diagnosed(Sent().lines(*fields))
    assert reason == "bad-signature"
    assert codes(found) == ["default-port"]
    assert wrong(found) == ['"@authority"', "signature"]


def test_two_things_at_once_are_named_both():
    fields = signature(Sent(target="/a%7Eb"))
    came = Sent(host="127.0.0.1:8000", target="/a~b")
    found, _ = diagnosed(came.lines(*fields, ("X-Forwarded-Host", HOST)))
    assert sorted(codes(found)) == ["host-rewritten", "path-encoding"]
    assert wrong(found) == ['"@authority"', '"@path"', "signature"]
    notes = {one.name: one.note for one in found.fields}
    assert notes['"@authority"'] == f"the edge signed {HOST}"
    assert notes['"@path"'] == "the edge signed /a%7Eb"


# Keys


def test_another_key_of_the_ring_is_named():
    forged = [
        (name, value.replace("edge-2", "edge-1"))
        for name, value in signature(Sent(), key=Key("edge-1", OTHER.secret))
    ]
    found, reason = diagnosed(Sent().lines(*forged), keys=[KEY, OTHER])
    assert (reason, codes(found)) == ("bad-signature", ["other-key"])
    assert "Key edge-2 made this signature" in found.findings[0].text


def test_an_unknown_key_is_named_with_those_that_are_here():
    fields = signature(Sent(), key=Key("edge-9", "a-third-secret-that-nobody-here-has"))
    found, reason = diagnosed(Sent().lines(*fields), keys=[KEY, OTHER])
    assert reason == "bad-signature"
    assert codes(found) == ["wrong-signature", "unknown-key"]
    assert "the keys here are: edge-1, edge-2" in found.findings[1].text


def test_an_unknown_id_of_a_key_that_is_here_is_told():
    fields = signature(Sent(), key=Key("edge-9", SECRET))
    found, _ = diagnosed(Sent().lines(*fields), keys=[OTHER, KEY])
    assert codes(found) == ["other-key", "unknown-key"]


HEX = "5f2b8a019c3d4e6f7a8b9c0d1e2f3a4b"
BASE64 = "V2hhdCBhIGxvbmcgc2VjcmV0IHRoaXMgaXMh"


@pytest.mark.parametrize(
    ("code", "at_the_edge", "here"),
    [
        ("secret-newline", SECRET.encode() + b"\n", SECRET),
        ("secret-decoded", bytes.fromhex(HEX), HEX),
        ("secret-decoded", b64decode(BASE64), BASE64),
        ("secret-encoded", b64encode(SECRET.encode()), SECRET),
        ("secret-quotes", b'"' + SECRET.encode() + b'"', SECRET),
    ],
)
def test_a_secret_in_a_wrong_encoding_is_told(code, at_the_edge, here):
    found, reason = diagnosed(
        Sent().lines(*signed_by_hand(lambda base: hmac.digest(at_the_edge, base, "sha256"))),
        keys=[Key("edge-1", here)],
    )
    assert (reason, codes(found)) == ("bad-signature", [code])
    assert wrong(found) == ["signature"]
    assert here not in repr(found)


def signed_by_hand(make, *, change=lambda text: text) -> list[tuple[str, str]]:
    """The two fields, whose signature is what *make* makes of the base."""
    (name, signed), (other, _) = signature(Sent(), nonce="n-1")
    base = "".join(
        f'"{part}": {value}\n'
        for part, value in zip(ALL, ("GET", HOST, "/a/b%20c", "?q=1&r=2"), strict=True)
    )
    base += f'"@signature-params": {signed.removeprefix("edge=")}'
    made = b64encode(make(change(base).encode())).decode()
    return [(name, signed), (other, f"edge=:{made}:")]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("base-newline", lambda base: base + "\n"),
        ("base-crlf", lambda base: base.replace("\n", "\r\n")),
        ("base-params", lambda base: base.rpartition("\n")[0]),
        ("base-label", lambda base: base.replace('params": ', 'params": edge=')),
        (
            "base-reversed",
            lambda base: "\n".join([*sorted(base.split("\n")[:-1]), base.rpartition("\n")[2]]),
        ),
    ],
)
def test_a_base_that_is_put_together_wrongly_is_told(code, change):
    found, _ = diagnosed(Sent().lines(*signed_by_hand(KEY.mac, change=change)))
    assert codes(found) == [code]


def test_another_hash_is_told():
    made = signed_by_hand(lambda base: hmac.digest(KEY.secret, base, "sha512"))
    assert codes(diagnosed(Sent().lines(*made))[0]) == ["hash"]


def test_hex_digits_in_base64_are_told():
    made = signed_by_hand(lambda base: KEY.mac(base).hex().encode())
    assert codes(diagnosed(Sent().lines(*made))[0]) == ["base64-of-hex"]


def test_a_signature_of_another_kind_of_key_is_told():
    public = PublicKey("pair", published_key("ed25519", "pem"), "ed25519")
    fields = signature(Sent(), key=Key("pair", SECRET))
    found, reason = diagnosed(Sent().lines(*fields), keys=[public])
    assert (reason, codes(found)) == ("bad-signature", ["algorithm"])


def test_an_alg_that_the_key_has_not_is_told():
    (name, signed), (other, _) = signature(Sent(), nonce="n-1")
    signed += ';alg="ed25519"'
    made = [(name, signed), (other, f"edge=:{mac_of(signed)}:")]
    found, reason = diagnosed(Sent().lines(*made))
    assert (reason, codes(found)) == ("bad-signature", ["algorithm"])
    assert "alg=ed25519" in found.findings[0].text


def mac_of(signed: str, values=("GET", HOST, "/a/b%20c", "?q=1&r=2"), parts=ALL) -> str:
    base = "".join(f'"{part}": {value}\n' for part, value in zip(parts, values, strict=True))
    base += f'"@signature-params": {signed.removeprefix("edge=")}'
    return b64encode(KEY.mac(base.encode())).decode()


def test_with_a_public_key_a_rewritten_host_is_found_too():
    private = PrivateKey("pair", published_key("ed25519", "key"), "ed25519")
    fields = signature(Sent(), key=private)
    found, _ = diagnosed(
        Sent(host="127.0.0.1:8000").lines(*fields, ("X-Forwarded-Host", HOST)),
        keys=[PublicKey("pair", published_key("ed25519", "pem"), "ed25519")],
    )
    assert codes(found) == ["host-rewritten"]


def test_a_signature_in_der_is_told():
    private = PrivateKey("pair", published_key("ecc-p256", "key"), "ecdsa-p256-sha256")
    public = PublicKey("pair", published_key("ecc-p256", "pem"), "ecdsa-p256-sha256")
    (name, signed), (other, value) = signature(Sent(), key=private)
    raw = b64decode(value.removeprefix("edge=:").removesuffix(":"))
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    made = [(name, signed), (other, f"edge=:{b64encode(der).decode()}:")]
    assert codes(diagnosed(Sent().lines(*made), keys=[public])[0]) == ["signature-der"]


def test_the_other_algorithm_of_rsa_is_told():
    private = PrivateKey("pair", published_key("rsa", "key"), "rsa-v1_5-sha256")
    public = PublicKey("pair", published_key("rsa", "pem"), "rsa-pss-sha512")
    made = signature(Sent(), key=private)
    found, _ = diagnosed(Sent().lines(*made), keys=[public])
    assert codes(found) == ["algorithm"]
    assert "Signed with rsa-v1_5-sha256" in found.findings[0].text


# Time, coverage, tags


def test_a_clock_that_is_off_is_told_with_by_how_much():
    fields = signature(Sent())
    found, reason = diagnosed(Sent().lines(*fields), now=NOW + 90)
    assert (reason, codes(found), wrong(found)) == ("expired", ["too-old"], ["created"])
    found, reason = diagnosed(Sent().lines(*fields), now=NOW - 20)
    assert (reason, codes(found), wrong(found)) == ("future", ["future"], ["created"])


def test_an_end_that_the_edge_set_is_told():
    fields = signature(Sent(), expires=NOW + 10)
    found, reason = diagnosed(Sent().lines(*fields), now=NOW + 20)
    assert (reason, codes(found), wrong(found)) == ("expired", ["past-expires"], ["expires"])


@pytest.mark.parametrize(
    ("how", "options", "missing"),
    [
        ({"signer": {"components": ("@method", "@authority", "@path")}}, {}, '"@query"'),
        ({"nonce": None}, {}, "nonce"),
        ({}, {"components": (*ALL, "content-digest")}, '"content-digest"'),
    ],
)
def test_what_is_left_out_is_named(how, options, missing):
    found, reason = diagnosed(Sent().lines(*signature(Sent(), **how)), **options)
    assert (reason, codes(found)) == ("coverage", ["not-covered"])
    assert f"leaves out {missing}" in found.findings[0].text


def test_a_wrong_tag_is_named():
    fields = signature(Sent(), signer={"tag": "cdn"})
    found, reason = diagnosed(Sent().lines(*fields), tag="edge")
    assert (reason, codes(found)) == ("missing", ["wrong-tag"])
    assert 'edge: "cdn"' in found.findings[0].text


def test_several_signatures_with_the_tag_are_told():
    first = dict(signature(Sent(), signer={"tag": "edge"}))
    second = dict(signature(Sent(), signer={"tag": "edge", "label": "mine"}))
    both = [(name, f"{first[name]}, {second[name]}") for name in first]
    found, reason = diagnosed(Sent().lines(*both), tag="edge")
    assert (reason, codes(found)) == ("malformed", ["several"])
    found, reason = diagnosed(Sent().lines(*both))
    assert (reason, codes(found)) == ("malformed", ["several"])
    assert "set tag here" in found.findings[0].text


# What is not there


def test_a_field_that_is_lost_is_named():
    sent = Sent(fields=[("X-Note", "1")])
    fields = signature(sent, signer={"components": (*ALL, "x-note")})
    found, reason = diagnosed(Sent().lines(*fields))
    assert (reason, codes(found), wrong(found)) == ("malformed", ["no-line"], ['"x-note"'])


@pytest.mark.parametrize(
    ("signed", "came"), [("/%C3%BC", "/\xc3\xbc"), ("/a%20b", "/a b"), ("/%01", "/\x01")]
)
def test_a_path_that_is_decoded_to_what_cannot_be_signed_is_told(signed, came):
    fields = signature(Sent(target=signed))
    found, reason = diagnosed(Sent(target=came).lines(*fields))
    assert reason in {"malformed", "bad-signature"}
    assert codes(found) == ["path-encoding"]
    notes = {one.name: one.note for one in found.fields}
    assert notes['"@path"'] == f"the edge signed {signed}"


@pytest.mark.parametrize(
    ("input_", "told"),
    [
        ("edge=(@method);created=1", "Signature-Input is not of the form"),
        ('edge=("@nothing");created=1;keyid="edge-1"', "A signed component is unknown"),
        ('edge=("@method");created=1', "Sign with keyid: the id of the key here"),
        ('edge=("@method");created="1";keyid="edge-1"', "is not of its form"),
        ('edge="x";tag="edge"', "is no list of components"),
        ('other=("@method")', "have different labels"),
    ],
)
def test_what_is_outside_of_the_profile_is_told_with_why(input_, told):
    made = [("Signature-Input", input_), ("Signature", "edge=:AAAA:")]
    found, reason = diagnosed(Sent().lines(*made))
    assert (reason, codes(found)) == ("malformed", ["malformed"])
    assert told in found.findings[0].text


@pytest.mark.parametrize(
    ("length", "code"), [(31, "signature-length"), (64, "algorithm"), (256, "algorithm")]
)
def test_a_signature_of_a_length_that_the_key_does_not_make_is_told(length, code):
    made = signed_by_hand(lambda _base: b"x" * length)
    assert codes(diagnosed(Sent().lines(*made))[0]) == [code]


def test_a_signature_of_nobody_says_what_to_look_at():
    for make in (lambda _base: b"x" * 32, lambda _base: b"x" * 32):
        found, _ = diagnosed(Sent().lines(*signed_by_hand(make)))
        assert codes(found) == ["wrong-signature"]
        assert "--expect-url" in found.findings[0].text
    private = PrivateKey("pair", published_key("rsa", "key"), "rsa-pss-sha512")
    for key, length in (("rsa", 256), ("ecc-p256", 64)):
        public = PublicKey("pair", published_key(key, "pem"))
        (name, value), (other, _) = signature(Sent(), key=private)
        text = b64encode(b"x" * length).decode()
        found, _ = diagnosed(Sent().lines((name, value), (other, f"edge=:{text}:")), keys=[public])
        assert codes(found) == ["wrong-signature"]


def test_a_key_that_is_not_valid_at_the_moment_is_told():
    late = Key("edge-1", SECRET, not_after=NOW - 1)
    found, reason = diagnosed(Sent().lines(*signature(Sent())), keys=[late])
    assert (reason, codes(found), wrong(found)) == ("bad-signature", ["key-dates"], ["keyid"])


def test_a_signature_without_a_time_is_not_covered():
    (name, signed), (other, _) = signature(Sent(), nonce="n-1")
    signed = signed.replace(f";created={NOW}", "")
    made = [(name, signed), (other, f"edge=:{mac_of(signed)}:")]
    found, reason = diagnosed(Sent().lines(*made))
    assert (reason, codes(found)) == ("coverage", ["not-covered"])


def test_a_private_field_that_differs_is_named_and_not_shown():
    sent = Sent(fields=[("Authorization", "Bearer ABCDEF")])
    fields = signature(
        Sent(fields=[("Authorization", "bearer abcdef")]),
        signer={"components": (*ALL, "authorization")},
    )
    found, _ = diagnosed(sent.lines(*fields))
    assert codes(found) == ["field-changed"]
    assert "abcdef" not in repr(found).lower()


def test_without_a_request_line_it_is_asked_for():
    found, _ = diagnosed("\n".join(f"{name}: {value}" for name, value in signature(Sent())))
    assert codes(found) == ["no-host", "no-target", "no-target"]
    assert [one.seen for one in found.fields if one.name == '"@method"'] == ["GET"]


def test_the_url_and_the_method_may_be_given_apart():
    fields = signature(Sent(method="POST"))
    raw = "\n".join(f"{name}: {value}" for name, value in fields)
    hints = Hints(method="POST", url=f"https://{HOST}{TARGET}")
    assert diagnosed(raw, hints=hints)[1] == "ok"


def test_the_fields_of_http_2_are_read_as_curl_shows_them():
    fields = signature(Sent(method="POST"))
    shown = ["* [HTTP/2] [1] [:method: POST]", f"* [HTTP/2] [1] [:authority: {HOST}]"]
    shown += [f"* [HTTP/2] [1] [:path: {TARGET}]"]
    shown += [f"> {name.lower()}: {value}" for name, value in fields]
    assert diagnosed("\n".join(shown))[1] == "ok"


def test_a_line_of_a_log_in_json_is_read():
    fields = {name.lower(): value for name, value in signature(Sent())}
    line = json.dumps({"status": 403, "request": {"headers": {"host": HOST, **fields}}})
    assert diagnosed(f"GET {TARGET} HTTP/1.1\n{line}")[1] == "ok"


@pytest.mark.parametrize("left", ["Signature", "Signature-Input"])
def test_a_missing_field_is_named(left):
    fields = [pair for pair in signature(Sent()) if pair[0] != left]
    found, reason = diagnosed(Sent().lines(*fields))
    assert (reason, codes(found)) == ("missing", ["missing"])
    assert f"no {left} header" in found.findings[0].text


def test_base64_of_urls_is_told():
    fields = [
        (name, value if name == "Signature-Input" else "edge=:-_-_AAAA:")
        for name, value in signature(Sent())
    ]
    found, reason = diagnosed(Sent().lines(*fields))
    assert (reason, codes(found)) == ("malformed", ["malformed"])
    assert "base64 of URLs" in found.findings[0].text


# Once


def test_a_nonce_that_was_seen_is_told_with_when():
    fields = signature(Sent(), nonce="n-1")
    asked = []

    def seen_at(key: bytes) -> float:
        asked.append(key)
        return NOW + 2

    found, _ = diagnosed(Sent().lines(*fields), hints=Hints(seen_at=seen_at), now=NOW + 5)
    assert asked == [b"edge-1:n-1"]
    assert codes(found) == ["replayed"]
    assert "2025-10-09 08:53:22 UTC, 3 s before" in found.findings[0].text


def test_of_a_bad_signature_no_store_is_asked():
    def seen_at(key: bytes) -> float:
        raise AssertionError(key)

    fields = signature(Sent(), nonce="n-1")
    diagnosed(Sent(method="POST").lines(*fields), hints=Hints(seen_at=seen_at))


# Secrets


def test_what_is_its_owners_alone_is_not_shown():
    sent = Sent(fields=[("Authorization", "Bearer abcdef")])
    fields = signature(sent, signer={"components": (*ALL, "authorization")})
    found, reason = diagnosed(sent.lines(*fields))
    assert reason == "ok"
    assert "abcdef" not in repr(found)


def test_a_secret_that_is_sent_is_told_and_not_repeated():
    (name, signed), _ = signature(Sent(), nonce="n-1")
    found, _ = diagnosed(Sent().lines((name, signed), ("Signature", f"edge={SECRET}")))
    assert codes(found) == ["secret-sent"]


def test_what_steers_a_terminal_is_escaped():
    fields = signature(Sent())
    came = Sent(target="/\x1b[31m?x")
    found, _ = diagnosed(came.lines(*fields))
    assert "\x1b" not in "".join(one.seen + one.note for one in found.fields)
    assert "\x1b" not in "".join(one.text for one in found.findings)

"""What an edge's signer writes into the two fields, and of which request."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from support.signed_requests import HOST, KEY, NOW, field, signed

from edgeauth import ConfigurationError, Key
from edgeauth.schemes.base import CannotSign, Outgoing
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner, PrivateKey
from edgeauth.schemes.message_signatures.sign import sign_request

# Made for these tests.
PRIVATE = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIHNIuR3wLmJVe1oYqP0dTzXGkC9nA4fS2jU8vE6hBtQ5
-----END PRIVATE KEY-----
"""


def test_a_method_that_is_literally_websocket_is_signed_as_it_is():
    request = signed("WEBSOCKET", nonce="n")

    assert MessageSignatureScheme([KEY]).verify(request, now=NOW)
    assert field(request, "Signature") != field(signed("GET", nonce="n"), "Signature")
    assert not request.handshake


def test_the_algorithm_that_is_named_is_that_of_the_private_key():
    key = PrivateKey("edge-1", PRIVATE)
    request = signed(key=key, signer={"include_alg": True})

    assert b';alg="ed25519"' in field(request, "Signature-Input")
    assert MessageSignatureScheme([key.public]).verify(request, now=NOW).key_id == "edge-1"


def test_no_digest_is_made_of_a_body_that_need_not_be_signed():
    sent = Outgoing("GET", HOST, "/", body=b"body")
    fields = MessageSigner(KEY).credential(sent, NOW)

    assert set(fields) == {"Signature-Input", "Signature"}
    assert MessageSigner(KEY).credential(sent._replace(body=None), NOW)


def test_a_time_may_have_twelve_digits():
    request = signed(created=999_999_999_999)

    assert b";created=999999999999;" in field(request, "Signature-Input")
    assert MessageSignatureScheme([KEY]).verify(request, now=999_999_999_999)


def test_a_new_nonce_is_another_one_each_time():
    nonces = {field(signed(), "Signature-Input") for _ in range(20)}

    assert len(nonces) == 20


def test_the_signer_of_a_scheme_signs_for_the_url_that_the_edge_sees():
    scheme = MessageSignatureScheme([KEY], components=["@target-uri"], scheme="http")
    made = scheme.signer(KEY).sign("GET", "/", HOST, created=NOW)
    request = replace(
        signed(target="/"),
        fields=[("Host", HOST.encode())] + [(n, v.encode()) for n, v in made.items()],
    )

    assert scheme.verify(request, now=NOW).key_id == "edge-1"


def test_quotes_and_backslashes_of_a_tag_are_written_as_a_structured_field_has_them():
    request = signed(signer={"tag": 'a"b\\c'})

    assert field(request, "Signature-Input").endswith(rb';tag="a\"b\\c"')


def test_a_scheme_signs_with_the_key_that_is_valid_when_the_request_is_sent():
    old = Key("old", "the-secret-that-signed-until-then", not_after=NOW + 10)
    new = Key("new", "the-secret-that-signs-from-then-on", not_before=NOW + 11)
    scheme = MessageSignatureScheme([old, new])
    sent = Outgoing("GET", HOST, "/")

    for now, key in ((NOW, "old"), (NOW + 11, "new")):
        assert f'keyid="{key}"' in scheme.credential(now=now, request=sent)["Signature-Input"]


def test_a_credential_of_no_request_is_refused_in_the_name_of_the_scheme():
    with pytest.raises(ConfigurationError, match=r"^the scheme message-signatures signs one"):
        MessageSignatureScheme([KEY]).credential(now=NOW)


def parts(made):
    """The label, the parameters by name and the signature of the two fields."""
    label, _, rest = made["Signature-Input"].partition("=")
    parameters = dict(part.split("=", 1) for part in rest.split(";")[1:])
    return label, parameters, made["Signature"]


def test_a_signature_has_what_it_needs_and_no_more():
    before = int(time.time())
    label, parameters, signature = parts(MessageSigner(KEY).sign("GET", "/", HOST))

    assert label == "edge"
    assert list(parameters) == ["created", "keyid", "nonce"]
    assert before <= int(parameters["created"]) <= time.time()
    assert parameters["keyid"] == f'"{KEY.id}"'
    # 16 bytes in base64, and two quotes.
    assert len(parameters["nonce"]) == 24
    assert re.fullmatch(r"edge=:[A-Za-z0-9+/]{43}=:", signature)


def test_each_part_of_a_signature_is_written_where_it_is_asked_for():
    signer = MessageSigner(KEY, tag="t", label="a-b.c_1*", include_alg=True)
    made = signer.sign("GET", "/", HOST, created=1, expires=2, nonce="n")
    label, parameters, signature = parts(made)

    assert label == "a-b.c_1*"
    assert signature.startswith("a-b.c_1*=:")
    assert parameters == {
        "created": "1",
        "keyid": f'"{KEY.id}"',
        "alg": '"hmac-sha256"',
        "expires": "2",
        "nonce": '"n"',
        "tag": '"t"',
    }
    without = parts(MessageSigner(KEY).sign("GET", "/", HOST, created=0, nonce=None))[1]
    assert list(without) == ["created", "keyid"]
    assert without["created"] == "0"


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (
            lambda: MessageSigner(KEY, label="A"),
            "label 'A' must be lower-case letters, digits, dots",
        ),
        (lambda: MessageSigner(KEY, label=7), "label 7 must be lower-case letters"),
        (lambda: sign(created=-1), "created -1 must be whole Unix seconds of at most 12 digits"),
        (lambda: sign(created=10**12), "created 1000000000000 must be whole Unix seconds"),
        (lambda: sign(created=True), "created True must be whole Unix seconds"),
        (lambda: sign(expires=1.5), "expires 1.5 must be whole Unix seconds"),
        (
            lambda: sign(nonce="x" * 257),
            "a nonce must be 1 to 256 printable ASCII characters, with",
        ),
        (lambda: sign(nonce='"'), "a nonce must be 1 to 256 printable ASCII characters"),
        (lambda: sign(target="*\n"), "the request cannot be signed: "),
    ],
)
def test_what_cannot_be_signed_is_named_with_what_it_must_be(build, words):
    with pytest.raises(ConfigurationError) as caught:
        build()
    assert str(caught.value).startswith(words)
    assert caught.value.__cause__ is None


def sign(target="/", **more):
    return MessageSigner(KEY).sign("GET", target, HOST, **more)


def test_a_nonce_has_up_to_256_characters():
    assert len(parts(sign(nonce="x" * 256))[1]["nonce"]) == 258


def test_fields_are_found_in_any_case_and_each_line_of_them_is_signed():
    scheme = MessageSignatureScheme([KEY], components=["x-note", "host", "content-type"])
    fields = [("X-Note", "a"), ("x-other", "c"), ("x-NOTE", b"b"), ("CONTENT-type", "t")]
    made = scheme.signer(KEY).sign("GET", b"/", HOST.encode(), fields=fields, created=NOW)
    lines = [("Host", HOST.encode()), ("x-note", b"a"), ("x-note", b"b"), ("content-type", b"t")]
    lines += [(name, value.encode()) for name, value in made.items()]
    request = replace(signed(), fields=lines)

    assert scheme.verify(request, now=NOW).key_id == KEY.id


def test_a_digest_is_made_of_a_body_where_one_is_signed_and_none_is_given():
    signer = MessageSigner(KEY, components=["@method", "content-digest"])
    digest = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"
    made = signer.credential(Outgoing("PUT", HOST, "/", body=b"abc"), NOW)

    assert list(made) == ["Content-Digest", "Signature-Input", "Signature"]
    assert made["Content-Digest"] == digest
    assert parts(made)[1]["created"] == str(NOW)
    given = Outgoing("PUT", HOST, "/", [("CONTENT-digest", "sha-256=:AAAA:")], None)
    assert list(signer.credential(given, NOW)) == ["Signature-Input", "Signature"]
    with pytest.raises(CannotSign, match=r"^content-digest is signed, and the body is a stream"):
        signer.credential(Outgoing("PUT", HOST, "/", body=None), NOW)


def test_a_credential_is_of_the_whole_request():
    scheme = MessageSignatureScheme([KEY], components=["@method", "@target-uri", "x-note"])
    sent = Outgoing("PUT", HOST, "/a?b", [("X-Note", "n")])
    made = scheme.signer(KEY).credential(sent, NOW)
    lines = [("Host", HOST.encode()), ("X-Note", b"n")]
    lines += [(name, value.encode()) for name, value in made.items()]
    request = replace(signed("PUT", target="/a?b"), fields=lines)

    assert scheme.verify(request, now=NOW).key_id == KEY.id


def test_one_request_may_be_signed_with_no_signer_at_hand():
    more = {"created": 1, "nonce": "n"}
    assert sign_request(KEY, "GET", "/", HOST, **more) == sign(**more)
    options = {"label": "other", "tag": "t"}
    made = sign_request(KEY, "GET", "/", HOST, options=options, **more)
    assert made == MessageSigner(KEY, **options).sign("GET", "/", HOST, **more)

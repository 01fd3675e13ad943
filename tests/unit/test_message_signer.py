"""What an edge's signer writes into the two fields, and of which request."""

from __future__ import annotations

from dataclasses import replace

from support.signed_requests import HOST, KEY, NOW, field, signed

from edgeauth import Key
from edgeauth.schemes.base import Outgoing
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner, PrivateKey

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

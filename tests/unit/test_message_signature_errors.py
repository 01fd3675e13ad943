"""What the log says of a message signature that is refused: what is wrong, and where to look."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from support.requests import PlainRequest
from support.signed_requests import KEY, NOW, by_hand, field, signed, with_field

from edgeauth import ConfigurationError, Key, VerificationError
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner

GOOD = signed(signer={"tag": "edge"}, nonce="n")
TEXT, MADE = field(GOOD, "Signature-Input"), field(GOOD, "Signature")


def said(text=TEXT, made=MADE, **options):
    """What a scheme says of the good request with other fields."""
    request = with_field(with_field(GOOD, "Signature-Input", text), "Signature", made)
    return said_of(request, **options)


def said_of(request, **options):
    keys = options.pop("keys", [KEY])
    with pytest.raises(VerificationError) as caught:
        MessageSignatureScheme(keys, **options).verify(request, now=NOW)
    return str(caught.value), caught.value.hint


def signing(*components, fields=(), target="/?q=1"):
    """What is said of a request that claims to sign these components."""
    text = f'edge=({" ".join(components)});created={NOW};keyid="edge-1"'
    request = PlainRequest(target=target.encode(), host=b"shop.example", fields=list(fields))
    request.fields += [("Signature-Input", text.encode()), ("Signature", b"edge=:AAAA:")]
    return said_of(request)


CHANGED = (
    "does something between edge and origin change the method, Host, path or query? "
    "Is the secret at the edge the same?"
)
NOT_OF_THE_FORM = "{} is not of the form of a structured field"


@pytest.mark.parametrize(
    ("what", "message", "hint"),
    [
        (said(TEXT[:9]), NOT_OF_THE_FORM.format("Signature-Input"), None),
        (said(made=MADE[:9]), NOT_OF_THE_FORM.format("Signature"), None),
        (
            said(made=MADE + b", x=:AAAA:"),
            "Signature-Input and Signature have different labels",
            None,
        ),
        (said(TEXT + b", " + TEXT), "Signature-Input has the same key twice", None),
        (said(TEXT + b";tag"), "Signature-Input has the same parameter twice", None),
        (said(b"a" * 8193), "Signature-Input has more than 8192 bytes", None),
        (said(b"edge=1"), "a member of Signature-Input is no list of components", None),
        (said(made=b"edge=1"), "a member of Signature is no sequence of bytes", None),
        (
            said(tag="other"),
            "no signature has the tag of this gate",
            "does the edge sign with the tag that is configured here?",
        ),
        (
            said(TEXT + b", b=()", MADE + b", b=:AAAA:"),
            "2 signatures could be meant; there must be one",
            "sign with a tag at the edge and name it here, and remove there what clients sign",
        ),
        (
            said(TEXT + b";x"),
            "a parameter of the signature is unknown, or not of its type",
            None,
        ),
        (
            said(TEXT.replace(b';keyid="edge-1"', b"")),
            "the signature names no key",
            "sign with keyid: the id of the key here",
        ),
        (
            said(TEXT.replace(b"created=", b"created=-")),
            "created, expires, nonce or keyid is not of its form",
            None,
        ),
        (
            said(TEXT.replace(b"edge-1", b"k" * 65)),
            "created, expires, nonce or keyid is not of its form",
            None,
        ),
        (
            said(TEXT.replace(b"edge-1", b"k" * 64)),
            "the signature names a key that is not here",
            None,
        ),
        (
            said(made=b"edge=:AAAA:"),
            "key edge-1 did not make this signature of this request",
            CHANGED,
        ),
        (
            said_of(by_hand("()", f';created={NOW};keyid="edge-1";alg="x"', b"")),
            "the message names another algorithm than key edge-1 has",
            "the algorithm belongs to the key: look at alg at the edge",
        ),
        (
            said_of(by_hand('("@method")', ';keyid="edge-1"', b'"@method": GET\n')),
            'the signature leaves out "@authority", "@path", "@query", created, nonce',
            "let the edge sign it, or require less here",
        ),
        (
            said_of(
                signed(
                    fields=[("Content-Digest", b"md5=:AAAA:")],
                    signer={"components": ["content-digest"]},
                ),
                components=["content-digest"],
            ),
            "the signed Content-Digest has neither sha-256 nor sha-512",
            "let the edge sign it, or require less here",
        ),
        (
            said(keys=[Key("edge-1", "a-secret-that-signs-whole-requests", not_after=NOW - 1)]),
            "signed with key edge-1, which is not valid now",
            "look at not_before and not_after of that key",
        ),
        (signing("a"), "a signed component must be a quoted name", None),
        (
            signing('"@x"'),
            "a signed component is unknown, or has parameters that it cannot",
            None,
        ),
        (signing('"A"'), "a signed component is no name of a field in lower case", None),
        (signing('"a"', '"a"'), "a component is signed twice", None),
        (
            signing(*(f'"a{n}"' for n in range(65))),
            "more than 64 components are signed",
            None,
        ),
        (
            signing('"@query-param";name=q'),
            'a signed "@query-param" must have one parameter: name, a string',
            None,
        ),
        (
            signing('"@query-param";name="q"', target="/?q=1&q=1"),
            "a signed query parameter is there 2 times; it must be once",
            None,
        ),
        (
            signing('"@query-param";name="q"', target="/?q=%ff"),
            "a signed query parameter is not UTF-8",
            None,
        ),
        (
            signing('"a"'),
            "a signed field is not in the request",
            "does something between edge and origin remove or rename a field?",
        ),
        (
            signing('"a";req'),
            "a signed field has parameters that are not supported",
            "supported are ;key, ;bs, and ;sf for fields whose form is known",
        ),
        (signing('"a";key="b"', fields=[("A", b"c")]), "a signed member is not in its field", None),
        (signing('"a";key="b"', fields=[("A", b"(")]), NOT_OF_THE_FORM.format("a"), None),
        (
            said_of(
                signed(
                    fields=[("Content-Digest", b"(")], signer={"components": ["content-digest"]}
                ),
                components=[],
            ),
            NOT_OF_THE_FORM.format("Content-Digest"),
            None,
        ),
        (
            signing('"a"', fields=[("A", b"\0")]),
            "a signed part of the request is not printable ASCII",
            "does the edge percent-encode what it sends? Cover such a field with ;bs",
        ),
        *(
            (signing(f'"{name}";sf', fields=[(name, b"(")]), NOT_OF_THE_FORM.format(name), None)
            for name in ("priority", "accept-ch", "client-cert")
        ),
        (signing('"@path"', target="/#"), "the target has a fragment", None),
        (signing('"@path"', target="a"), "the target is neither a path nor a URL", None),
        (
            signing('"@target-uri"', target="http://shop.example/"),
            "the URL in the request line contradicts the Host header or scheme",
            None,
        ),
        (
            said_of(replace(GOOD, host=None)),
            "there must be one Host header: it is signed",
            None,
        ),
        (
            said_of(replace(GOOD, target=None)),
            "the server does not tell the target as received, and it is signed",
            "use a server that tells it: raw_path in ASGI, RAW_URI or REQUEST_URI in WSGI",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) > 30 else "",
)
def test_a_refusal_says_what_is_wrong_and_where_to_look(what, message, hint):
    assert what == (message, hint)


def test_a_known_form_with_a_signature_that_is_none_is_told_too():
    judge = MessageSignatureScheme([KEY])
    judge.verify(GOOD, now=NOW)
    with pytest.raises(VerificationError, match=r"^Signature is not of the form of"):
        judge.verify(with_field(GOOD, "Signature", b"edge=:A:"), now=NOW)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"components": "@method"}, "components must be a list, not '@method'"),
        ({"components": ["a", "a"]}, "a component is required twice"),
        (
            {"components": ['"a"\t']},
            "component '\"a\"\\t' cannot be required: it is not of the form of a structured field;",
        ),
        ({"components": [7]}, "component 7 cannot be required; write @method"),
        (
            {"components": ['"@query-param";name="q";x']},
            'component \'"@query-param";name="q";x\' cannot be required: a signed "@query-param"',
        ),
        ({"components": ["A"]}, "component 'A' cannot be required: a signed component is no name"),
        ({"tag": "\n"}, r"tag '\n' must be 1 to 128 printable ASCII characters"),
        ({"scheme": "x"}, "scheme 'x' must be 'https' or 'http': what the edge sees"),
        ({"max_age": -1}, "max_age must be 0 seconds or more, not -1"),
        ({"max_future": None}, "max_future must be a number of seconds, not None"),
        ({"keys": KEY}, "give a list of keys, oldest to newest, not a single one"),
        ({"keys": [KEY, Key("edge-1", "another-secret-of-an-edge")]}, "two keys have the same id"),
        ({"keys": []}, "no key: at least one secret is required"),
    ],
    ids=str,
)
def test_an_argument_that_cannot_be_used_is_told(options, message):
    with pytest.raises(ConfigurationError, match="^" + re.escape(message)):
        MessageSignatureScheme(options.pop("keys", [KEY]), **options)


@pytest.mark.parametrize(
    ("signer", "options", "message"),
    [
        ({"label": "A"}, {}, "label 'A' must be lower-case letters, digits, dots, dashes or"),
        ({}, {"created": -1}, "created -1 must be whole Unix seconds of at most 12 digits"),
        ({}, {"expires": 1.5}, "expires 1.5 must be whole Unix seconds of at most 12 digits"),
        ({}, {"nonce": '"'}, "a nonce must be 1 to 256 printable ASCII characters, without quotes"),
        ({"components": ["a"]}, {}, "the request cannot be signed: a signed field is not in the"),
    ],
    ids=str,
)
def test_what_cannot_be_signed_is_told(signer, options, message):
    with pytest.raises(ConfigurationError, match="^" + re.escape(message)):
        MessageSigner(KEY, **signer).sign("GET", "/", "shop.example", **options)

"""Two peers read what we read: http-message-signatures whole requests, http-sf the fields.

Where they differ the test says which of the two is narrower, and why.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace

import http_sf
import pytest
from hypothesis import example, given, target
from hypothesis import strategies as st
from support.requests import PlainRequest
from support.signature_peer import PEER, Message, peer_accepts
from support.signed_requests import KEY, NOW, field, signed, with_field

from edgeauth import Guard, MalformedHeader, VerificationError
from edgeauth.schemes.message_signatures import MessageSignatureScheme, grammar
from edgeauth.schemes.message_signatures.base import Base
from edgeauth.schemes.message_signatures.components import components
from edgeauth.schemes.message_signatures.form import selected

ANYTHING = MessageSignatureScheme([KEY], components=(), require_nonce=False)
STRICT = MessageSignatureScheme([KEY], tag="edge")


def peer_base(request, text):
    """What the peer thinks is signed; None if it refuses to say."""
    try:
        found = PEER._parse_signature_dictionary(text)["edge"]
        base, _, _ = PEER._build_signature_base(
            Message(request), covered_component_ids=list(found), signature_params=found.params
        )
    except Exception:  # noqa: BLE001 - it has many
        return None
    return base.encode()


def our_base(request, text):
    try:
        found = selected([text.encode()], [b"edge=::"], None).signed
        return Base(components(found)).of(request, found.text(), "https")
    except MalformedHeader:
        return None


def accepts(scheme, request):
    try:
        scheme.verify(request, now=NOW)
    except VerificationError:
        return False
    return True


# All that a URL may have, and what it may not and clients send all the same.
in_urls = "ab%/.;=&~!$'()*+,@:-_2Ff"
paths = st.text(in_urls, max_size=12).map(lambda text: "/" + re.sub("%", "%2F", text))
queries = st.text(in_urls + "?", max_size=12).map(lambda text: "?" + re.sub("%", "%3f", text))
odd = st.text('"|<>^`{}[]\\ é', max_size=2)
hosts = st.sampled_from(
    ["shop.example", "SHOP.Example", "shop.example:443", "shop.example:80", "[2001:DB8::1]:443"]
)
notes = st.sampled_from([b"one", b" two ", b"", b"a,b", b"a\tb", b'"', b"caf\xe9", b"\0", b"a=1"])
dictionaries = st.sampled_from(
    [
        b"a=1",
        b"a=(1 2);x , b",
        b"a, b;c=1.50",
        b'a=:AAA=:,b="x"',
        b"a=?0",
        b"b=tok/en",
        b"a=1 b",
        b"",
    ]
)
names = st.sampled_from(
    [
        *("@method", "@authority", "@path", "@query", "@scheme", "@target-uri", "@request-target"),
        *("x-note", '"x-note";bs', '"priority";sf', '"x-dict";key="a"', '"x-dict";sf;key="b"'),
        *("priority", "x-dict", "host", "x-absent", '"@query-param";name="a"'),
        *('"x-note";sf', '"x-note";req', '"x-note";tr', "@status", "@unknown", '"@path";x'),
        *('"x-dict";key=a', "X-Note", '"@query-param"', '"@path";req', '"x-note";bs;sf'),
    ]
).map(lambda name: name if name.startswith('"') else f'"{name}"')
spaces = st.sampled_from(["", "", "", " ", "  "])


@st.composite
def requests(draw, *, strange=False):
    fields = [("Host", draw(hosts).encode())]
    fields += [("X-Note", line) for line in draw(st.lists(notes, max_size=2))]
    fields += [("Priority", line) for line in draw(st.lists(dictionaries, max_size=2))]
    fields += [("X-Dict", line) for line in draw(st.lists(dictionaries, max_size=2))]
    path = draw(paths) + (draw(odd) if strange else "")
    query = draw(st.just("") | queries) + (draw(odd) if strange else "")
    return PlainRequest(
        method=draw(st.sampled_from(["GET", "POST", "QUERY"])),
        path="/",
        target=(path + query).encode("latin-1"),
        host=fields[0][1],
        fields=fields,
    )


@st.composite
def inputs(draw, covered=names):
    """A Signature-Input: any components, parameters in any order, white space anywhere."""
    listed = draw(st.lists(covered, max_size=5))
    parameters = [
        f"created={draw(st.sampled_from([NOW, NOW - 60, NOW - 61, NOW + 5, NOW + 6]))}",
        'keyid="edge-1"',
        *draw(
            st.lists(
                st.sampled_from(
                    [
                        *(f"expires={NOW}", f"expires={NOW - 6}", "expires=1.0", "created=1"),
                        *('nonce="n"', 'tag="t"', "tag=t", 'alg="x"', 'alg="hmac-sha256"'),
                        'other="x"',
                    ]
                ),
                max_size=3,
                unique_by=lambda text: text.partition("=")[0],
            )
        ),
    ]
    parameters = draw(st.permutations(parameters))
    gap = draw(spaces)
    inner = gap + (" " + gap).join(listed) + gap
    return f"edge=({inner})" + "".join(f";{draw(spaces)}{text}" for text in parameters)


def twice(text):
    """Whether it has a parameter twice: there the peer takes the last one."""
    keys = re.findall(r";\s*([a-z]+)", text.rpartition(")")[2])
    return len(keys) > len(set(keys))


def with_signature(request, text, base):
    mac = b64encode(KEY.mac(base)).decode()
    lines = [("Signature-Input", text.encode()), ("Signature", f"edge=:{mac}:".encode())]
    return replace(request, fields=[*request.fields, *lines])


@given(requests(), inputs())
def test_both_sign_the_same_bytes_and_accept_the_same_requests(request_, text):
    ours, theirs = our_base(request_, text), peer_base(request_, text)
    target(float(ours is not None), label="what both can sign")
    if ours is None and theirs is not None:
        # Ours is narrower: a parameter twice, and a parameter of a member (its own type).
        assert twice(text) or "x-dict" in text or "priority" in text or "@query-param" in text
        return
    if theirs is None:
        assert not accepts(ANYTHING, with_signature(request_, text, ours or b""))
        return
    assert ours == theirs

    signed_request = with_signature(request_, text, ours)
    accepted = accepts(ANYTHING, signed_request)
    assert accepted == peer_accepts(signed_request)
    # And so does a scheme that has seen the form.
    assert accepts(ANYTHING, signed_request) == accepted
    if accepted:
        for change in ({"method": "PUT"}, {"target": b"/changed"}, {"host": b"changed.example"}):
            other = replace(signed_request, **change)
            assert not accepts(ANYTHING, other) or our_base(other, text) == ours


@given(requests(strange=True))
def test_a_target_that_is_no_url_is_signed_as_received(request_):
    # The peer wants a URL of RFC 3986. Browsers send "|" and quotes as they are, and a gate must
    # not refuse their visitors: what is printable is signed as it came.
    text = f'edge=("@path" "@query" "@method" "@authority");created={NOW};keyid="edge-1"'
    ours, theirs = our_base(request_, text), peer_base(request_, text)

    assert (ours is not None) == request_.target.isascii()
    assert theirs in (None, ours)
    if ours is not None:
        path, _, query = request_.target.partition(b"?")
        assert ours.split(b"\n")[:2] == [b'"@path": ' + path, b'"@query": ?' + query]
        assert accepts(ANYTHING, with_signature(request_, text, ours))


pieces = st.sampled_from(
    [
        *("a", "b", "*x", "a-b_c.d", "A", "=", "=", ",", ", ", "\t,", ";", "; ", "(", ")", " "),
        *("1", "-1", "00", "-0", "999999999999999", "1000000000000000", "1.5", "1.50", "-0.0"),
        *("1.", ".5", "1.2345", "123456789012.1", "1234567890123.1", '"x"', r'"\""', r'"\a"'),
        *('"', "?0", "?1", "?2", ":AAAA:", ":AA==:", ":AAA=:", ":AA:", ":AB==:", ":=:", ":", "::"),
        *("tok", "Tok/en:*", "*", "@1", '%"x"', "é", "\0", "\n", "NaN"),
    ]
)


def peers_dictionary(text):
    def refuse(key, _):
        raise ValueError(key)

    try:
        return http_sf.ser(http_sf.parse(text, tltype="dictionary", on_duplicate_key=refuse))
    except ValueError:
        return None


def our_dictionary(text):
    try:
        return grammar.dictionary_text(grammar.dictionary(text, "X")).decode()
    except MalformedHeader:
        return None


@st.composite
def members(draw):
    """Text that is often a dictionary, and often nearly one."""
    if draw(st.booleans()):
        return "".join(draw(st.lists(pieces, max_size=12)))
    values = st.sampled_from(
        [
            "=1",
            "=-007",
            "=1.250",
            '="x y"',
            "=tok",
            "=:AAA=:",
            "=?1",
            "",
            "=(a  1 )",
            "=()",
            "=(a;b=2)",
        ]
    )
    parameters = st.sampled_from(["", ";p", "; p=1.0", ';p="q";r', ";p=?1", ";p;p"])
    keys = st.sampled_from(["a", "b", "*c", "d-1"])
    listed = draw(st.lists(st.tuples(keys, values, parameters).map("".join), max_size=4))
    return draw(st.sampled_from([",", ", ", " ,\t"])).join(listed)


@given(members())
@example("a=@1")
@example('a=%"x"')
@example("a=:AA:")
@example("a=:AB==:")
def test_a_dictionary_is_read_and_written_as_the_peer_does(text):
    ours, theirs = our_dictionary(text.encode("latin-1")), peers_dictionary(text.encode("latin-1"))
    if ours is None and theirs is not None:
        # Ours is narrower: what RFC 9651 added (dates, display strings), base64 that has another
        # spelling, and an empty field.
        assert re.search(r'@|%"|:', text) or not text.strip()
        return
    assert ours == theirs


hostile = st.binary(max_size=400) | st.lists(pieces, max_size=30).map(
    lambda parts: "".join(parts).encode("latin-1")
)
NASTY = [
    *(b"(" * 65536, b")" * 65536, b"edge=" + b"(" * 65000, b"edge=(" + b'"a" ' * 16000),
    *(b'edge=("' + b"\\" * 8000, b"edge=(" + b" " * 8000, b"edge=()" + b";a" * 4000),
    *(b"edge=()" + b";a=" + b"9" * 8000, b",".join(b"a%d=()" % n for n in range(1000))),
    *(b"edge=();created=" + b"9" * 4000, b"edge=();created=NaN", b"edge=();created=-1"),
    *(b"edge=();created=1e9", b"edge=();created=0x1", 'edge=();keyid="é"'.encode(), b"\xff" * 99),
    *(b"edge=:" + b"A" * 8000 + b":", b"edge=:" + b"=" * 8000 + b":", b"edge=:AA:A:", b"edge"),
    *(b'edge=();alg="none"', b'edge=();keyid="edge-1";alg=""', b"\0", b"", b" ", b","),
    b'edge=("@query-param";name="' + b"%" * 4000 + b'");created=1;keyid="edge-1"',
    b'edge=("@query-param";name="%ff%zz");created=1;keyid="edge-1"',
    b"edge=(" + b" ".join(b'"x-%d"' % n for n in range(800)) + b');keyid="edge-1"',
]


def answers(text, signature, request):
    fields = [("Host", b"shop.example"), ("Signature-Input", text), ("Signature", signature)]
    given_request = replace(request, fields=fields)
    reasons = {Guard(scheme).check(given_request, now=NOW).reason for scheme in (ANYTHING, STRICT)}
    assert reasons <= {"malformed", "missing", "bad-signature"}


@pytest.mark.parametrize("text", NASTY, ids=lambda text: text[:20].decode("latin-1"))
def test_no_nasty_field_is_more_than_a_refusal(text):
    good = signed(signer={"tag": "edge"})

    answers(text, field(good, "Signature"), good)
    answers(field(good, "Signature-Input"), text, good)
    answers(text, text, good)


@given(hostile, hostile)
def test_no_bytes_are_more_than_a_refusal(text, signature):
    good = signed(signer={"tag": "edge"})

    answers(text, signature, good)
    answers(field(good, "Signature-Input") + text[:1], signature, good)


@given(st.binary(min_size=1, max_size=3), st.integers(0, 250), st.booleans())
def test_no_change_of_a_signature_is_accepted_but_white_space(part, place, replaced):
    good = signed(signer={"tag": "edge"}, nonce="n")
    for name in ("Signature-Input", "Signature"):
        value = field(good, name)
        at = place % (len(value) + 1)
        changed = value[:at] + part + value[at + (len(part) if replaced else 0) :]
        if accepts(STRICT, with_field(good, name, changed)):
            read = grammar.dictionary(changed.strip(b" \t"), name)
            assert read == grammar.dictionary(value, name)


@given(
    method=st.text(max_size=8),
    raw=st.none() | st.binary(max_size=30) | st.binary(max_size=30).map(lambda text: b"/" + text),
    host=st.none() | st.binary(max_size=20),
)
def test_no_method_target_or_host_is_more_than_a_refusal(method, raw, host):
    good = signed(signer={"tag": "edge"})
    verdict = Guard(STRICT).check(replace(good, method=method, target=raw, host=host), now=NOW)
    assert verdict.reason in {"malformed", "bad-signature"}

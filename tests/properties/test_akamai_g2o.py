"""What is signed is accepted, what is altered is refused, and no bytes raise anything else."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.requests import PlainRequest

from edgeauth import Key, VerificationError
from edgeauth.ops.schemes.akamai_g2o import TOOLS
from edgeauth.ops.schemes.request_lines import RequestLines
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme
from edgeauth.schemes.akamai_g2o.sign_string import METHODS, PARTS
from edgeauth.schemes.base import Outgoing

NOW = 1_760_000_000
KEYS = [
    Key("key-1", "a-secret-that-akamai-has-as-well"),
    Key("key-2", "another-secret-of-32-bytes"),
]
SECRETS = {key.id.encode(): key.secret for key in KEYS}
DATA, SIGN = "X-Akamai-G2O-Auth-Data", "X-Akamai-G2O-Auth-Sign"

targets = st.text("ab%/.;=&~!?#+ é\0", max_size=16).map(lambda text: "/" + text)
hosts = st.sampled_from(["shop.example", "Shop.Example:443", "[2001:db8::1]", "localhost"])
clients = st.ip_addresses().map(str)
versions = st.integers(1, 5)
strings = st.none() | st.lists(st.sampled_from(list(PARTS)), min_size=1, max_size=4)


@st.composite
def signed(draw):
    """A scheme, and a request that it signed."""
    version, string = draw(versions), draw(strings)
    scheme = AkamaiG2OScheme(KEYS, versions=[version], sign_string=string)
    outgoing = Outgoing(
        draw(st.sampled_from(sorted(METHODS))), draw(hosts), draw(targets), client=draw(clients)
    )
    made = scheme.credential(now=NOW, request=outgoing)
    request = PlainRequest(
        method=outgoing.method,
        target=outgoing.target.encode(),
        host=outgoing.authority.encode(),
        fields=[(name, value.encode()) for name, value in made.items()],
    )
    return scheme, request


@given(signed())
def test_what_is_signed_is_accepted_with_its_client(given_):
    scheme, request = given_
    identity = scheme.verify(request, now=NOW)
    assert identity.claims["edge_address"] == "127.0.0.1"
    assert "client_address" in identity.claims


@given(signed(), st.data())
def test_whatever_is_altered_in_the_two_fields_is_refused(given_, data):
    scheme, request = given_
    place = data.draw(st.integers(0, 1))
    name, value = request.fields[place]
    # The unique id is made at random, so its length must not be what is drawn from.
    at = data.draw(st.integers(0, 200)) % (len(value) + 1)
    cut = data.draw(st.integers(0, 3))
    altered = value[:at] + data.draw(st.binary(max_size=3)) + value[at + cut :]
    assume(altered != value)
    request.fields[place] = (name, altered)
    with pytest.raises(VerificationError):
        scheme.verify(request, now=NOW)


@given(signed(), targets, st.sampled_from(sorted(METHODS)), hosts)
def test_what_is_covered_cannot_be_changed(given_, target, method, host):
    scheme, request = given_
    path, _, query = request.target.partition(b"?")
    other = replace(request, method=method, target=target.encode(), host=host.encode())
    changed = {
        "method": other.method != request.method,
        "host": other.host != request.host,
        "path": other.target.partition(b"?")[0] != path,
        "query": other.target.partition(b"?")[2] != query,
    }
    assume(any(changed[part] for part in scheme.covers & changed.keys()))
    with pytest.raises(VerificationError):
        scheme.verify(other, now=NOW)


def oracle(data: bytes, signature: bytes, target: bytes) -> bool:
    """Whether version 3, 4 or 5 is right; written down once more, by splitting."""
    parts = data.split(b", ")
    if len(parts) != 6 or parts[0] not in (b"3", b"4", b"5") or parts[5] not in SECRETS:
        return False
    time = parts[3]
    if not time.isdigit() or len(time) > 12 or time[:1] == b"0" or abs(NOW - int(time)) > 30:
        return False
    for part in (parts[1], parts[2], parts[4]):
        if not 1 <= len(part) <= 64 or not all(33 <= byte <= 126 and byte != 44 for byte in part):
            return False
    name = {b"3": hashlib.md5, b"4": hashlib.sha1, b"5": hashlib.sha256}[parts[0]]
    return b64encode(hmac.new(SECRETS[parts[5]], data + target, name).digest()) == signature


THREE = AkamaiG2OScheme(KEYS, versions=[3, 4, 5])

part = st.one_of(
    st.sampled_from([b"3", b"4", b"5", b"key-1", b"key-2", b"%d" % NOW, b"1.2", b"192.0.2.1"]),
    st.binary(max_size=8),
    st.text("0123456789²٣.-+_e ", max_size=14).map(lambda text: text.encode()),
)
data_headers = st.one_of(
    st.lists(part, max_size=8).map(b", ".join),
    st.tuples(
        st.sampled_from([b"3", b"4", b"5", b"1", b"05"]),
        part,
        part,
        st.sampled_from([b"%d" % (NOW + moved) for moved in (-31, -30, 0, 30, 31)]) | part,
        part,
        st.sampled_from([b"key-1", b"key-2", b"key-3"]),
    ).map(b", ".join),
    st.binary(max_size=64),
)


def right(data: bytes, target: bytes) -> bytes:
    names = {b"3": "md5", b"4": "sha1"}
    secret = SECRETS.get(data.rpartition(b", ")[2], b"?")
    return b64encode(hmac.digest(secret, data + target, names.get(data[:1], "sha256")))


@given(data_headers, st.none() | st.binary(max_size=48), targets.map(str.encode))
def test_any_two_fields_are_decided_as_an_oracle_decides_them(data, signature, target):
    signature = right(data, target) if signature is None else signature
    request = PlainRequest(target=target, fields=[(DATA, data), (SIGN, signature)])
    try:
        THREE.verify(request, now=NOW)
    except VerificationError:
        accepted = False
    else:
        accepted = True
    assert accepted == oracle(data, signature, target)


@given(st.binary(max_size=200), st.binary(max_size=60), st.binary(max_size=20))
def test_no_bytes_raise_anything_else_and_each_refusal_can_be_explained(data, signature, target):
    request = PlainRequest(
        target=target, host=target, fields=[(DATA, data), (SIGN, signature)], method="é"
    )
    for scheme in (THREE, AkamaiG2OScheme(KEYS, sign_string=list(PARTS))):
        with pytest.raises(VerificationError):
            scheme.verify(request, now=NOW)
        line = b"GET /" + target + b" HTTP/1.1\n"
        raw = line + DATA.encode() + b": " + data + b"\n" + SIGN.encode() + b": " + signature
        assert TOOLS.explain(scheme, RequestLines(raw, [scheme.headers]), NOW).findings

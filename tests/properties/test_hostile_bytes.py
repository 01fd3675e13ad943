"""Whatever a client sends, the answer is a verdict."""

from __future__ import annotations

import asyncio
import hmac
import math
import re
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.oracle import Rules, Secret, rule_value
from support.requests import PlainRequest
from support.vectors import SECRET

import edgeauth
from edgeauth import AddressList, EdgeAuthScheme, Guard, Passes, SharedSecretScheme, sign
from edgeauth.asgi import EdgeAuthMiddleware as ASGIMiddleware
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIMiddleware

NOW = 1_700_000_000
SCHEME = EdgeAuthScheme([SECRET], max_age=60)
WALLED = Guard(
    SCHEME,
    addresses=AddressList.fastly(),
    trusted_proxies=["10.0.0.0/8", "unix"],
    exempt=["GET /healthz"],
)

REASONS = {"ok", "exempt"} | {error.reason for error in edgeauth.VerificationError.__subclasses__()}

pops = st.none() | st.from_regex(r"[A-Za-z0-9-]{1,16}", fullmatch=True)
timestamps = st.integers(1, 999_999_999_999)
encodings = st.sampled_from(["hex", "base64"])
field_lists = st.lists(
    st.tuples(
        st.sampled_from(["edge-auth", "x-forwarded-for", "host"]),
        st.binary(max_size=300) | st.just(sign(SECRET, pop="LHR", timestamp=NOW).encode()),
    ),
    max_size=4,
)


def oracle(value: bytes) -> bool:
    """Whether the value is of the form and signed, whenever that was."""
    rules = Rules(
        secrets=(Secret("key-1", SECRET.encode()),),
        now=NOW,
        require_pop=False,
        max_age=math.inf,
        max_future=math.inf,
    )
    return rule_value(value, rules).reason == "ok"


def accepts(value: bytes, now: float) -> bool:
    try:
        edgeauth.verify(value, [SECRET], now=now, require_pop=False, max_age=0, max_future=0)
    except edgeauth.VerificationError:
        return False
    return True


@given(pop=pops, timestamp=timestamps, encoding=encodings)
def test_what_is_signed_verifies_at_its_time_and_not_beside_it(pop, timestamp, encoding):
    value = sign(SECRET, pop=pop, timestamp=timestamp, encoding=encoding)
    identity = edgeauth.verify(value, [SECRET], now=timestamp, require_pop=False)
    assert (identity.timestamp, identity.pop) == (timestamp, pop)
    assert oracle(value.encode())
    with pytest.raises(edgeauth.Expired):
        edgeauth.verify(value, [SECRET], now=timestamp + 61, require_pop=False)
    with pytest.raises(edgeauth.NotYetValid):
        edgeauth.verify(value, [SECRET], now=timestamp - 6, require_pop=False)


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_no_change_of_one_byte_is_accepted_but_a_space_before_the_signature(encoding):
    value = sign(SECRET, pop="LHR", timestamp=NOW, encoding=encoding).encode()
    scheme = EdgeAuthScheme([SECRET], max_age=10**9, max_future=10**9)
    accepted = set()
    for place in range(len(value) + 1):
        head, tail = value[:place], value[place:]
        changes = {head + bytes([byte]) + tail[1:] for byte in range(256)}
        changes |= {head + bytes([byte]) + tail for byte in range(256)}
        changes.add(head + tail[1:])
        for changed in changes - {value}:
            try:
                scheme.verify_value(changed, now=NOW)
            except edgeauth.VerificationError:
                assert not oracle(changed)
            else:
                accepted.add(changed)
    # The wire format lets the space come or go: it is not part of what is signed.
    spaced = value.replace(b"LHR,", b"LHR, ") if encoding == "hex" else value.replace(b" ", b"")
    assert accepted == {spaced}


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_accepted_only_if_the_oracle_does(value):
    timestamp = value.partition(b",")[0]
    now = int(timestamp) if re.fullmatch(rb"[1-9][0-9]{0,11}", timestamp) else NOW
    assert accepts(value, now) == oracle(value)


@given(
    timestamp=st.from_regex(rb"[0-9+\-_. ]{1,14}", fullmatch=True),
    pop=st.none() | st.binary(max_size=18),
    space=st.sampled_from([b"", b" ", b"  ", b"\t"]),
    prefix=st.sampled_from([b"", b"0x", b"0X"]),
    shape=st.sampled_from(["hex", "HEX", "base64", "url", "unpadded", "short"]),
    end=st.sampled_from([b"", b"\n", b" ", b"\0"]),
)
def test_values_nearly_of_the_form_are_accepted_only_if_the_oracle_does(
    timestamp, pop, space, prefix, shape, end
):
    signed = timestamp if pop is None else timestamp + b"," + pop
    mac = hmac.new(SECRET.encode(), signed, "sha256")
    base64 = b64encode(mac.digest())
    signature = {
        "hex": mac.hexdigest().encode(),
        "HEX": mac.hexdigest().upper().encode(),
        "base64": base64,
        "url": base64.replace(b"+", b"-").replace(b"/", b"_"),
        "unpadded": base64.rstrip(b"="),
        "short": mac.hexdigest().encode()[:-1],
    }[shape]
    value = signed + b"," + space + prefix + signature + end
    now = int(timestamp) if re.fullmatch(rb"[1-9][0-9]{0,11}", timestamp) else NOW
    assert accepts(value, now) == oracle(value)


@given(
    method=st.text(max_size=20),
    path=st.text(max_size=50) | st.just("/healthz"),
    peer=st.none() | st.text(max_size=50) | st.ip_addresses().map(str),
    fields=field_lists,
)
def test_the_guard_answers_any_request_with_a_known_reason(method, path, peer, fields):
    request = PlainRequest(method=method, path=path, peer=peer, fields=fields)
    verdict = WALLED.check(request, now=NOW)
    assert verdict.reason in REASONS
    assert verdict.allowed == (verdict.reason in ("ok", "exempt"))
    assert (verdict.reason == "exempt") == ((method, path) == ("GET", "/healthz"))


@given(st.lists(st.binary(max_size=3000) | st.from_regex(rb"[\w-]+\.[\w-]{43}"), max_size=3))
def test_no_bytes_are_a_pass_and_none_of_them_raise(values):
    request = PlainRequest(fields=[("Edge-Auth-Pass", value) for value in values])
    guard = Guard(SCHEME, passes=Passes("a-secret-that-signs-passes"))
    assert guard.check(request, now=NOW).reason == "missing"


@given(st.binary(max_size=200))
def test_a_shared_secret_is_accepted_only_byte_for_byte(value):
    scheme = SharedSecretScheme([SECRET])
    try:
        scheme.verify_value(value, now=NOW)
    except edgeauth.BadSignature:
        assert value != SECRET.encode()
    else:
        assert value == SECRET.encode()


raw_fields = st.lists(
    st.tuples(
        st.sampled_from([b"edge-auth", b"x-forwarded-for", b"edge_auth"]), st.binary(max_size=120)
    ),
    max_size=4,
)


@given(
    method=st.text(max_size=10),
    path=st.text(max_size=30),
    raw_path=st.none() | st.binary(max_size=30),
    query=st.binary(max_size=10),
    client=st.none() | st.tuples(st.text(max_size=20), st.integers(0, 65535)),
    fields=raw_fields,
)
def test_the_asgi_gate_denies_hostile_scopes_and_never_calls_the_app(
    method, path, raw_path, query, client, fields
):
    async def app(*_):
        pytest.fail("the app was reached")

    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": raw_path,
        "query_string": query,
        "client": client,
        "headers": fields,
    }
    guard = Guard(EdgeAuthScheme([SECRET]), addresses=AddressList.fastly())
    asyncio.run(ASGIMiddleware(app, guard)(scope, None, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 403


latin1 = st.text(st.characters(max_codepoint=0xFF), max_size=60)


@given(
    method=st.text(max_size=10),
    path=latin1 | st.text(max_size=20),
    peer=st.text(max_size=20),
    value=st.none() | latin1 | st.text(max_size=20),
)
def test_the_wsgi_gate_denies_hostile_environs_and_never_calls_the_app(method, path, peer, value):
    def app(*_):
        pytest.fail("the app was reached")

    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "REMOTE_ADDR": peer,
        "HTTP_X_FORWARDED_FOR": path,
    }
    if value is not None:
        environ["HTTP_EDGE_AUTH"] = value
    answers = []
    guard = Guard(EdgeAuthScheme([SECRET]), exempt=["GET /"], trusted_proxies=["10.0.0.0/8"])
    if (method, path) == ("GET", "/"):
        return
    body = WSGIMiddleware(app, guard)(environ, lambda *answer: answers.append(answer))
    assert answers[0][0] == "403 Forbidden"
    assert b"".join(body) in (b"Forbidden\n", b"")

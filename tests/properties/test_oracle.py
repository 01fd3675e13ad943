"""The schemes and the guard decide as an oracle that shares no code with them."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import oracle
from support.oracle import Rules, Secret, make_value, parse_hop, rule_value
from support.rulings import ruling_of, scheme_of
from support.vectors import rows

from edgeauth.addresses import canonical_address

NOW = 1_700_000_000
OLD, NEW, LONG = (
    b"the-older-of-two-secrets",
    b"the-newer-of-two-secrets",
    "long and not ASCII: é".encode() * 4,
)
STRANGER = b"a-secret-of-somebody-else"

# Both sides of every limit, and what is far from any.
STEPS = st.integers(-3, 3) | st.sampled_from([-100, 100])


@st.composite
def judged(draw):
    """Rules, and a value that a sender makes near their limits or one of a few changes to it."""
    now = NOW + draw(st.sampled_from([0, 0.5]))
    secrets = draw(st.lists(st.sampled_from([OLD, NEW, LONG]), min_size=1, max_size=3, unique=True))
    keys = tuple(
        Secret(f"k{place}", secret, *draw(windows(now))) for place, secret in enumerate(secrets)
    )
    rules = Rules(
        secrets=keys,
        now=now,
        scheme=draw(st.sampled_from(["edge-auth"] * 4 + ["shared-secret"])),
        max_age=draw(st.sampled_from([0, 1, 60, 1e9])),
        max_future=draw(st.sampled_from([0, 5, 0.5, 1e9])),
        require_pop=draw(st.booleans()),
        pops=draw(st.sampled_from([None, None, ("LHR",), ("LHR", "XXX")])),
    )
    return rules, draw(values(rules))


@st.composite
def windows(draw, now):
    """The dates of a key: none, the first, or both, and so that it is valid mostly."""
    kind = draw(st.integers(0, 3))
    first, last = now + draw(STEPS) - 2, now + draw(STEPS) + 2
    if kind == 0:
        return (first,)
    return (min(first, last), last) if kind == 1 else ()


@st.composite
def values(draw, rules):
    secret = draw(st.sampled_from([*[key.value for key in rules.secrets] * 3, OLD, STRANGER]))
    if rules.scheme == "shared-secret" and draw(st.booleans()):
        return secret
    edge = draw(st.sampled_from([0, 0, min(rules.max_age, 1000), -min(rules.max_future, 1000)]))
    timestamp = b"%d" % (rules.now - edge + draw(STEPS))
    pop = draw(st.sampled_from([b"LHR", None] * 3 + [b"XXX", b"lhr", b"A" * 17]))
    signed = timestamp if pop is None else timestamp + b"," + pop
    prefix = draw(st.sampled_from([b"0x", b"", b" "] * 3 + [b" 0x", b"0X", b"  ", b"\t"]))
    encoding = draw(st.sampled_from(["hex", "base64"]))
    value = make_value(secret, signed, prefix=prefix, encoding=encoding)
    if draw(st.sampled_from([True] * 4 + [False])):
        return value
    place = draw(st.integers(0, len(value)))
    put = draw(st.binary(max_size=2) | st.sampled_from([b",", b" ", b"0", b"=", b"\n", b"A"]))
    return value[:place] + put + value[place + draw(st.integers(0, 2)) :]


@settings(max_examples=600)
@given(judged())
def test_a_value_is_decided_as_the_oracle_decides_it(case):
    rules, value = case
    assert ruling_of(scheme_of(rules), value, rules.now) == rule_value(value, rules)


@settings(max_examples=200)
@given(judged(), st.lists(st.integers(-70, 70) | STEPS, min_size=1, max_size=4))
def test_what_is_remembered_changes_no_decision(case, steps):
    rules, value = case
    scheme = scheme_of(rules)
    for now in [rules.now, *(rules.now + step for step in steps)]:
        assert ruling_of(scheme, value, now) == rule_value(value, replace(rules, now=now))


@given(prefix=st.sampled_from([b"0x", b"", b" "]), pop=st.booleans())
def test_the_oracle_accepts_every_sender_so_it_refuses_not_just_everything(prefix, pop):
    signed = b"%d" % NOW + (b",LHR" if pop else b"")
    plain = Rules(secrets=(Secret("k", NEW),), now=NOW, require_pop=pop)
    for encoding in ("hex", "base64"):
        spelled = b" " if encoding == "base64" else prefix
        value = make_value(NEW, signed, prefix=spelled, encoding=encoding)
        assert rule_value(value, plain).reason == "ok"
        assert rule_value(value, replace(plain, now=NOW + 61)).reason == "expired"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_the_oracle_agrees_with_the_vectors(row):
    secrets = tuple(Secret(f"key-{n}", s.encode()) for n, s in enumerate(row.secrets, 1))
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in row.options.items()}
    ruling = rule_value(row.raw, Rules(secrets=secrets, now=row.now, **options))
    expected = "ok" if isinstance(row.result, dict) else row.result
    assert ruling.reason == expected
    if isinstance(row.result, dict):
        assert ruling.identity[:2] == (row.result["timestamp"], row.result["pop"])


@given(
    st.binary(max_size=40)
    | st.from_regex(rb"[ \t]?\[?[0-9a-f:.%]{2,24}\]?(:[0-9]{1,5})?[ \t]?", fullmatch=True)
    | st.ip_addresses().map(lambda address: str(address).encode())
)
@example(b"[192.0.2.1]:x")
@example(b"::ffff:192.0.2.1")
@example(b"fe80::1%eth0")
def test_an_entry_of_a_forwarding_header_is_read_as_the_oracle_reads_it(entry):
    address = parse_hop(entry)
    found = canonical_address(entry.strip(b" \t").decode("latin-1"))
    assert found == (None if address is None else str(address))


def test_the_oracle_shares_no_code_with_the_package():
    imported = {
        name
        for node in ast.walk(ast.parse(Path(oracle.__file__).read_text("utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported.isdisjoint({"edgeauth", "support", "itsdangerous"})
    assert imported >= {"hmac", "re"}

"""What a probe sends to a gate that expects a secret in a header."""

from __future__ import annotations

import pytest
from support.vectors import SECRET

from edgeauth import SharedSecretScheme
from edgeauth.ops.probe.rows import rows
from edgeauth.ops.schemes.probe_rows import Plan

NOW = 1_700_000_000


@pytest.fixture
def tried():
    scheme = SharedSecretScheme([SECRET], header="X-Key")
    return {row.id: row for row in rows(Plan("origin.example", "/"), [scheme])}


def test_values_that_are_no_secret_are_sent_in_its_field(tried):
    for id_ in ("junk", "empty", "forged", "long", "null-secret"):
        assert b"\r\nX-Key: " in tried[id_].request(NOW)
        assert tried[id_].expected == "refused"
    assert b"X-Key: (null)\r\n" in tried["null-secret"].request(NOW)


def test_the_secret_is_not_sent(tried):
    sent = b"".join(row.request(NOW) for row in tried.values() if row.request is not None)
    assert SECRET.encode() not in sent
    assert tried["signed"].request is None
    assert tried["signed"].means == "the scheme is shared-secret, and a secret is not sent"

"""The constant secret in a header."""

from __future__ import annotations

import pytest
from support.requests import PlainRequest
from support.rfc9421 import published_key
from support.vectors import OLDER_SECRET, SECRET

import edgeauth
from edgeauth import Key, KeyRing, SharedSecretScheme
from edgeauth.public_keys import PublicKey

NOW = 1_700_000_000
SCHEME = SharedSecretScheme([Key("old", OLDER_SECRET), Key("new", SECRET)], header="X-Origin-Key")


@pytest.mark.parametrize(("secret", "key_id"), [(SECRET, "new"), (OLDER_SECRET, "old")])
def test_each_secret_is_accepted_and_named(secret, key_id):
    request = PlainRequest(fields=[("x-origin-key", secret.encode())])
    assert SCHEME.verify(request, now=NOW) == edgeauth.EdgeIdentity(
        None, None, key_id, "shared-secret"
    )


@pytest.mark.parametrize(
    "value",
    [
        b"",
        SECRET[:-1].encode(),
        SECRET[1:].encode(),
        SECRET.encode() + b"x",
        SECRET.encode() + b"\0",
        SECRET.upper().encode(),
        b" " + SECRET.encode(),
        f"{SECRET},{SECRET}".encode(),
        f"{OLDER_SECRET}{SECRET}".encode(),
        b"\xff" * 32,
        b"x" * 100_000,
    ],
)
def test_anything_but_the_whole_secret_is_refused(value):
    with pytest.raises(edgeauth.BadSignature) as caught:
        SCHEME.verify_value(value, now=NOW)
    assert SECRET not in str(caught.value)


def test_a_missing_header_and_a_repeated_one_are_told_apart():
    with pytest.raises(edgeauth.MissingHeader, match="no X-Origin-Key header"):
        SCHEME.verify(PlainRequest(fields=[("Edge-Auth", SECRET.encode())]), now=NOW)
    with pytest.raises(edgeauth.MalformedHeader, match="2 X-Origin-Key headers"):
        SCHEME.verify(PlainRequest(fields=[("X-Origin-Key", SECRET.encode())] * 2), now=NOW)


def test_a_ring_is_used_as_it_is():
    ring = KeyRing([SECRET])
    assert SharedSecretScheme(ring).keys is ring


def test_a_secret_is_accepted_only_in_its_time():
    scheme = SharedSecretScheme([Key("dated", SECRET, not_after=NOW)])
    assert scheme.verify_value(SECRET.encode(), now=NOW)
    with pytest.raises(edgeauth.BadSignature):
        scheme.verify_value(SECRET.encode(), now=NOW + 1)


def test_the_field_is_edge_auth_unless_named():
    assert SharedSecretScheme([SECRET]).headers == ("Edge-Auth",)


@pytest.mark.parametrize("options", [{"keys": []}, {"keys": ["short"]}, {"header": "a b"}])
def test_a_scheme_that_cannot_work_is_refused(options):
    with pytest.raises(edgeauth.ConfigurationError):
        SharedSecretScheme(**{"keys": [SECRET], **options})


def test_a_public_key_is_refused_since_it_is_no_secret():
    public = PublicKey("edge-1", published_key("ed25519", "pem"))
    with pytest.raises(
        edgeauth.ConfigurationError,
        match="'edge-1' is a public key, and the scheme 'shared-secret' compares",
    ):
        SharedSecretScheme([public])


def test_what_is_sent_is_the_secret_that_is_valid_then():
    old = Key("old", OLDER_SECRET, not_after=NOW + 10)
    new = Key("new", SECRET, not_before=NOW + 11)
    scheme = SharedSecretScheme([old, new])

    assert scheme.credential(now=NOW) == {"Edge-Auth": OLDER_SECRET}
    assert scheme.credential(now=NOW + 11) == {"Edge-Auth": SECRET}

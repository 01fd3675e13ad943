"""The kind ``message-signatures`` from settings: its options, its keys, what it signs."""

from __future__ import annotations

import hashlib
import pickle
import time
from base64 import b64encode
from dataclasses import replace

import pytest
from support.requests import PlainRequest
from support.rfc9421 import published_key
from support.vectors import SECRET

from edgeauth import (
    ConfigurationError,
    EdgeAuthScheme,
    Guard,
    Key,
    Settings,
    SharedSecretScheme,
)
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.base import Outgoing
from edgeauth.schemes.message_signatures import MessageSignatureScheme, PrivateKey
from edgeauth.service.state import State

KIND = "message-signatures"
GOOD = "kV3x9Qw7ZtB2mN8rLp4sHd6yUc1aFg5e"
NOW = 1_760_000_000
POST = Outgoing("POST", "shop.example", "/pay?x=1", [("X-Note", "a")], b"body")
# Made for these tests; not in the list of those that are refused.
PRIVATE = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIHNIuR3wLmJVe1oYqP0dTzXGkC9nA4fS2jU8vE6hBtQ5
-----END PRIVATE KEY-----
"""


def private_key(key_id="edge-1"):
    return PrivateKey(key_id, PRIVATE)


def built(**options):
    return Settings.from_mapping({"scheme": KIND, "secret": GOOD, **options}).build_scheme()


def received(request, fields):
    sent = [(name, value.encode()) for name, value in (*request.fields, *fields.items())]
    return PlainRequest(
        method=request.method,
        path=request.target.partition("?")[0],
        target=request.target.encode(),
        host=request.authority.encode(),
        fields=[("Host", request.authority.encode()), *sent],
    )


def test_each_option_is_an_argument_of_the_scheme_by_default_too():
    scheme, by_default = built(), MessageSignatureScheme([GOOD])
    for name in ("components", "tag", "max_age", "max_future", "require_nonce", "scheme"):
        assert getattr(scheme, name) == getattr(by_default, name)


def test_options_are_read_from_variables():
    settings = Settings.from_environ(
        {
            "EDGEAUTH_SCHEME": KIND,
            "EDGEAUTH_SECRET": GOOD,
            "EDGEAUTH_COMPONENTS": '@method, @target-uri,"@query-param";name="a,\\"b"',
            "EDGEAUTH_TAG": "edge",
            "EDGEAUTH_MAX_AGE": "30",
            "EDGEAUTH_MAX_FUTURE": "2",
            "EDGEAUTH_REQUIRE_NONCE": "no",
            "EDGEAUTH_URL_SCHEME": "http",
        }
    )
    scheme = settings.build_scheme()
    assert scheme.components == (
        '"@method"',
        '"@target-uri"',
        '"@query-param";name="a,\\"b"',
    )
    assert (scheme.tag, scheme.scheme) == ("edge", "http")
    assert (scheme.max_age, scheme.max_future, scheme.require_nonce) == (30, 2, False)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"components": []}, "components is \\[\\]; write a list"),
        ({"components": ""}, "components is"),
        ({"components": '"'}, "component '\"' cannot be required"),
        ({"components": ["@method", "@method"]}, "required twice"),
        ({"components": ["@status"]}, "'@status' cannot be required"),
        ({"tag": "\n"}, "tag"),
        ({"tag": "x" * 129}, "tag"),
        ({"max_age": -1}, "max_age must be 0 seconds or more"),
        ({"max_future": -1}, "max_future must be 0 seconds or more"),
        ({"url_scheme": "ftp"}, "url_scheme is 'ftp'; write 'https' or 'http'"),
        ({"header": "Edge-Auth"}, "header is set, and the scheme 'message-signatures' has no"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_when_it_is_read(options, why):
    with pytest.raises(ConfigurationError, match=why):
        Settings.from_mapping({"scheme": KIND, "secret": GOOD, **options})


def test_no_components_at_all_are_refused_by_settings_made_in_python():
    with pytest.raises(ConfigurationError, match="a signature of nothing"):
        Settings(scheme=KIND, secret=GOOD, components=())


@pytest.mark.parametrize("name", ["ed25519", "ecc-p256", "rsa", "rsa-pss"])
def test_a_public_key_whose_private_key_is_published_is_refused(name, tmp_path):
    (tmp_path / "edge-1").write_text(published_key(name, "pem"), "ascii")
    settings = Settings(scheme=KIND, secrets_dir=str(tmp_path))
    with pytest.raises(ConfigurationError, match="'edge-1' is of a pair that everybody has"):
        settings.build_scheme()


@pytest.mark.parametrize(
    "seed",
    [
        bytes(32),
        b"\1" * 32,
        b"\xff" * 32,
        bytes(range(32)),
        bytes(range(1, 33)),
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
        bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
        bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"),
    ],
)
def test_a_public_key_whose_private_key_anybody_tries_first_is_refused(seed):
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    pem = f"-----BEGIN PRIVATE KEY-----\n{b64encode(der).decode()}\n-----END PRIVATE KEY-----\n"
    settings = Settings(scheme=KIND, secret=PrivateKey("k", pem).public.text)
    with pytest.raises(ConfigurationError, match="is of a pair that everybody has"):
        settings.build_scheme()


def test_the_secret_of_the_rfc_is_refused_in_the_base64_that_it_is_printed_in():
    rfc = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
    with pytest.raises(ConfigurationError, match="RFC 9421"):
        built(secret=rfc)


@pytest.mark.parametrize("kind", ["edge-auth", "shared-secret"])
def test_a_scheme_that_has_no_use_for_a_public_key_refuses_it(kind, tmp_path):
    file = tmp_path / "keys"
    file.write_text(f"edge-1: {private_key().public.text}\n", "utf-8")
    with pytest.raises(
        ConfigurationError, match=f"'edge-1' is a public key, and the scheme '{kind}' compares"
    ):
        Settings(scheme=kind, secrets_file=str(file)).build_scheme()


@pytest.mark.parametrize("scheme", [EdgeAuthScheme, SharedSecretScheme])
def test_so_it_does_where_it_is_built_by_hand(scheme):
    with pytest.raises(ConfigurationError, match="'edge-1' is a public key"):
        scheme([private_key().public])
    with pytest.raises(ConfigurationError, match="'edge-1' is a public key"):
        scheme([Key("old", SECRET), private_key().public])


def test_what_it_signs_it_accepts():
    scheme = built(tag="edge")
    identity = scheme.verify(received(POST, scheme.credential(now=NOW, request=POST)), now=NOW)
    assert (identity.key_id, identity.scheme, identity.timestamp) == ("default", KIND, NOW)


def test_with_a_private_key_it_signs_for_the_public_one():
    settings = Settings(scheme=KIND, secret=private_key().public.text)
    scheme = settings.build_scheme()
    fields = scheme.credential(now=NOW, request=POST, key=private_key("default"), pop=None)
    assert scheme.verify(received(POST, fields), now=NOW).key_id == "default"
    with pytest.raises(ConfigurationError, match="public ones"):
        scheme.credential(now=NOW, request=POST)


def test_it_signs_no_request_that_it_does_not_know():
    with pytest.raises(ConfigurationError, match="signs one request, and none is named"):
        built().credential(now=NOW)


def test_where_nothing_is_required_it_signs_what_an_edge_does():
    scheme = MessageSignatureScheme([Key("k", GOOD)], components=())
    fields = scheme.credential(now=NOW, request=POST)
    assert '("@method" "@authority" "@path" "@query")' in fields["Signature-Input"]


def test_it_makes_the_digest_of_a_body_that_must_be_signed():
    scheme = built(components=["@method", "@path", "content-digest"])
    fields = scheme.credential(now=NOW, request=POST)
    digest = b64encode(hashlib.sha256(b"body").digest()).decode()
    assert fields["Content-Digest"] == f"sha-256=:{digest}:"
    assert (
        scheme.verify(received(POST, fields), now=NOW).body.value
        == hashlib.sha256(b"body").digest()
    )

    own = POST._replace(fields=[("content-digest", f"sha-256=:{digest}:")], body=None)
    assert set(scheme.credential(now=NOW, request=own)) == {"Signature-Input", "Signature"}
    assert "Content-Digest" not in scheme.credential(now=NOW, request=own._replace(body=b"body"))
    with pytest.raises(ConfigurationError, match="give the body as bytes"):
        scheme.credential(now=NOW, request=POST._replace(body=None))


def test_public_keys_travel_to_the_workers_of_the_service(tmp_path):
    file = tmp_path / "keys"
    file.write_text(
        f"old:{GOOD}\nedge-1 [not_after=1890000000]: {private_key().public.text}\n", "utf-8"
    )
    environ = {"EDGEAUTH_SCHEME": KIND, "EDGEAUTH_SECRETS_FILE": str(file)}
    state = pickle.loads(pickle.dumps(State.load(1, None, environ, {})))  # noqa: S301 - as it travels
    old, new = state.build_guard().scheme.keys
    assert (type(old), type(new)) == (Key, PublicKey)
    assert (new.text, new.not_after) == (private_key().public.text, 1_890_000_000)


@pytest.fixture
def both(tmp_path):
    """A guard of two schemes, and the schemes: the old header and signatures, each by itself."""
    (tmp_path / "keys").write_text(f"edge-1: {private_key().public.text}\n", "utf-8")
    (tmp_path / "edgeauth.toml").write_text(
        f"""
        [[schemes]]
        secret = "{GOOD}"

        [[schemes]]
        scheme = "{KIND}"
        secrets_file = "{tmp_path / "keys"}"
        tag = "edge"
        """,
        "utf-8",
    )
    return Guard.from_settings(Settings.from_toml(tmp_path / "edgeauth.toml"))


def test_of_two_schemes_a_guard_accepts_each_and_says_which_it_was(both):
    now = int(time.time())
    old, new = both.scheme.schemes
    by_header = received(POST, old.credential(now=now))
    by_signature = received(POST, new.credential(now=now, request=POST, key=private_key()))

    verdicts = [both.check(request) for request in (by_header, by_signature)]

    assert [verdict.allowed for verdict in verdicts] == [True, True]
    assert [verdict.scheme for verdict in verdicts] == ["edge-auth", KIND]
    assert [verdict.identity.key_id for verdict in verdicts] == ["default", "edge-1"]
    assert verdicts[1].identity.covers >= {"method", "host", "path", "query"}
    assert not both.check(replace(by_signature, method="PUT")).allowed
    assert not both.check(received(POST, {})).allowed
    assert both.scheme.headers == ("Edge-Auth", "Signature-Input", "Signature")

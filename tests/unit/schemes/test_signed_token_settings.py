"""Signed tokens by settings: presets, key sets in files, what is refused at start."""

from __future__ import annotations

import json
import logging
import os
import time

import pytest
from support.files import replace
from support.processes import wait_until
from support.requests import PlainRequest
from support.token_keys import (
    ISSUER,
    NOW,
    SECRET,
    claims,
    jwks,
    pair,
    private_pem,
    public_pem,
    signed,
)
from support.watching import logged

from edgeauth import ConfigurationError, Guard, Key, Settings
from edgeauth.ops.private_key import read_private_key
from edgeauth.private_keys import PrivateKey
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.signed_token import SignedTokenScheme
from edgeauth.schemes.signed_token.algorithms import Algorithm
from edgeauth.schemes.signed_token.arguments import (
    PRESETS,
    PUBLISHED,
    from_preset,
    required_claims,
    texts,
    texts_in_order,
)
from edgeauth.service.state import State

PLAIN = {"scheme": "signed-token", "header": "X-Token", "algorithm": "HS256", "issuer": ISSUER}
OF_SET = {**PLAIN, "algorithm": "EdDSA"}
OPTIONS = {option.name: option for option in SignedTokenScheme.OPTIONS}


def verified(settings, value, now=NOW):
    scheme = Settings.from_mapping(settings).build_scheme()
    return scheme.verify(PlainRequest(fields=[(scheme.headers[0], value)]), now=now)


def test_a_secret_of_the_settings_verifies():
    assert verified({**PLAIN, "secret": SECRET}, signed("HS256")).key_id == "default"


def test_settings_refuse_a_secret_that_everybody_knows():
    with pytest.raises(ConfigurationError, match="is no secret"):
        Guard.from_settings({**PLAIN, "secret": "some-pre-shared-secret"})


@pytest.mark.parametrize("written", ["mapping", "path", "text"])
def test_a_key_set_is_a_mapping_a_path_or_a_text(tmp_path, written):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(jwks("EdDSA")))
    value = {
        "mapping": jwks("EdDSA"),
        "path": file,
        "text": json.dumps(jwks("EdDSA")),
    }[written]
    assert verified({**OF_SET, "jwks": value}, signed("EdDSA")).key_id == "one"


def test_a_public_key_may_stand_in_a_directory_of_keys(tmp_path):
    (tmp_path / "edge").write_text(public_pem(pair("RS256")))
    settings = {**PLAIN, "algorithm": "RS256", "secrets_dir": tmp_path}
    assert verified(settings, signed("RS256", headers={})).key_id == "edge"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"secret": SECRET, "jwks": {"keys": []}}, "secret is set, and the scheme 'signed-token'"),
        ({"jwks": {"keys": []}, "secrets_file": "f"}, "leave secrets_file out"),
        ({"jwks": {"keys": []}}, "jwks is a set of public keys, and HS256"),
        ({"jwks": "/no/such/file"}, "jwks '/no/such/file' cannot be read"),
        ({"jwks": "{"}, "jwks is no JSON object"),
        ({"jwks": ""}, "jwks is ''"),
        ({"header": "X Y", "secret": SECRET}, "is not a header field name"),
        ({"algorithm": "none"}, "algorithm is 'none'"),
        ({"preset": "okta"}, "preset is 'okta'"),
        ({"claims": "a"}, "claims is 'a'"),
        ({"claims": "a="}, "claims is 'a='"),
        ({"claims": {"a": []}}, "claims.a is []"),
        ({"max_lifetime": -1}, "max_lifetime must be"),
        ({"max_skew": "soon"}, "max_skew is 'soon'"),
        ({"audience": []}, "audience is []"),
        ({}, "no secret: set"),
    ],
)
def test_what_cannot_be_used_is_refused_at_start(more, words):
    with pytest.raises(ConfigurationError) as caught:
        Guard.from_settings({**PLAIN, **more})
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "header is missing: the scheme signed-token needs"),
        ({"header": "X-Token", "algorithm": "HS256"}, "issuer is missing"),
        ({"preset": "cloudflare-access", "jwks": {}}, "https://<team>.cloudflareaccess.com"),
        ({"preset": "cloudflare-access", "issuer": "i", "jwks": {}}, "audience is missing"),
        ({"preset": "google-iap", "jwks": {}}, "audience is missing"),
    ],
)
def test_what_no_preset_can_know_must_be_set(settings, words):
    secret = {} if "jwks" in settings else {"secret": SECRET}
    with pytest.raises(ConfigurationError) as caught:
        Guard.from_settings({"scheme": "signed-token", **secret, **settings})
    assert words in str(caught.value)


def test_a_preset_says_all_that_is_known_and_what_is_set_wins():
    by_preset = Settings.from_mapping(
        {"scheme": "signed-token", "preset": "netlify", "secret": SECRET}
    ).build_scheme()
    assert by_preset.headers == ("X-Nf-Sign",)
    assert by_preset.claims == {"deploy_context": "production"}
    assert (by_preset.rules.issuer, by_preset.rules.max_lifetime) == ("netlify", 600)
    other = Settings.from_mapping(
        {
            "scheme": "signed-token",
            "preset": "netlify",
            "secret": SECRET,
            "header": "X-Signed",
            "max_lifetime": 300,
            "claims": {"site_url": "https://a.example"},
        }
    ).build_scheme()
    assert other.headers == ("X-Signed",)
    assert other.rules.max_lifetime == 300
    assert other.claims == {"deploy_context": "production", "site_url": "https://a.example"}
    iap = Settings.from_mapping(
        {
            "scheme": "signed-token",
            "preset": "google-iap",
            "audience": ["/projects/1/apps/a"],
            "jwks": jwks("ES256"),
        }
    ).build_scheme()
    assert (iap.algorithm, iap.rules.max_skew) == ("ES256", 30)


def test_what_vendors_publish_is_in_the_presets():
    assert PRESETS == {
        "netlify": {
            "header": "X-Nf-Sign",
            "algorithm": "HS256",
            "issuer": "netlify",
            "max_lifetime": 600,
            "claims": {"deploy_context": "production"},
            "identity_claims": ("site_url", "netlify_id", "deploy_context"),
        },
        "cloudflare-access": {
            "header": "Cf-Access-Jwt-Assertion",
            "algorithm": "RS256",
            "claims": {"type": "app"},
            "identity_claims": ("sub", "email", "country", "common_name"),
        },
        "google-iap": {
            "header": "X-Goog-Iap-Jwt-Assertion",
            "algorithm": "ES256",
            "issuer": "https://cloud.google.com/iap",
            "max_skew": 30,
            "max_lifetime": 660,
            "identity_claims": ("sub", "email", "hd"),
        },
    }
    assert PUBLISHED == {
        "cloudflare-access": "{issuer}/cdn-cgi/access/certs",
        "google-iap": "https://www.gstatic.com/iap/verify/public_key-jwk",
    }


def test_what_is_not_set_is_as_the_preset_says():
    options = SignedTokenScheme.OPTIONS
    assert {option.name: option.default for option in options} == dict.fromkeys(
        (
            *("preset", "header", "algorithm", "issuer", "audience", "claims", "jwks"),
            *("max_skew", "max_lifetime", "identity_claims"),
        )
    )
    assert all(option.doc and not option.secret for option in options)
    scheme = Settings.from_mapping({**PLAIN, "secret": SECRET}).build_scheme()
    assert (scheme.rules.max_skew, scheme.rules.max_lifetime) == (5, None)
    assert (scheme.rules.audience, scheme.claims, scheme.rules.identity_claims) == (
        None,
        {},
        ("sub",),
    )


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("preset", "netlify", "netlify"),
        ("algorithm", "EdDSA", "EdDSA"),
        ("audience", "a, b", ("a", "b")),
        ("identity_claims", "a,b", ("a", "b")),
        ("max_skew", "7", 7),
        ("max_lifetime", "7.5", 7.5),
        ("claims", "a=1, b=x=y,a=2", {"a": ["1", "2"], "b": ["x=y"]}),
        ("claims", {"a": True}, {"a": True}),
        ("jwks", ' {"keys": []}', {"keys": []}),
        ("jwks", "/a/{file}", "/a/{file}"),
    ],
)
def test_each_option_is_read_from_the_text_of_a_variable(name, value, read):
    assert OPTIONS[name].read(name, value) == read
    OPTIONS[name].refuse_bad(read)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("claims", "a", "claims is 'a'; write a table, or name=value with commas"),
        ("claims", "=b", "claims is '=b'; write a table, or name=value with commas"),
        ("claims", "a=", "claims is 'a='; write a table, or name=value with commas"),
        ("claims", 7, "claims is 7; write a list"),
        ("claims", {"a": None}, "claims.a is None; write a text, a number, true, false, or a list"),
        ("jwks", 7, "jwks is 7; write a text that is not empty"),
        ("jwks", "{", "jwks is no JSON object"),
        ("max_skew", "soon", "max_skew is 'soon'; write a number of seconds"),
        ("max_lifetime", "soon", "max_lifetime is 'soon'; write a number of seconds"),
        ("preset", "x", "preset is 'x'; write 'netlify' or 'cloudflare-access' or 'google-iap'"),
        ("algorithm", "x", "algorithm is 'x'; write 'HS256' or 'RS256' or 'ES256' or 'EdDSA'"),
    ],
)
def test_an_option_that_cannot_be_read_is_named_with_what_to_write(name, value, words):
    with pytest.raises(ConfigurationError) as caught:
        OPTIONS[name].read(name, value)
    assert str(caught.value).startswith(words)


def test_the_range_of_an_option_is_held_and_none_is_in_it():
    for name, value in (("max_skew", -1), ("max_lifetime", True), ("claims", ["a"])):
        with pytest.raises(ConfigurationError, match=f"^{name} "):
            OPTIONS[name].refuse_bad(value)
        OPTIONS[name].refuse_bad(None)


def test_a_key_set_is_shown_as_one_and_a_path_as_itself():
    assert OPTIONS["jwks"].show({"keys": []}) == "a key set"
    assert OPTIONS["jwks"].show("/a/file") == "/a/file"


@pytest.mark.parametrize("value", [b"us", {"us": 1}, 1, [], [""], ["a", 1], ""])
def test_what_is_neither_a_text_nor_a_list_of_texts_is_refused(value):
    with pytest.raises(ConfigurationError) as caught:
        texts("audience", value)
    assert str(caught.value).startswith(f"audience is {value!r}; write a text, or a list of texts")
    assert texts("audience", ("a", "b")) == texts("audience", iter("ab")) == {"a", "b"}


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (["a"], "claims is ['a']; write a mapping of names to a value, or to a list of them"),
        ({"a": ()}, "claims.a is (); write a text, a number, true, false, or a list of them"),
        ({"a": [1.5]}, "claims.a is [1.5]; write a text, a number, true, false, or a list of them"),
        ({1: "a"}, "claims.1 is 'a'; write a text, a number, true, false, or a list of them"),
    ],
)
def test_claims_that_cannot_be_required_are_named_with_what_to_write(claims, words):
    with pytest.raises(ConfigurationError) as caught:
        required_claims(claims)
    assert str(caught.value) == words


def test_each_allowed_value_of_a_claim_is_known_with_its_type():
    assert required_claims({"a": "b", "c": [1, True, "d"], "e": {"f"}}) == {
        "a": {(str, "b")},
        "c": {(int, 1), (bool, True), (str, "d")},
        "e": {(str, "f")},
    }


@pytest.mark.parametrize(
    ("preset", "given", "words"),
    [
        (
            None,
            {},
            "header is missing: the scheme signed-token needs header, algorithm and issuer,",
        ),
        (None, {"header": "X"}, "algorithm is missing: the scheme signed-token needs header"),
        (None, {"header": "X", "algorithm": "HS256"}, "issuer is missing: the scheme signed-token"),
        ("cloudflare-access", {"audience": "a"}, "issuer is missing: for Cloudflare Access write"),
        ("cloudflare-access", {"issuer": "i"}, "audience is missing: without it a token for any"),
        ("google-iap", {"audience": []}, "audience is missing: without it a token for any"),
    ],
)
def test_what_is_missing_is_named_with_what_to_write(preset, given, words):
    with pytest.raises(ConfigurationError) as caught:
        from_preset(preset, given)
    assert str(caught.value).startswith(words)
    if preset is None:
        assert str(caught.value).endswith("or a preset (netlify, cloudflare-access, google-iap)")


def test_what_is_given_wins_over_the_preset_claim_by_claim_and_none_is_not_given():
    given = {"header": None, "issuer": "i", "claims": {"b": 1}}
    whole = from_preset("netlify", given)
    assert (whole["header"], whole["issuer"]) == ("X-Nf-Sign", "i")
    assert whole["claims"] == {"deploy_context": "production", "b": 1}
    own = {"header": "X", "algorithm": "HS256", "issuer": "i"}
    assert from_preset(None, own) == {**own, "claims": {}}
    assert from_preset(None, {**own, "claims": {"a": 1}})["claims"] == {"a": 1}
    assert from_preset(None, {**own, "claims": None})["claims"] == {}


def test_claims_for_the_application_are_told_in_the_order_in_which_they_are_named():
    assert texts_in_order(["b", "a"]) == ("b", "a")
    assert texts_in_order(()) == ()
    with pytest.raises(ConfigurationError, match=r"^identity_claims is 7"):
        texts_in_order(7)


def test_variables_write_claims_with_commas():
    settings = Settings.from_environ(
        {
            "EDGEAUTH_SCHEME": "signed-token",
            "EDGEAUTH_PRESET": "netlify",
            "EDGEAUTH_SECRET": SECRET,
            "EDGEAUTH_CLAIMS": "site_url=https://a.example,site_url=https://b.example/?a=b",
            "EDGEAUTH_AUDIENCE": "",
        }
    )
    assert settings.build_scheme().claims == {
        "deploy_context": "production",
        "site_url": ["https://a.example", "https://b.example/?a=b"],
    }


def test_pyjwt_has_the_last_word_on_a_secret_and_never_raises():
    algorithm = Algorithm("HS256")
    armoured = "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----"
    with pytest.raises(ConfigurationError, match="PyJWT cannot use key 'k'"):
        algorithm.candidate(Key("k", armoured))
    assert not algorithm.candidate(Key("k", SECRET)).made(None, None)  # type: ignore[arg-type]


# --- files that options name are watched


@pytest.fixture
def key_set(tmp_path):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(jwks("EdDSA", "one", "two")))
    return file


def watching(file, **more):
    return Guard.from_settings({**OF_SET, "jwks": str(file), "watch_interval": 0.01, **more})


def reason(guard, name):
    value = signed("EdDSA", claims(iat=None, exp=int(time.time()) + 60), name=name)
    return guard.check(PlainRequest(fields=[("X-Token", value)])).reason


def becomes(guard, **expected):
    wait_until(
        lambda: (
            {name: reason(guard, name) for name in expected}
            == {name: "ok" if ok else "bad-signature" for name, ok in expected.items()}
        ),
        what=f"{expected}",
    )


def test_a_key_set_in_a_file_is_followed_while_the_app_runs(key_set, caplog):
    caplog.set_level(logging.INFO)
    guard = watching(key_set)
    becomes(guard, one=True, two=True, three=False)
    replace(key_set, json.dumps(jwks("EdDSA", "two", "three")))
    becomes(guard, one=False, two=True, three=True)
    assert logged(caplog, "was read; in force: the keys two, three")


@pytest.mark.parametrize(
    "broken", ["", "{", '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA"}]}']
)
def test_a_key_set_that_cannot_be_used_changes_nothing_and_is_loud(key_set, caplog, broken):
    guard = watching(key_set)
    replace(key_set, broken)
    wait_until(lambda: reason(guard, "one") == "ok" and logged(caplog, "CANNOT BE USED"))
    assert logged(caplog, "the keys one, two stay in force: jwks")
    replace(key_set, json.dumps(jwks("EdDSA", "three")))
    becomes(guard, one=False, three=True)


def test_a_key_set_that_is_deleted_stays_in_force(key_set, caplog):
    guard = watching(key_set)
    key_set.unlink()
    wait_until(lambda: reason(guard, "one") == "ok" and logged(caplog, "CANNOT BE USED"))


def test_of_several_schemes_each_follows_its_own_files(key_set, tmp_path):
    secrets = tmp_path / "secrets"
    secrets.write_text(f"a:{SECRET}\n")
    other = tmp_path / "other.json"
    other.write_text(json.dumps(jwks("EdDSA", "other")))
    guard = Guard.from_settings(
        {
            "watch_interval": 0.01,
            "schemes": [
                {"scheme": "edge-auth", "secrets_file": str(secrets)},
                {**OF_SET, "jwks": str(key_set)},
                {**OF_SET, "jwks": str(other)},
            ],
        }
    )
    becomes(guard, one=True, other=True, three=False)
    replace(other, json.dumps(jwks("EdDSA", "three")))
    becomes(guard, one=True, other=False, three=True)
    replace(secrets, "b:another-Zk3-of-nobody-9fQ2xv7LmT\n")
    wait_until(
        lambda: (
            reason(guard, "one") == "ok"
            and [key.id for key in guard.scheme.schemes[0].keys] == ["b"]
        )
    )
    becomes(guard, one=True, three=True)
    replace(key_set, json.dumps(jwks("EdDSA", "two")))
    becomes(guard, one=False, two=True, three=True)


def test_a_pipe_is_read_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader_needs = os.open(pipe, os.O_RDWR)
    try:
        with pytest.raises(ConfigurationError, match="is a pipe"):
            State.load(2, None, environ(pipe), {})
    finally:
        os.close(reader_needs)


def environ(file):
    return {
        **{f"EDGEAUTH_{name.upper()}": value for name, value in OF_SET.items()},
        "EDGEAUTH_JWKS": str(file),
    }


def test_the_workers_of_the_service_are_handed_what_the_file_held(key_set):
    state, source = State.read(1, None, environ(key_set), {})
    replace(key_set, json.dumps(jwks("EdDSA", "three")))
    guard = state.build_guard()
    assert {name: reason(guard, name) for name in ("one", "three")} == {
        "one": "ok",
        "three": "bad-signature",
    }
    following = state.following(source.policy)
    assert following.files == state.files
    key_set.unlink()
    assert reason(following.build_guard(), "one") == "ok"


def test_the_private_key_of_a_set_is_found_by_its_public_half(key_set, tmp_path):
    file = tmp_path / "private.pem"
    file.write_text(private_pem(pair("EdDSA", "two")))
    key = read_private_key(str(file), Settings.from_mapping({**OF_SET, "jwks": str(key_set)}), None)
    assert isinstance(key, PrivateKey)
    assert (key.id, key.public.der) == (
        "two",
        PublicKey("two", public_pem(pair("EdDSA", "two"))).der,
    )

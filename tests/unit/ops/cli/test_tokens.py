"""The commands of the kind signed-token, by settings in a file and in the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.token_keys import ISSUER, SECRET, jwks, pair, private_pem, public_pem

NETLIFY = {
    "EDGEAUTH_SCHEME": "signed-token",
    "EDGEAUTH_PRESET": "netlify",
    "EDGEAUTH_SECRET": SECRET,
    "EDGEAUTH_CLAIMS": "site_url=https://a.example",
}
AT = ("--at", "1760000000")


@pytest.fixture
def of_set(tmp_path):
    """The environment of a gate with a key set, and the private key that goes with it."""
    file, key = tmp_path / "jwks.json", tmp_path / "private.pem"
    file.write_text(json.dumps(jwks("ES256", "one")))
    key.write_text(private_pem(pair("ES256", "one")))
    env = {
        "EDGEAUTH_SCHEME": "signed-token",
        "EDGEAUTH_PRESET": "google-iap",
        "EDGEAUTH_AUDIENCE": "/projects/1/apps/a",
        "EDGEAUTH_JWKS": str(file),
    }
    return env, str(key)


def test_what_sign_prints_verify_accepts(edgeauth):
    printed = edgeauth("sign", *AT, env=NETLIFY).stdout
    assert printed.startswith("X-Nf-Sign: ey")
    result = edgeauth("verify", *AT, printed.strip(), env=NETLIFY)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("ACCEPTED  signed with key default\n")
    late = edgeauth("verify", "--at", "1760000400", printed.strip(), env=NETLIFY)
    assert late.exit_code == 1
    assert "The token expired 100 s ago (exp), and max_skew is 5 s." in late.stdout.replace(
        "\n", " "
    )
    assert SECRET not in result.stdout + late.stdout


def test_the_private_key_of_the_issuer_signs_where_a_key_set_verifies(edgeauth, of_set):
    env, key = of_set
    printed = edgeauth("sign", *AT, "--key-file", key, env=env).stdout
    assert edgeauth("verify", *AT, printed.strip(), env=env).exit_code == 0
    alone = edgeauth("sign", *AT, env=env)
    assert alone.exit_code == 2
    assert "which sign nothing" in alone.stderr


def test_check_config_shows_the_settings_and_the_file(edgeauth, of_set):
    env, _ = of_set
    shown = edgeauth("check-config", env=env).stdout
    assert f"jwks                  {env['EDGEAUTH_JWKS']}" in shown
    assert "keys: 1, oldest to newest: one (public, ecdsa-p256-sha256)\n" in shown
    in_text = edgeauth("check-config", env={**env, "EDGEAUTH_JWKS": json.dumps(jwks("ES256"))})
    assert "jwks                  a key set " in in_text.stdout
    assert SECRET not in edgeauth("check-config", env=NETLIFY).stdout


def test_the_doctor_has_nothing_against_a_key_set(edgeauth, of_set):
    env, _ = of_set
    result = edgeauth("doctor", env=env)
    assert "secret" not in result.stdout


def test_an_rsa_key_in_pem_signs_with_the_algorithm_of_the_settings(edgeauth, tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "edge").write_text(public_pem(pair("RS256")))
    key = tmp_path / "private.pem"
    key.write_text(private_pem(pair("RS256")))
    env = {
        "EDGEAUTH_SCHEME": "signed-token",
        "EDGEAUTH_HEADER": "X-Token",
        "EDGEAUTH_ALGORITHM": "RS256",
        "EDGEAUTH_ISSUER": ISSUER,
        "EDGEAUTH_SECRETS_DIR": str(tmp_path / "keys"),
    }
    printed = edgeauth("sign", *AT, "--key-file", str(key), env=env).stdout
    assert edgeauth("verify", *AT, printed.strip(), env=env).exit_code == 0


def test_the_doctor_finds_a_key_set_that_everybody_may_write(edgeauth, of_set):
    env, _ = of_set
    Path(env["EDGEAUTH_JWKS"]).chmod(0o666)
    result = edgeauth("doctor", env=env)
    assert "every user of the machine may write it" in result.stdout.replace("\n", " ")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"EDGEAUTH_ISSUER": ISSUER, "EDGEAUTH_SECRET": ""}, "secret"),
        ({"EDGEAUTH_JWKS": "/no/such"}, "secret is set"),
        ({"EDGEAUTH_PRESET": "cloudflare-access"}, "issuer is missing"),
    ],
)
def test_check_config_refuses_what_an_app_would(edgeauth, more, words):
    result = edgeauth("check-config", env={**NETLIFY, **more})
    assert result.exit_code == 2
    assert words in result.stderr

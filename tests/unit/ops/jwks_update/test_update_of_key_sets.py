"""``edgeauth jwks update``: what it takes, what it refuses, and that the file stays then."""

from __future__ import annotations

import json
import stat

import pytest
from click.testing import CliRunner
from support.list_server import answer, list_server
from support.processes import HOST, free_port
from support.token_keys import ISSUER, jwk, jwks

from edgeauth.ops.cli import main


@pytest.fixture
def file(tmp_path):
    return tmp_path / "jwks.json"


def run(*words, env=None):
    return CliRunner().invoke(main, ["jwks", "update", *words], env=env, catch_exceptions=False)


def updated(file, document, *words, fields=(), **options):
    with list_server(answer(document, *fields)) as server:
        return run(server.url, str(file), *words, **options)


def kids(file):
    return [one["kid"] for one in json.loads(file.read_text())["keys"]]


def test_a_new_file_gets_the_keys_and_nothing_else(file):
    published = {**jwks("RS256", "one", "two"), "public_cert": {"cert": "PEM"}}
    result = updated(file, published)
    assert (result.exit_code, result.output) == (
        0,
        f"+ one\n+ two\nupdated: 2 keys in {file}\n",
    )
    assert json.loads(file.read_text()).keys() == {"source", "keys"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_the_next_set_of_the_issuer_is_taken_and_the_changes_are_told(file):
    updated(file, jwks("RS256", "one", "two"))
    result = updated(file, jwks("RS256", "two", "three"))
    assert result.output == f"- one\n+ three\nupdated: 2 keys in {file}\n"
    assert kids(file) == ["two", "three"]


def test_a_set_that_is_the_same_is_not_written_again(file):
    updated(file, jwks("ES256", "one", "two"))
    before = file.stat()
    result = updated(file, jwks("ES256", "one", "two"))
    assert (result.exit_code, result.output) == (0, f"no change: 2 keys in {file}\n")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


PRIVATE = {"keys": [jwk("ES256", d="AAAA")]}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", "is no JSON object"),
        ("<html>", "is no JSON object"),
        ([], "is no JSON object"),
        ({}, "is no key set"),
        ({"keys": []}, "has no key for"),
        (PRIVATE, "has a private key or a secret"),
        ({"keys": [jwk("ES256", kid=None)]}, "without a usable kid"),
        (jwks("ES256", "three"), "has none of the keys that were there (one, two)"),
        ({"keys": [jwk("ES256", "two", kid="one")]}, "another key under the kid one"),
    ],
)
def test_what_is_not_to_be_believed_changes_nothing(file, document, words):
    updated(file, jwks("ES256", "one", "two"))
    before = file.read_bytes()
    result = updated(file, document)
    assert result.exit_code == 1
    assert words in result.output
    assert "The file is as it was." in result.output
    assert file.read_bytes() == before


def test_force_takes_a_set_of_other_keys(file):
    updated(file, jwks("ES256", "one"))
    assert updated(file, jwks("ES256", "three"), "--force").exit_code == 0
    assert kids(file) == ["three"]
    # Never one that would lock everybody out.
    assert updated(file, {"keys": []}, "--force").exit_code == 1


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oh", "302 Found"])
def test_an_answer_of_another_status_changes_nothing(file, status):
    with list_server(answer(jwks("ES256"), "Location: https://a.example/", status=status)) as one:
        result = run(one.url, str(file))
    assert result.exit_code == 1
    assert not file.exists()


def test_a_server_that_is_away_and_a_url_without_tls_change_nothing(file):
    assert run(f"http://{HOST}:{free_port()}/", str(file)).exit_code == 1
    result = run("http://issuer.example/jwks", str(file))
    assert result.exit_code == 2
    assert "write https://" in result.output
    assert not file.exists()


def test_a_file_that_cannot_be_used_is_replaced_by_force_alone(file):
    file.write_text("{")
    result = updated(file, jwks("ES256"))
    assert result.exit_code == 2
    assert "--force replaces it" in result.output
    assert updated(file, jwks("ES256"), "--force").exit_code == 0
    assert kids(file) == ["one"]


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    result = updated(tmp_path / "missing" / "jwks.json", jwks("ES256"))
    assert result.exit_code == 2
    assert "cannot be written" in result.output


# --- what the settings know


def settings(file, **more):
    given = {"SCHEME": "signed-token", "JWKS": str(file), **more}
    return {f"EDGEAUTH_{name}": value for name, value in given.items()}


def test_the_settings_name_the_file_and_the_algorithm(file):
    env = settings(file, ALGORITHM="EdDSA", ISSUER=ISSUER, HEADER="X-Token")
    with list_server(answer(jwks("EdDSA"))) as server:
        assert run(server.url, env=env).exit_code == 0
    with list_server(answer(jwks("ES256"))) as server:
        result = run(server.url, env=env)
    assert "has no key for EdDSA" in result.output
    assert kids(file) == ["one"]


def test_no_key_set_is_fetched_for_an_algorithm_that_takes_a_secret(file):
    result = run("https://a.example/", env=settings(file, ALGORITHM="HS256"))
    assert result.exit_code == 2
    assert "HS256 is checked with a secret" in result.output
    assert "secrets_file" in result.output


def test_a_preset_knows_where_its_issuer_publishes(file):
    port = free_port()
    env = settings(file, PRESET="cloudflare-access", ISSUER=f"http://{HOST}:{port}")
    result = run(env=env)
    assert f"http://{HOST}:{port}/cdn-cgi/access/certs could not be fetched" in result.output
    result = run(env=settings(file, PRESET="cloudflare-access"))
    assert "issuer is not set" in result.output


@pytest.mark.parametrize(
    ("words", "env", "told"),
    [
        ((), {}, "which file?"),
        (("https://a.example/",), {}, "which file?"),
        ((), settings("f", PRESET="netlify"), "which URL?"),
        ((), settings("f"), "which URL?"),
        (("https://a.example/",), settings("{}"), "which file?"),
    ],
)
def test_what_nobody_says_is_asked_for(words, env, told):
    result = run(*words, env=env)
    assert result.exit_code == 2
    assert told in result.output

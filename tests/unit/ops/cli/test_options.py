"""Where secrets and moments come from."""

from __future__ import annotations

import pytest

OPTION = "a-secret-from-the-option"
VARIABLE = "a-secret-from-the-environment"
CONFIG = "a-secret-from-the-config-file"
OLD_AND_NEW = "old:a-secret-from-before\nnew:a-secret-from-the-option\n"


@pytest.fixture
def signature(edgeauth):
    """The signature that these arguments give; equal ones come from equal secrets."""

    def run(*args, **options):
        result = edgeauth("sign", "--at", "1700000000", *args, **options)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    return run


@pytest.fixture
def by_variable(signature):
    """The signature with a secret from the environment."""
    return lambda secret: signature(env={"EDGEAUTH_SECRET": secret})


@pytest.mark.parametrize("content", [b"%s", b"%s\n", b"%s\r\n", b"\xef\xbb\xbf%s\n"])
def test_a_secret_file_holds_one_secret_and_perhaps_a_newline(
    signature, by_variable, tmp_path, content
):
    (tmp_path / "secret").write_bytes(content % OPTION.encode())
    assert signature("--secret-file", "secret") == by_variable(OPTION)


def test_a_secret_comes_from_standard_input(signature, by_variable):
    assert signature("--secret-file", "-", input=OPTION + "\n") == by_variable(OPTION)


def test_the_last_line_of_a_secrets_file_signs(signature, by_variable, tmp_path):
    (tmp_path / "secrets").write_text(OLD_AND_NEW)
    assert signature("--secrets-file", "secrets") == by_variable(OPTION)


def test_a_config_file_gives_the_secret(signature, by_variable, tmp_path):
    (tmp_path / "edgeauth.toml").write_text(f'secret = "{CONFIG}"')
    assert signature("--config", "edgeauth.toml") == by_variable(CONFIG)


def test_the_environment_wins_over_the_config_file(signature, by_variable, tmp_path):
    (tmp_path / "edgeauth.toml").write_text(f'secret = "{CONFIG}"')
    env = {"EDGEAUTH_SECRET": VARIABLE}
    assert signature("--config", "edgeauth.toml", env=env) == by_variable(VARIABLE)


@pytest.mark.parametrize("name", ["EDGEAUTH_SECRET", "EDGEAUTH_SECRETS_FILE"])
@pytest.mark.parametrize("option", ["--secret-file", "--secrets-file"])
def test_an_option_wins_over_the_environment(signature, by_variable, tmp_path, option, name):
    content = OPTION if option == "--secret-file" else OLD_AND_NEW
    (tmp_path / "given").write_text(content)
    (tmp_path / "other").write_text(f"other:{VARIABLE}")
    env = {name: VARIABLE if name == "EDGEAUTH_SECRET" else "other"}
    assert signature(option, "given", env=env) == by_variable(OPTION)


def test_both_options_for_secrets_are_one_too_many(edgeauth):
    result = edgeauth("sign", "--secret-file", "a", "--secrets-file", "b")
    assert result.exit_code == 2
    assert "give one of them" in result.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"old:first-secret-of-two\nnew:second-secret-of-two\n", "--secrets-file"),
        (b"\xff" * 20, "is not UTF-8"),
        (b"x" * 2000, "is longer than a secret"),
        (b"short-secret", "has 12 bytes"),
        (b"a-secret-with-a-space \n", "white space"),
    ],
    ids=["missing", "empty", "newline", "two-lines", "no-text", "long", "short", "space"],
)
def test_a_secret_file_that_cannot_be_right_is_refused_without_showing_it(
    edgeauth, tmp_path, content, words
):
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    result = edgeauth("sign", "--secret-file", "secret")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "second-secret" not in result.stderr
    assert "short-secret" not in result.stderr


@pytest.mark.parametrize(
    "moment",
    [
        "1700000000",
        "1700000000.9",
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:20",
        "2023-11-14 22:13:20",
        "2023-11-14T23:13:20+01:00",
    ],
)
def test_a_moment_is_unix_seconds_or_iso_which_is_utc_unless_it_says_else(edgeauth, moment):
    result = edgeauth("sign", "--at", moment, env={"EDGEAUTH_SECRET": OPTION})
    assert result.stdout.startswith("Edge-Auth: 1700000000,")


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("1700000000000", "not milliseconds"),
        ("noon", "write 1700000000 or"),
        ("", "write 1700000000 or"),
    ],
)
def test_another_moment_is_refused(edgeauth, moment, words):
    result = edgeauth("sign", "--at", moment, env={"EDGEAUTH_SECRET": OPTION})
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize("option", ["--secret-file", "--secrets-file"])
@pytest.mark.parametrize("place", ["SECRET", "SECRETS_FILE", "SECRETS_DIR"])
def test_an_option_wins_over_any_place_of_secrets_in_the_settings(
    signature, by_variable, tmp_path, option, place
):
    (tmp_path / "given").write_text(OPTION if option == "--secret-file" else f"a:{OPTION}\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text(CONFIG)
    (tmp_path / "file").write_text(f"a:{CONFIG}\n")
    value = {"SECRET": CONFIG, "SECRETS_FILE": "file", "SECRETS_DIR": "folder"}[place]
    env = {f"EDGEAUTH_{place}": value}
    assert signature(option, "given", env=env) == by_variable(OPTION)


def test_a_path_that_is_none_is_an_error_and_no_trace_back(edgeauth):
    result = edgeauth("sign", "--secret-file", "\0")
    assert (result.exit_code, "not a usable path" in result.stderr) == (2, True)

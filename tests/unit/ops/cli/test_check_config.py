"""``edgeauth check-config``."""

from __future__ import annotations

import pytest

from edgeauth import Settings
from edgeauth.ops.shown import shown_settings

SECRET = "a-secret-of-the-configuration"
ENV = {"EDGEAUTH_SECRET": SECRET}
KEYS = f"2025:the-secret-before-that-one\n2026:{SECRET}\n"


def test_every_setting_is_there_with_its_value_and_source(edgeauth, tmp_path):
    (tmp_path / "edgeauth.toml").write_text(
        'max_age = 30\nheader = "X-Edge"\npops = ["LHR", "FRA"]\n'
    )
    env = {**ENV, "EDGEAUTH_HEADER": "X-Env", "EDGEAUTH_REQUIRE_POP": "no"}
    result = edgeauth("check-config", "--config", "edgeauth.toml", env=env)
    assert (result.exit_code, result.stderr) == (0, "")
    table = result.stdout.partition("\n\n")[0]
    shown = [(line[:22].strip(), *line[22:].rsplit(maxsplit=1)) for line in table.splitlines()]
    read = {name: (value.strip(), source) for name, value, source in shown}
    assert list(read) == [one.name for one in shown_settings(Settings())]
    assert {"secret", "scheme", "max_age", "exempt"} < read.keys()
    assert read["secret"] == ("set, not shown", "environment")
    assert read["secrets_file"] == ("-", "default")
    assert read["header"] == ("X-Env", "environment")
    assert read["max_age"] == ("30", "file")
    assert read["max_future"] == ("5", "default")
    assert read["require_pop"] == ("false", "environment")
    assert read["strip_header"] == ("true", "default")
    assert read["pops"] == ("LHR, FRA", "file")
    assert read["exempt"] == ("-", "default")


def test_the_file_that_a_variable_names_is_read_and_an_empty_variable_is_no_source(
    edgeauth, tmp_path
):
    (tmp_path / "edgeauth.toml").write_text(f'secret = "{SECRET}"\nmax_age = 30\n')
    env = {"EDGEAUTH_CONFIG": "edgeauth.toml", "EDGEAUTH_MAX_AGE": "", "EDGEAUTH_POPS": ""}
    result = edgeauth("check-config", env=env)
    assert (result.exit_code, result.stderr) == (0, "")
    words = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert words["max_age"] == ["30", "file"]
    assert words["pops"] == ["-", "default"]
    assert words["secret"][-1] == "file"


def test_of_several_schemes_each_setting_has_its_place_and_no_secret_is_shown(edgeauth, tmp_path):
    (tmp_path / "edgeauth.toml").write_text(
        f'[[schemes]]\nsecret = "{SECRET}"\nmax_age = 30\n'
        '[[schemes]]\nscheme = "shared-secret"\nsecrets_file = "secrets"\n'
    )
    (tmp_path / "secrets").write_text(KEYS.replace(SECRET, f"{SECRET}-2"))
    result = edgeauth("check-config", "--config", "edgeauth.toml", env={"EDGEAUTH_MODE": "enforce"})
    assert (result.exit_code, result.stderr) == (0, "")
    assert SECRET not in result.output
    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert lines["schemes[0].secret"] == ["set,", "not", "shown", "file"]
    assert lines["schemes[0].max_age"] == ["30", "file"]
    assert lines["schemes[0].max_future"] == ["5", "default"]
    assert lines["schemes[1].scheme"] == ["shared-secret", "file"]
    assert lines["mode"] == ["enforce", "environment"]
    assert "keys of edge-auth: 1, oldest to newest: default\n" in result.stdout
    assert "keys of shared-secret: 2, oldest to newest: 2025, 2026\n" in result.stdout


def test_no_file_of_decisions_is_made(edgeauth, tmp_path):
    result = edgeauth("check-config", env={**ENV, "EDGEAUTH_DECISIONS": "decisions"})
    assert (result.exit_code, result.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_keys_are_counted_and_named_and_never_shown(edgeauth, tmp_path):
    (tmp_path / "secrets").write_text(KEYS)
    result = edgeauth("check-config", env={"EDGEAUTH_SECRETS_FILE": "secrets"})
    assert "keys: 2, oldest to newest: 2025, 2026\n" in result.stdout
    assert SECRET not in result.output
    assert "the-secret-before" not in result.output


@pytest.mark.parametrize(
    ("addresses", "line"),
    [
        ("off", "addresses: not checked"),
        ("fastly", "addresses: 21 networks, as of 2026-10"),
        ("list.json", "addresses: 1 networks, as of an unknown date"),
    ],
)
def test_the_address_list_has_its_size_and_date(edgeauth, tmp_path, addresses, line):
    (tmp_path / "list.json").write_text('{"addresses": ["192.0.2.0/24"], "ipv6_addresses": []}')
    result = edgeauth("check-config", env={**ENV, "EDGEAUTH_ADDRESSES": addresses})
    assert line in result.stdout.splitlines()


@pytest.mark.parametrize(("mode", "loud"), [("enforce", False), ("report-only", True)])
def test_report_only_is_loud(edgeauth, mode, loud):
    result = edgeauth("check-config", env={**ENV, "EDGEAUTH_MODE": mode})
    assert ("REPORT-ONLY: every request is let through\n" in result.stdout) is loud


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, "no secret"),
        ({**ENV, "EDGEAUTH_SECRETS_FILE": "secrets"}, "keep one"),
        ({"EDGEAUTH_SECRET": "too-short"}, "has 9 bytes"),
        ({**ENV, "EDGEAUTH_ADDRESSES": "missing.json"}, "cannot be read"),
        ({**ENV, "EDGEAUTH_EXEMPT": "GET /a*"}, "no pattern"),
        ({**ENV, "EDGEAUTH_TRUSTED_PROXIES": "0.0.0.0/0"}, "trusted_proxies"),
        ({**ENV, "EDGEAUTH_MAX_AGE": "-1"}, "max_age"),
        ({**ENV, "EDGEAUTH_WATCH_INTERVAL": "0"}, "0.01 to 3600 seconds"),
        ({**ENV, "EDGEAUTH_DECISIONS": "missing/decisions"}, "cannot be opened"),
        ({**ENV, "EDGEAUTH_DECISIONS": "."}, "cannot be opened"),
        ({**ENV, "EDGEAUTH_SCHEME": "shared-secret", "EDGEAUTH_POPS": "LHR"}, "shared-secret"),
        ({"EDGEAUTH_SECRET": "some-pre-shared-secret"}, "printed in edgeauth's documentation"),
        ({"EDGEAUTH_SECRET": ""}, "EDGEAUTH_SECRET is empty"),
        ({**ENV, "EDGEAUTH_CONFIG": "missing.toml"}, "cannot be read"),
    ],
)
def test_what_the_app_would_refuse_at_start_is_refused_here(edgeauth, env, words):
    result = edgeauth("check-config", env=env)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not any(secret in result.stderr for secret in (SECRET, "too-short"))


def test_a_config_file_that_is_no_toml_is_refused_without_showing_it(edgeauth, tmp_path):
    (tmp_path / "edgeauth.toml").write_text(f"secret = {SECRET}")
    result = edgeauth("check-config", "--config", "edgeauth.toml")
    assert result.exit_code == 2
    assert "is not TOML" in result.stderr
    assert SECRET not in result.stderr


def test_a_path_with_odd_bytes_is_printed_escaped(edgeauth, tmp_path):
    name = "se\x1bcr\udcffets"
    (tmp_path / name).write_text(KEYS)
    result = edgeauth("check-config", env={"EDGEAUTH_SECRETS_FILE": name})
    assert r"se\x1bcr\udcffets" in result.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [("workers = 0", "workers"), ("wrokers = 2", "wrokers"), ('proxy = "apache"', "proxy")],
)
def test_what_the_service_would_refuse_is_refused(edgeauth, tmp_path, line, said):
    (tmp_path / "edgeauth.toml").write_text(f"[service]\n{line}\n")
    result = edgeauth("check-config", "--config", "edgeauth.toml", env=ENV)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_public_keys_are_named_as_such_and_each_option_of_their_scheme_is_there(edgeauth, tmp_path):
    made = edgeauth("keygen", "--type", "ed25519", "--id", "edge-1", "--out", "edge.key")
    (tmp_path / "keys").write_text(f"old:{SECRET}\n{made.stdout}")
    env = {
        "EDGEAUTH_SCHEME": "message-signatures",
        "EDGEAUTH_SECRETS_FILE": "keys",
        "EDGEAUTH_TAG": "edge",
    }
    result = edgeauth("check-config", env=env)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert lines["components"] == ["@method,", "@authority,", "@path,", "@query", "default"]
    assert lines["tag"] == ["edge", "environment"]
    assert lines["url_scheme"] == ["https", "default"]
    assert "keys: 2, oldest to newest: old, edge-1 (public, ed25519)\n" in result.stdout


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("redis://shop:hunter2@cache.example:7000/2", "redis://cache.example:7000"),
        ("unix://shop:hunter2@/run/valkey.sock", "unix:///run/valkey.sock"),
        ("memory", "memory"),
    ],
)
def test_the_replay_store_is_shown_without_its_password(edgeauth, setting, shown):
    env = {**ENV, "EDGEAUTH_SCHEME": "message-signatures", "EDGEAUTH_REPLAY": setting}
    result = edgeauth("check-config", env=env)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert lines["replay"] == [shown, "environment"]
    assert lines["replay_failure"] == ["refuse", "default"]
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("redis://shop:hunter2@cache:port", "must be redis://"),
        ("rediss//shop:hunter2@cache", "is no replay store"),
        ("sqlite:/nowhere/at/all/seen.db", "the folder '/nowhere/at/all' cannot be used"),
    ],
)
def test_a_replay_store_that_cannot_be_used_is_refused_without_its_password(
    edgeauth, setting, said
):
    env = {**ENV, "EDGEAUTH_SCHEME": "message-signatures", "EDGEAUTH_REPLAY": setting}
    result = edgeauth("check-config", env=env)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "hunter2" not in result.output


def test_a_replay_store_for_a_scheme_that_has_no_use_for_it_is_refused(edgeauth):
    result = edgeauth("check-config", env={**ENV, "EDGEAUTH_REPLAY": "memory"})
    assert result.exit_code == 2
    assert "cannot be admitted once" in result.stderr

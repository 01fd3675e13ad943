"""Settings from a mapping, the environment and a TOML file."""

from __future__ import annotations

import pathlib

import pytest
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import ConfigurationError, Settings, SharedSecretScheme


def test_the_defaults_are_those_of_the_documentation():
    settings = Settings.from_mapping({"secret": SECRET})
    assert settings == Settings(
        secret=SECRET,
        secrets_file=None,
        secrets_dir=None,
        scheme="edge-auth",
        header="Edge-Auth",
        max_age=60,
        max_future=5,
        require_pop=True,
        pops=None,
        addresses=None,
        addresses_stale_days=90,
        trusted_proxies=(),
        exempt=(),
        mode="enforce",
        strip_header=True,
        decisions=None,
        watch_interval=5,
        pass_secret=None,
        pass_secret_file=None,
        revoked_passes=(),
        revoked_passes_file=None,
    )


def test_a_secret_is_not_in_the_repr():
    assert SECRET not in repr(Settings(secret=SECRET))
    assert SECRET not in repr(Settings(pass_secret=SECRET))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("secret", "x" * 16, "x" * 16),
        ("secrets_file", "/run/secrets/edgeauth", "/run/secrets/edgeauth"),
        ("secrets_dir", "/run/secrets/edgeauth", "/run/secrets/edgeauth"),
        ("scheme", "shared-secret", "shared-secret"),
        ("header", "X-Proof", "X-Proof"),
        ("max_age", "90", 90),
        ("max_age", "2.5", 2.5),
        ("max_future", "0", 0),
        ("require_pop", "false", False),
        ("require_pop", "No", False),
        ("require_pop", "1", True),
        ("pops", "LHR, JFK", ("LHR", "JFK")),
        ("addresses", "fastly", "fastly"),
        ("addresses", "off", None),
        ("addresses_stale_days", "30", 30),
        ("trusted_proxies", "10.0.0.0/8,unix", ("10.0.0.0/8", "unix")),
        ("exempt", "GET /healthz,HEAD /healthz", ("GET /healthz", "HEAD /healthz")),
        ("mode", "report-only", "report-only"),
        ("strip_header", "off", False),
        ("decisions", "/var/log/edgeauth.jsonl", "/var/log/edgeauth.jsonl"),
        ("decisions", "off", None),
        ("watch_interval", "0.5", 0.5),
        ("pass_secret", "x" * 16, "x" * 16),
        ("pass_secret_file", "/run/secrets/pass", "/run/secrets/pass"),
        ("revoked_passes", "0a,0b", ("0a", "0b")),
        ("revoked_passes_file", "/etc/edgeauth/revoked", "/etc/edgeauth/revoked"),
    ],
)
def test_each_setting_is_read_from_the_environment(name, text, value):
    settings = Settings.from_environ({f"EDGEAUTH_{name.upper()}": text, "PATH": "/bin"})
    assert getattr(settings, name) == value


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_age", 90, 90),
        ("require_pop", False, False),
        ("pops", ["LHR"], ("LHR",)),
        ("pops", ("LHR",), ("LHR",)),
        ("pops", {"LHR"}, ("LHR",)),
        ("secrets_file", pathlib.PurePosixPath("/s"), "/s"),
        ("addresses", pathlib.PurePosixPath("/a"), "/a"),
    ],
)
def test_a_mapping_may_hold_python_values(name, value, expected):
    assert getattr(Settings.from_mapping({name: value}), name) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secrets_file", ""),
        ("secrets_file", 7),
        ("scheme", "hmac"),
        ("header", ""),
        ("max_age", "soon"),
        ("max_age", "1_0.5x"),
        ("max_age", None),
        ("max_age", True),
        ("require_pop", "maybe"),
        ("require_pop", None),
        ("require_pop", 0),
        ("pops", ""),
        ("pops", "LHR,,JFK"),
        ("pops", []),
        ("pops", [7]),
        ("pops", None),
        ("addresses", ""),
        ("addresses_stale_days", "soon"),
        ("exempt", "GET /a,"),
        ("mode", "Enforce"),
        ("mode", ["enforce"]),
        ("strip_header", ""),
    ],
)
def test_a_value_of_the_wrong_kind_names_the_setting_and_what_was_read(name, value):
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_mapping({name: value})
    message = str(caught.value)
    assert message.startswith(f"{name} is {value!r}; write ")


def test_an_error_names_the_variable_as_it_was_written():
    with pytest.raises(ConfigurationError, match=r"^EDGEAUTH_MAX_AGE is 'soon'"):
        Settings.from_environ({"EDGEAUTH_MAX_AGE": "soon"})


@pytest.mark.parametrize("secret", ["", None, 7, b"bytes-are-not-text-here"])
def test_a_secret_of_the_wrong_kind_is_refused_without_being_shown(secret):
    with pytest.raises(ConfigurationError, match="secret is empty or not text") as caught:
        Settings.from_mapping({"secret": secret})
    assert "bytes-are-not" not in str(caught.value)


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (lambda: Settings.from_mapping({"max_agee": 1}), "'max_agee': did you mean 'max_age'?"),
        (lambda: Settings.from_mapping({"colour": 1}), "'colour'; known are secret, secrets_file"),
        (
            lambda: Settings.from_environ({"EDGEAUTH_SECRETS": SECRET}),
            "'EDGEAUTH_SECRETS': did you mean 'EDGEAUTH_SECRET'?",
        ),
        (lambda: Settings.from_mapping({7: 1}), "unknown setting 7"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_near_one(read, why):
    with pytest.raises(ConfigurationError) as caught:
        read()
    assert why in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_toml_file_has_the_same_names(tmp_path):
    file = tmp_path / "edgeauth.toml"
    file.write_text(f'secret = "{SECRET}"\npops = ["LHR"]\nmax_age = 30\nrequire_pop = true\n')
    settings = Settings.from_toml(file)
    assert (settings.secret, settings.pops, settings.max_age) == (SECRET, ("LHR",), 30)


def test_the_environment_wins_over_the_file(tmp_path):
    file = tmp_path / "edgeauth.toml"
    file.write_text(f'secret = "{SECRET}"\nmax_age = 30\n')
    settings = Settings.load(file, {"EDGEAUTH_MAX_AGE": "20"})
    assert (settings.secret, settings.max_age) == (SECRET, 20)


def test_the_environment_wins_over_a_mapping():
    settings = Settings.from_mapping({"secret": SECRET, "max_age": 30})
    settings = settings.with_environ({"EDGEAUTH_MAX_AGE": "20"})
    assert (settings.secret, settings.max_age) == (SECRET, 20)


def test_without_a_file_the_environment_is_all(monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    assert Settings.load().secret == SECRET


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f'secret = "{SECRET}'.encode(), "is not TOML"),
        (b'secret = "\xff"', "not UTF-8"),
        (b"[edgeauth]\nmax_age = 1", "unknown setting 'edgeauth'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_without_being_shown(tmp_path, content, why):
    file = tmp_path / "edgeauth.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=why) as caught:
        Settings.from_toml(file)
    assert SECRET not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"absent.toml' cannot be read: No such file"):
        Settings.from_toml(tmp_path / "absent.toml")


def test_one_secret_makes_a_ring_of_one_key_named_default():
    assert [key.id for key in Settings(secret=SECRET).build_keys()] == ["default"]


def test_a_directory_of_secrets_makes_a_ring_of_its_files(tmp_path):
    (tmp_path / "2025").write_text(OLDER_SECRET)
    (tmp_path / "2026").write_text(SECRET)
    assert [key.id for key in Settings(secrets_dir=str(tmp_path)).build_keys()] == ["2025", "2026"]


def test_a_secrets_file_makes_a_ring_of_its_keys(tmp_path):
    file = tmp_path / "secrets"
    file.write_text(f"2025:{OLDER_SECRET}\n2026:{SECRET}\n")
    assert [key.id for key in Settings(secrets_file=str(file)).build_keys()] == ["2025", "2026"]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (Settings(), "no secret: set EDGEAUTH_SECRET"),
        (Settings(secret=SECRET, secrets_file="/s"), "both secret and secrets_file"),
        (Settings(secrets_dir="/d", secrets_file="/s"), "both secrets_file and secrets_dir"),
        (Settings(secret="short"), "the secret of key 'default' has 5 bytes"),
    ],
)
def test_a_missing_or_weak_secret_is_refused(settings, why):
    with pytest.raises(ConfigurationError, match=why):
        settings.build_scheme()


def test_the_shared_secret_scheme_is_built_by_name():
    scheme = Settings(secret=SECRET, scheme="shared-secret", header="X-Proof").build_scheme()
    assert isinstance(scheme, SharedSecretScheme)
    assert scheme.header == "X-Proof"


def test_addresses_are_off_bundled_or_a_file(tmp_path):
    file = tmp_path / "list.json"
    file.write_text('{"addresses": ["192.0.2.0/24"], "ipv6_addresses": []}')
    assert Settings().build_addresses() is None
    assert len(Settings(addresses="fastly").build_addresses()) == 21
    assert len(Settings(addresses=str(file)).build_addresses()) == 1
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Settings(addresses="fasly").build_addresses()

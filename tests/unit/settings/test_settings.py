"""Settings from a mapping, the environment and a TOML file."""

from __future__ import annotations

import pathlib
import re

import pytest
from flask import Flask
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import ConfigurationError, Settings, SharedSecretScheme, asgi, wsgi
from edgeauth.flask import EdgeAuth
from edgeauth.ops.shown import shown_settings
from edgeauth.schemes.registry import built_in_kinds, scheme_class
from edgeauth.settings import named_by_variables


def values(settings, *names):
    by_name = {one.name: one.value for one in shown_settings(settings)}
    return tuple(by_name[name] for name in names)


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
        ("secret", SECRET, SECRET),
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
        ("pass_secret", SECRET, SECRET),
        ("pass_secret_file", "/run/secrets/pass", "/run/secrets/pass"),
        ("revoked_passes", "0a,0b", ("0a", "0b")),
        ("revoked_passes_file", "/etc/edgeauth/revoked", "/etc/edgeauth/revoked"),
    ],
)
def test_each_setting_is_read_from_the_environment(name, text, value):
    settings = Settings.from_environ({f"EDGEAUTH_{name.upper()}": text, "PATH": "/bin"})
    assert values(settings, name) == (value,)


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
    assert values(Settings.from_mapping({name: value}), name) == (expected,)


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
        # Of two that are near, the nearest.
        (
            lambda: Settings.from_mapping({"revoked_passes_fil": 1}),
            "did you mean 'revoked_passes_file'?",
        ),
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
    assert values(settings, "secret", "pops", "max_age") == (SECRET, ("LHR",), 30)


def test_the_environment_wins_over_the_file(tmp_path):
    file = tmp_path / "edgeauth.toml"
    file.write_text(f'secret = "{SECRET}"\nmax_age = 30\n')
    settings = Settings.load(file, {"EDGEAUTH_MAX_AGE": "20"})
    assert values(settings, "secret", "max_age") == (SECRET, 20)


def test_a_variable_names_a_file_beneath_the_variables(tmp_path):
    file = tmp_path / "edgeauth.toml"
    file.write_text(f'secret = "{SECRET}"\nmax_age = 30\nmax_future = 2\n[service]\nworkers = 2\n')
    environ = {"EDGEAUTH_CONFIG": str(file), "EDGEAUTH_MAX_AGE": "20"}
    for settings in (
        Settings.from_environ(environ),
        Settings.load(None, environ),
        Settings.from_mapping({"max_age": 50, "max_future": 50}).with_environ(environ),
    ):
        assert values(settings, "secret", "max_age", "max_future") == (SECRET, 20, 2)


def test_every_adapter_reads_the_file_that_a_variable_names(tmp_path, monkeypatch):
    file = tmp_path / "edgeauth.toml"
    file.write_text(f'secret = "{SECRET}"\nheader = "X-Proof"\n')
    monkeypatch.setenv("EDGEAUTH_CONFIG", str(file))
    app = Flask("shop")
    app.config["EDGEAUTH"] = {"exempt": ["GET /healthz"]}
    EdgeAuth(app)
    guards = [
        asgi.EdgeAuthMiddleware(None).guard,
        wsgi.EdgeAuthMiddleware(None).guard,
        app.wsgi_app.guard,
    ]
    assert {guard.scheme.header for guard in guards} == {"X-Proof"}
    assert app.wsgi_app.guard.exempt == ("GET /healthz",)


def test_a_file_that_an_argument_names_stands_for_the_one_of_the_variable(tmp_path):
    named, of_variable = tmp_path / "named.toml", tmp_path / "absent.toml"
    named.write_text("max_age = 30\n")
    settings = Settings.load(named, {"EDGEAUTH_CONFIG": str(of_variable)})
    assert values(settings, "max_age") == (30,)


def test_a_file_that_a_variable_names_and_nobody_can_read_is_an_error(tmp_path):
    environ = {"EDGEAUTH_CONFIG": str(tmp_path / "absent.toml")}
    with pytest.raises(ConfigurationError, match=r"absent.toml' cannot be read"):
        Settings.from_environ(environ)


def test_a_variable_like_that_of_the_file_is_unknown():
    with pytest.raises(ConfigurationError, match="EDGEAUTH_CONFIGS"):
        Settings.from_environ({"EDGEAUTH_CONFIGS": "x"})


SECRETS = ("secret", "pass_secret")


@pytest.mark.parametrize("name", [n for n in Settings.__dataclass_fields__ if n not in SECRETS])
def test_an_empty_variable_is_one_that_is_not_set(name, tmp_path):
    """Compose writes ``EDGEAUTH_POPS: ${POPS:-}`` so."""
    file = tmp_path / "edgeauth.toml"
    file.write_text("max_age = 30\n")
    empty = {f"EDGEAUTH_{name.upper()}": "", "EDGEAUTH_CONFIG": ""}
    assert Settings.from_environ(empty) == Settings()
    assert values(Settings.load(file, empty), "max_age") == (30,)


@pytest.mark.parametrize("name", SECRETS)
def test_an_empty_secret_is_an_error_and_not_one_that_is_not_set(name):
    with pytest.raises(ConfigurationError, match=f"EDGEAUTH_{name.upper()} is empty"):
        Settings.from_environ({f"EDGEAUTH_{name.upper()}": ""})


def test_an_empty_variable_of_an_unknown_name_is_an_error():
    with pytest.raises(ConfigurationError, match="EDGEAUTH_SECRETS"):
        Settings.from_environ({"EDGEAUTH_SECRETS": ""})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"pops": ["LHR"]}, "pops"),
        ({"max_age": 30}, "max_age"),
        ({"max_age": 60}, "max_age"),
        ({"max_future": 0}, "max_future"),
        ({"require_pop": True}, "require_pop"),
    ],
)
def test_an_option_that_the_scheme_would_ignore_is_an_error(options, told):
    mapping = {"secret": SECRET, "scheme": "shared-secret", **options}
    variables = {
        f"EDGEAUTH_{name.upper()}": value if isinstance(value, str) else "5"
        for name, value in mapping.items()
    }
    for read, label in (
        (lambda: Settings(**mapping), told),
        (lambda: Settings.from_mapping(mapping), told),
        (lambda: Settings.from_mapping({"schemes": [mapping]}), f"schemes, table 1: {told}"),
        (lambda: Settings.from_environ(variables), f"EDGEAUTH_{told.upper()}"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            read()
        told_of = f"{label} is set, and the scheme 'shared-secret' has no {told}: leave "
        assert str(caught.value).startswith(told_of)
        remedy = str(caught.value).rpartition(" out, or set scheme to ")[2].split(" or ")
        assert remedy == [
            repr(kind)
            for kind in built_in_kinds()
            if told in {option.name for option in scheme_class(kind).OPTIONS}
        ]


def test_an_option_of_another_kind_may_be_an_empty_variable():
    environ = {"EDGEAUTH_SECRET": SECRET, "EDGEAUTH_SCHEME": "shared-secret", "EDGEAUTH_POPS": ""}
    assert Settings.from_environ(environ).schemes[0].kind == "shared-secret"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"watch_interval": 0}, "watch_interval is 0; write 0.01 to 3600 seconds"),
        ({"watch_interval": 3601}, "write 0.01 to 3600 seconds"),
        ({"watch_interval": True}, "write 0.01 to 3600 seconds"),
        ({"addresses_stale_days": 0}, "addresses_stale_days is 0; write 1 to 3650 days"),
        ({"max_age": -1}, "max_age must be 0 seconds or more"),
        ({"max_future": -5, "scheme": "edge-auth"}, "max_future must be 0 seconds or more"),
    ],
)
def test_a_number_out_of_its_range_is_refused_wherever_settings_are_made(options, told):
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        Settings(**options)
    if True not in options.values():
        with pytest.raises(ConfigurationError, match=re.escape(told)):
            Settings.from_mapping(options)
        variables = {f"EDGEAUTH_{name.upper()}": str(value) for name, value in options.items()}
        with pytest.raises(ConfigurationError, match=re.escape(told)):
            Settings().with_environ(variables)


def test_the_environment_wins_over_a_mapping():
    settings = Settings.from_mapping({"secret": SECRET, "max_age": 30})
    settings = settings.with_environ({"EDGEAUTH_MAX_AGE": "20"})
    assert values(settings, "secret", "max_age") == (SECRET, 20)


def test_without_a_file_the_environment_is_all(monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    assert values(Settings.load(), "secret") == (SECRET,)


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
    assert (repr(str(file)) in str(caught.value)) is ("unknown" not in why)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"absent.toml' cannot be read: No such file"):
        Settings.from_toml(tmp_path / "absent.toml")


def test_one_secret_makes_a_ring_of_one_key_named_default():
    assert [key.id for key in Settings(secret=SECRET).only_scheme().build_keys()] == ["default"]


def test_a_directory_of_secrets_makes_a_ring_of_its_files(tmp_path):
    (tmp_path / "2025").write_text(OLDER_SECRET)
    (tmp_path / "2026").write_text(SECRET)
    assert [key.id for key in Settings(secrets_dir=str(tmp_path)).only_scheme().build_keys()] == [
        "2025",
        "2026",
    ]


def test_a_secrets_file_makes_a_ring_of_its_keys(tmp_path):
    file = tmp_path / "secrets"
    file.write_text(f"2025:{OLDER_SECRET}\n2026:{SECRET}\n")
    assert [key.id for key in Settings(secrets_file=str(file)).only_scheme().build_keys()] == [
        "2025",
        "2026",
    ]


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


@pytest.mark.parametrize("kind", ["secret", "secrets_file", "secrets_dir"])
def test_a_secret_that_everybody_knows_makes_no_keys_and_is_not_shown(tmp_path, kind):
    known = "some-pre-shared-secret"
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "2026").write_text(known)
    (tmp_path / "file").write_text(f"2025:{SECRET}\n2026:{known}\n")
    value = {"secret": known, "secrets_file": tmp_path / "file", "secrets_dir": tmp_path / "keys"}
    settings = Settings.from_mapping({kind: value[kind]})
    key_id = "default" if kind == "secret" else "2026"
    for build in (settings.only_scheme().build_keys, settings.build_scheme):
        with pytest.raises(ConfigurationError, match=f"key '{key_id}' is no secret") as caught:
            build()
        assert known not in str(caught.value)
    # To sign with it, and to explain a value that it signed, lets nobody in.
    assert known.encode() in [key.secret for key in settings.only_scheme().read_keys()]


@pytest.mark.parametrize("name", ["pass_secret", "pass_secret_file"])
def test_a_pass_secret_that_everybody_knows_is_refused(tmp_path, name):
    (tmp_path / "pass").write_text("changemechangeme")
    value = {"pass_secret": "changemechangeme", "pass_secret_file": tmp_path / "pass"}[name]
    with pytest.raises(ConfigurationError, match=f"^{name} is no secret: ") as caught:
        Settings.from_mapping({name: value}).build_passes()
    assert "changeme" not in str(caught.value)


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


def test_settings_have_no_attribute_of_another_name():
    with pytest.raises(AttributeError, match="colour"):
        _ = Settings().colour


@pytest.mark.parametrize("given", [None, [], "secret", [("secret", SECRET)]])
def test_what_is_no_mapping_is_refused_and_not_shown(given):
    told = f"^the settings are a {type(given).__name__}; write a mapping of names to values$"
    with pytest.raises(ConfigurationError, match=told) as caught:
        Settings.from_mapping(given)
    assert SECRET not in str(caught.value)


def test_what_variables_set_of_the_decision_service_is_no_setting_of_a_guard():
    assert Settings.from_environ({"EDGEAUTH_SERVICE_WORKERS": "2"}) == Settings()
    with pytest.raises(ConfigurationError, match="EDGEAUTH_SERVICES"):
        Settings.from_environ({"EDGEAUTH_SERVICES": "2"})


def test_variables_that_set_something_are_named():
    environ = {"EDGEAUTH_MAX_AGE": "9", "EDGEAUTH_POPS": "", "EDGEAUTH_CONFIG": "x", "PATH": "/"}
    assert named_by_variables(environ) == {"max_age"}


def test_what_no_scheme_has_is_no_attribute_of_settings():
    with pytest.raises(AttributeError, match="colour"):
        Settings(secret=SECRET).colour  # noqa: B018 - reading it is the test
    # As while a copy is made, when no field is there yet.
    with pytest.raises(AttributeError, match="schemes"):
        object.__new__(Settings).schemes  # noqa: B018

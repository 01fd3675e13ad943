"""Several schemes in the settings: ``[[schemes]]``."""

from __future__ import annotations

import dataclasses
import pickle

import pytest
from support.requests import PlainRequest
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import (
    AnyOf,
    ConfigurationError,
    EdgeAuthScheme,
    Guard,
    Passes,
    SchemeSettings,
    Settings,
    SharedSecretScheme,
    sign,
)
from edgeauth.clients.signer import Signer
from edgeauth.flask import EdgeAuth
from edgeauth.ops.shown import shown_settings

NOW = 1_700_000_000
SIGNED = {"secret": SECRET, "pops": ["LHR"], "max_age": 30}
SENT = {"scheme": "shared-secret", "secret": OLDER_SECRET, "header": "X-Proof"}
BOTH = {"schemes": [SIGNED, SENT]}

TOML = f"""
exempt = ["GET /healthz"]

[[schemes]]
secret = "{SECRET}"
pops = ["LHR"]
max_age = 30

[[schemes]]
scheme = "shared-secret"
secret = "{OLDER_SECRET}"
header = "X-Proof"

[service]
workers = 2
"""


@pytest.fixture
def file(tmp_path):
    found = tmp_path / "edgeauth.toml"
    found.write_text(TOML)
    return found


def test_a_file_and_a_mapping_say_the_same(file):
    settings = Settings.from_toml(file)
    assert settings == Settings.from_mapping({**BOTH, "exempt": ["GET /healthz"]})
    assert [scheme.kind for scheme in settings.schemes] == ["edge-auth", "shared-secret"]
    assert settings.schemes[0].options["pops"] == ("LHR",)
    assert settings.schemes[0].options["max_future"] == 5
    assert settings.schemes[1].options == {"header": "X-Proof"}
    assert settings.exempt == ("GET /healthz",)


def test_each_makes_a_scheme_with_its_own_secrets_and_options(tmp_path):
    (tmp_path / "keys").write_text(f"2025:{OLDER_SECRET}\n2026:{SECRET}\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "one").write_text(OLDER_SECRET)
    settings = Settings.from_mapping(
        {
            "schemes": [
                {"secrets_file": tmp_path / "keys", "max_age": 9},
                {"scheme": "shared-secret", "secrets_dir": tmp_path / "folder"},
            ]
        }
    )
    either = settings.build_scheme()
    assert isinstance(either, AnyOf)
    signed, sent = either.schemes
    assert isinstance(signed, EdgeAuthScheme)
    assert isinstance(sent, SharedSecretScheme)
    assert [key.id for key in signed.keys] == ["2025", "2026"]
    assert signed.max_age == 9
    assert [key.id for key in sent.keys] == ["one"]
    rings = [scheme.build_keys() for scheme in settings.schemes]
    assert [one.keys for one in settings.build_scheme(rings).schemes] == rings


def test_a_guard_accepts_what_any_of_them_accepts():
    guard = Guard.from_settings(BOTH)
    value = sign(SECRET, pop="LHR", timestamp=NOW).encode()
    for field, scheme in (
        (("Edge-Auth", value), "edge-auth"),
        (("X-Proof", OLDER_SECRET.encode()), "shared-secret"),
    ):
        verdict = guard.check(PlainRequest(fields=[field]), now=NOW)
        assert (verdict.reason, verdict.identity.scheme) == ("ok", scheme)
    assert set(guard.stripped_headers) == {"Edge-Auth", "X-Proof"}
    swapped = [("X-Proof", value), ("Edge-Auth", OLDER_SECRET.encode())]
    assert not guard.check(PlainRequest(fields=swapped), now=NOW)


def test_one_table_is_the_same_as_flat_settings():
    assert Settings.from_mapping({"schemes": [SENT]}) == Settings.from_mapping(SENT)
    assert isinstance(Settings.from_mapping({"schemes": [SENT]}).build_scheme(), SharedSecretScheme)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("edge-auth", "schemes is no list of tables, or empty; write each scheme as a table"),
        ([], "schemes is no list of tables"),
        (None, "schemes is no list of tables"),
        (SIGNED, "schemes is no list of tables"),
        ([SIGNED, "edge-auth"], "schemes, table 2 is no table"),
        ([SIGNED, {"max_agee": 1}], "schemes, table 2: unknown setting 'max_agee': did you mean"),
        ([{"exempt": ["GET /"]}], "schemes, table 1: unknown setting 'exempt'"),
        ([{"schemes": [SIGNED]}], "schemes, table 1: unknown setting 'schemes'"),
        ([{"scheme": "hmac"}], "schemes, table 1: scheme is 'hmac'; write 'edge-auth' or"),
        ([{"scheme": "any-of"}], "schemes, table 1: scheme is 'any-of': to accept any of several"),
        ([{"max_age": -1}], "schemes, table 1: max_age must be 0 seconds or more"),
        ([SIGNED, {"max_age": "soon"}], "schemes, table 2: max_age is 'soon'; write a number"),
        (
            [{**SENT, "pops": ["LHR"]}],
            "table 1: pops is set, and the scheme 'shared-secret' has no",
        ),
        ([{"secret": ""}], "schemes, table 1: secret is empty"),
        ([{1: 2}], "schemes, table 1: unknown setting 1"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_by_its_place_and_no_secret_is_shown(value, why):
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_mapping({"schemes": value})
    assert why in str(caught.value)
    assert SECRET not in str(caught.value)
    assert OLDER_SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["secret", "secrets_dir", "scheme", "header", "max_age", "pops"])
def test_flat_settings_beside_them_are_an_error_that_says_so(file, name):
    value = "30" if name == "max_age" else "x"
    told = "describes the scheme where there is one, and here each has a table [[schemes]]: write"
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_mapping({**BOTH, name: value})
    assert str(caught.value) == f"{name} {told} {name} into its table"
    variable = {f"EDGEAUTH_{name.upper()}": value}
    for read in (
        lambda: Settings.load(file, variable),
        lambda: Settings.from_environ({**variable, "EDGEAUTH_CONFIG": str(file)}),
        lambda: Settings.load(None, variable, beneath=BOTH),
        lambda: Settings.from_mapping(BOTH).with_environ(variable),
        lambda: Settings.from_mapping({name: value} if name != "scheme" else SENT).with_environ(
            {"EDGEAUTH_CONFIG": str(file)}
        ),
    ):
        with pytest.raises(ConfigurationError, match="describes the scheme where there is one"):
            read()
    with pytest.raises(ConfigurationError, match="describes one scheme, and schemes describes"):
        Settings(schemes=Settings.from_mapping(BOTH).schemes, **{name: value})


def test_variables_set_what_is_no_scheme_beside_them(file):
    settings = Settings.load(file, {"EDGEAUTH_MODE": "report-only", "EDGEAUTH_MAX_AGE": ""})
    assert settings.mode == "report-only"
    assert settings.schemes == Settings.from_toml(file).schemes
    above = Settings.from_mapping(BOTH).with_environ({"EDGEAUTH_MODE": "report-only"})
    assert (above.mode, above.schemes) == ("report-only", settings.schemes)


def test_a_variable_cannot_hold_them_and_an_empty_secret_is_an_error(file):
    with pytest.raises(ConfigurationError, match="EDGEAUTH_SCHEMES cannot be a variable") as caught:
        Settings.from_environ({"EDGEAUTH_SCHEMES": SECRET})
    assert SECRET not in str(caught.value)
    assert Settings.from_environ({"EDGEAUTH_SCHEMES": ""}) == Settings()
    with pytest.raises(ConfigurationError, match="EDGEAUTH_SECRET describes the scheme where"):
        Settings.load(file, {"EDGEAUTH_SECRET": ""})
    with pytest.raises(ConfigurationError, match="EDGEAUTH_SCHEMES is no list of tables"):
        Settings.load(file, {"EDGEAUTH_SCHEMES": SECRET})


def test_the_file_of_a_variable_wins_over_those_of_a_mapping(file):
    table = {"schemes": [SENT, SIGNED, SENT]}
    environ = {"EDGEAUTH_CONFIG": str(file)}
    assert len(Settings.load(None, environ, beneath=table).schemes) == 2
    assert len(Settings.from_mapping(table).with_environ(environ).schemes) == 2


def test_flask_reads_them_from_its_configuration(monkeypatch):
    from flask import Flask  # noqa: PLC0415

    monkeypatch.setenv("EDGEAUTH_MODE", "report-only")
    app = Flask("shop")
    app.config["EDGEAUTH"] = BOTH
    EdgeAuth(app)
    assert isinstance(app.wsgi_app.guard.scheme, AnyOf)
    assert app.wsgi_app.guard.mode == "report-only"


@pytest.mark.parametrize(("place", "secret"), [(0, SECRET), (1, OLDER_SECRET)])
def test_no_secret_of_a_scheme_signs_passes_too(place, secret):
    settings = Settings.from_mapping({**BOTH, "pass_secret": secret})
    rings = [scheme.build_keys() for scheme in settings.schemes]
    for keys in (None, rings, rings[place]):
        with pytest.raises(ConfigurationError, match="also a secret of the edge"):
            settings.build_passes(keys)
    assert isinstance(settings.build_passes(rings[1 - place]), Passes)


def test_a_secret_of_either_that_everybody_knows_is_refused():
    for place in (0, 1):
        tables = [dict(SIGNED), dict(SENT)]
        tables[place]["secret"] = "some-pre-shared-secret"
        with pytest.raises(ConfigurationError, match="the secret of key 'default' is no secret"):
            Guard.from_settings({"schemes": tables})


def test_what_needs_one_scheme_says_so():
    settings = Settings.from_mapping(BOTH)
    for ask in (
        settings.only_scheme,
        lambda: settings.with_secrets(secret=SECRET),
        lambda: settings.with_kind("edge-auth"),
    ):
        with pytest.raises(ConfigurationError, match="there are 2 schemes, and this needs"):
            ask()


def test_the_secrets_and_the_kind_of_one_scheme_can_be_changed():
    settings = Settings(secrets_file="/s", header="X-Proof", exempt=("GET /a",))
    changed = settings.with_secrets(secret=SECRET).with_kind("shared-secret")
    assert changed == Settings(
        secret=SECRET, header="X-Proof", scheme="shared-secret", exempt=("GET /a",)
    )
    with pytest.raises(ConfigurationError, match="max_age is set, and the scheme 'shared-secret'"):
        Settings(max_age=60).with_kind("shared-secret")


@pytest.mark.parametrize(
    ("tables", "has"),
    [([SIGNED, SENT], True), ([SIGNED, {"scheme": "shared-secret"}], False), ([{}], False)],
)
def test_each_scheme_needs_a_secret(tables, has):
    settings = Settings.from_mapping({"schemes": tables})
    assert settings.has_secret is has
    if not has:
        with pytest.raises(ConfigurationError, match="no secret"):
            settings.build_scheme()


def test_they_are_shown_by_their_places_and_secrets_are_marked():
    shown = {one.name: one for one in shown_settings(Settings.from_mapping(BOTH))}
    assert shown["schemes[0].max_age"].value == 30
    assert shown["schemes[1].scheme"].value == "shared-secret"
    assert shown["schemes[1].secret"].option.secret
    assert "schemes[1].max_age" not in shown
    assert "exempt" in shown


def test_they_keep_no_secret_in_their_repr_and_can_be_pickled_hashed_and_not_changed():
    settings = Settings.from_mapping(BOTH)
    assert SECRET not in repr(settings)
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own
    assert hash(settings) == hash(Settings.from_mapping(BOTH))
    with pytest.raises(TypeError):
        settings.schemes[0].options["max_age"] = 9
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.schemes[0].kind = "shared-secret"


def test_a_default_that_is_written_down_is_the_default():
    assert SchemeSettings(given={"max_age": 60}) == SchemeSettings()
    assert Settings(max_age=60) == Settings()


def test_of_several_the_first_signs_for_clients():
    first = Signer.from_settings(Settings.from_mapping({"schemes": [SENT, SIGNED]}))
    assert dict(first.fields()) == {"X-Proof": OLDER_SECRET}
    other = Signer.from_settings(Settings.from_mapping(BOTH), pop="LHR")
    assert (other.header, *other.headers) == ("Edge-Auth", "Edge-Auth")


def test_a_kind_without_keys_has_none_to_sign_with():
    settings = Settings.from_mapping(
        {
            "scheme": "azure-front-door",
            "front_door_ids": ["0d5a7a3c-1e2f-4b6d-8c9a-0b1c2d3e4f50"],
            "addresses": "fastly",
        }
    )
    with pytest.raises(ConfigurationError, match="no keys of its own"):
        settings.only_scheme().read_keys()

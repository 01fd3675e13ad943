"""The name of a CDN sets the others, and each of them wins over it."""

from __future__ import annotations

from copy import copy, deepcopy

import pytest
from click.testing import CliRunner

from edgeauth import AddressList, ConfigurationError, Guard, SchemeSettings, Settings, kinds
from edgeauth.ops.cli import main
from edgeauth.ops.cli.probe import of_the_edge
from edgeauth.ops.doctor.cdn_checks import check_cdn
from edgeauth.ops.probe.rows import rows
from edgeauth.ops.schemes import tools_of
from edgeauth.ops.schemes.probe_rows import Plan
from edgeauth.schemes.registry import scheme_class
from edgeauth.settings import CDNS

SECRET = "Dw0zXhVhmEGc3LAbrYnJ"
ID = "0a1b2c3d-1111-4000-8000-0123456789ab"
# What no preset can know.
NEEDED = {"google": {"region": "auto"}}
BUILT = [name for name, cdn in CDNS.items() if cdn.kind in kinds()]


@pytest.mark.parametrize("name", BUILT)
def test_the_name_sets_scheme_options_and_addresses(name):
    needed = NEEDED.get(name, {})
    settings = Settings.from_mapping({"cdn": name, **needed})

    [scheme] = settings.schemes
    assert (scheme.cdn, scheme.kind) == (name, CDNS[name].kind)
    assert settings.addresses == CDNS[name].addresses
    for option, value in CDNS[name].options.items():
        assert scheme.options[option] == value
    assert Settings(cdn=name, **needed) == settings
    variables = {f"EDGEAUTH_{one.upper()}": value for one, value in needed.items()}
    assert Settings.from_environ({"EDGEAUTH_CDN": name, **variables}) == settings
    assert SchemeSettings(cdn=name, given=needed) == scheme
    assert copy(scheme).cdn == deepcopy(scheme).cdn == name


@pytest.mark.parametrize("name", BUILT)
def test_every_option_of_a_preset_is_one_of_the_scheme(name):
    known = {option.name for option in scheme_class(CDNS[name].kind).OPTIONS}

    assert CDNS[name].options.keys() <= known
    assert tools_of(CDNS[name].kind).explain is not None


@pytest.mark.parametrize("name", CDNS)
def test_no_preset_brings_a_secret_or_lets_more_in(name):
    # What a name in a manual sets is known to everybody.
    assert not {"secret", "secrets_file", "exempt", "mode"} & CDNS[name].options.keys()
    if CDNS[name].kind in kinds():
        with pytest.raises(ConfigurationError):
            Guard.from_settings({"cdn": name})


def test_each_setting_wins():
    given = {
        "cdn": "fastly",
        "scheme": "shared-secret",
        "header": "X-Key",
        "addresses": "off",
    }
    settings = Settings.from_mapping(given)

    assert settings.schemes[0].kind == "shared-secret"
    assert settings.schemes[0].options == {"header": "X-Key"}
    assert settings.addresses is None
    # An empty variable sets nothing.
    assert Settings.from_environ({"EDGEAUTH_CDN": "fastly", "EDGEAUTH_SCHEME": ""}).addresses


def test_what_a_mapping_wins_over_the_cdn_the_environment_does_not_lose():
    mapping = Settings.from_mapping({"cdn": "fastly", "addresses": "off", "max_age": 9})

    seen = mapping.with_environ({})

    assert (seen.addresses, seen.schemes[0].options["max_age"]) == (None, 9)
    assert seen.schemes[0].cdn == "fastly"
    other = Settings.from_mapping({"cdn": "fastly"}).with_environ({"EDGEAUTH_CDN": "bunny"})
    assert (other.addresses, other.schemes[0].kind) == (None, "shared-secret")


def test_a_table_of_several_schemes_has_a_cdn_of_its_own():
    settings = Settings.from_mapping(
        {"schemes": [{"cdn": "fastly", "secret": SECRET}, {"cdn": "bunny", "secret": SECRET[::-1]}]}
    )

    assert [one.kind for one in settings.schemes] == ["edge-auth", "shared-secret"]
    # Of two CDNs the addresses are those of both: no list has them.
    assert settings.addresses is None
    with pytest.raises(ConfigurationError, match="write cdn into its table"):
        Settings.from_mapping({"cdn": "fastly", "schemes": [{"secret": SECRET}]})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("fasty", "write 'fastly'$"),
        ("cloudfron", "write 'cloudfront'$"),
        ("x", "'fastly' or 'cloudflare' or"),
        (7, "is 7"),
        ([], "is "),
    ],
)
def test_an_unknown_name_is_an_error(value, said):
    with pytest.raises(ConfigurationError, match=said):
        Settings.from_mapping({"cdn": value})


def test_front_door_needs_ids_and_addresses_whoever_named_it():
    with pytest.raises(ConfigurationError, match="without an address list"):
        Guard.from_settings({"cdn": "azure-front-door", "front_door_ids": [ID]})
    with pytest.raises(ConfigurationError, match="no list of azure-front-door comes with"):
        Guard.from_settings(
            {"cdn": "azure-front-door", "front_door_ids": [ID], "addresses": "azure-front-door"}
        )


def test_check_config_says_that_a_value_is_the_cdns(monkeypatch):
    monkeypatch.setenv("EDGEAUTH_CDN", "fastly")
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    monkeypatch.setenv("EDGEAUTH_MAX_AGE", "30")

    lines = [
        line.split() for line in CliRunner().invoke(main, ["check-config"]).output.splitlines()
    ]
    told = {line[0]: line[1:] for line in lines if line}

    assert told["cdn"] == ["fastly", "environment"]
    assert told["scheme"] == ["edge-auth", "cdn", "fastly"]
    assert told["addresses"][:3] != []
    assert ["addresses", "fastly", "cdn", "fastly"] in lines
    assert told["max_age"] == ["30", "environment"]
    assert told["max_future"] == ["5", "default"]


def test_check_config_says_it_of_a_table_too(tmp_path):
    file = tmp_path / "edgeauth.toml"
    file.write_text(
        f'[[schemes]]\ncdn = "fastly"\nsecret = "{SECRET}"\n\n'
        f'[[schemes]]\nscheme = "shared-secret"\nheader = "X-Key"\nsecret = "{SECRET[::-1]}"\n'
    )

    lines = [
        line.split()
        for line in CliRunner()
        .invoke(main, ["check-config", "--config", str(file)])
        .output.splitlines()
    ]

    assert ["schemes[0].scheme", "edge-auth", "cdn", "fastly"] in lines
    assert ["schemes[1].scheme", "shared-secret", "file"] in lines
    assert ["addresses", "-", "default"] in lines


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"cdn": "fastly"}, []),
        ({}, []),
        ({"cdn": "fastly", "scheme": "message-signatures"}, []),
        ({"cdn": "azure-front-door", "scheme": "edge-auth"}, ["cdn-other-scheme"]),
        ({"cdn": "bunny", "addresses": "fastly"}, ["cdn-other-addresses"]),
        ({"addresses": "fastly"}, []),
        (
            {"schemes": [{"cdn": "fastly"}, {"cdn": "bunny"}], "addresses": "fastly"},
            [],
        ),
    ],
)
def test_the_doctor_says_what_does_not_fit(given, found):
    assert [one.id for one in check_cdn(Settings.from_mapping(given))] == found


@pytest.mark.parametrize("name", CDNS)
def test_the_probe_sends_what_servers_of_the_cdn_write(name, tmp_path):
    file = tmp_path / "edge.txt"
    file.write_text("198.51.100.7\n")
    table = {"cdn": name, "scheme": "edge-auth", "addresses": str(file)}

    told = of_the_edge(Settings.from_mapping(table))

    # A bare address is a network of one.
    assert told["edge"] == "198.51.100.7"
    assert told["marks"] == CDNS[name].marks
    plan = Plan("shop.example", "/", **told)
    rows_ = {row.id: row for row in rows(plan, [])}
    for field, value in CDNS[name].marks:
        assert f"{field}: {value}\r\n".encode() in rows_["spoofed-edge"].request(0)
    assert b"198.51.100.7" in rows_["spoofed-edge-address"].request(0)


def test_without_a_cdn_the_probe_takes_fastlys():
    told = of_the_edge(Settings())

    assert told["marks"] == CDNS["fastly"].marks
    assert told["edge"] in AddressList.fastly()

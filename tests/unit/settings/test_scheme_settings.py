"""The settings of one scheme: what they are, what they name, and what is made of them."""

from __future__ import annotations

import json
import re
from copy import copy

import pytest
from support.token_keys import ISSUER, jwks
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import ConfigurationError, SchemeSettings, Settings
from edgeauth.settings.reading import SEVERAL
from edgeauth.settings.scheme import SCHEME_OPTIONS, make_scheme

TOKEN = {"header": "X-Token", "algorithm": "EdDSA", "issuer": ISSUER}
IDS = {"front_door_ids": ["0a1b2c3d-1111-4000-8000-0123456789ab"]}
PUBLIC = "ed25519:gwQo5YikKUwUGJMncUcIMRr6fvkuYqdUa3kTJVqaHs0="


def of_tokens(**options):
    return SchemeSettings("signed-token", given={**TOKEN, **options})


def test_nothing_is_set_of_settings_that_nobody_made():
    settings = SchemeSettings()

    assert (settings.kind, settings.cdn, settings.named_secrets) == ("edge-auth", None, [])
    assert (settings.secret, settings.secrets_file, settings.secrets_dir) == (None, None, None)
    assert (settings.given, settings.written()) == ({}, {})
    assert settings == make_scheme({})
    assert not hasattr(settings, "__dict__")


def test_what_was_given_is_kept_as_it_was_and_out_of_sight():
    given = {"header": "X-Proof"}
    settings = SchemeSettings("shared-secret", given=given)

    given["header"] = "X-Other"

    assert settings.given == {"header": "X-Proof"}
    assert "X-Proof" not in repr(settings)
    with pytest.raises(TypeError):
        settings.given["header"] = "X-Other"
    assert copy(settings) == settings
    assert copy(settings).given == settings.given


def test_who_named_a_default_makes_no_difference():
    assert SchemeSettings(cdn="fastly") == SchemeSettings("edge-auth", given={"max_age": 60})
    assert hash(SchemeSettings(cdn="fastly")) == hash(SchemeSettings())
    assert make_scheme({"cdn": "bunny"}) == SchemeSettings("shared-secret")


def test_what_differs_from_the_defaults_is_what_was_written():
    written = {"secret": SECRET, "cdn": "fastly", "scheme": "shared-secret", "header": "X-Proof"}

    assert make_scheme(written).written() == written
    assert make_scheme({"cdn": "bunny", "scheme": "shared-secret"}).written() == {"cdn": "bunny"}
    assert make_scheme({"cdn": "bunny", "scheme": "edge-auth"}).written() == {
        "cdn": "bunny",
        "scheme": "edge-auth",
    }


def test_a_cdn_gives_its_defaults_to_its_own_kind_alone():
    own = make_scheme({"cdn": "netlify"})

    assert (own.kind, own.preset_options) == ("signed-token", {"preset": "netlify"})
    assert own.options["preset"] == "netlify"
    assert make_scheme({"cdn": "netlify", "preset": "google-iap"}).options["preset"] == "google-iap"
    assert make_scheme({"cdn": "netlify", "scheme": "shared-secret"}).preset_options == {}
    assert SchemeSettings().preset_options == {}


@pytest.mark.parametrize(
    ("settings", "needs"),
    [
        (SchemeSettings(), True),
        (of_tokens(algorithm="HS256"), True),
        (of_tokens(jwks=jwks("EdDSA")), False),
        (SchemeSettings("azure-front-door", given=IDS), False),
    ],
)
def test_whether_keys_are_needed_is_said_by_the_kind_and_its_options(settings, needs):
    assert settings.needs_keys is needs
    assert settings.has_secret is not needs


@pytest.mark.parametrize("name", ["secret", "secrets_file", "secrets_dir"])
def test_a_secret_that_nobody_needs_is_refused(name):
    settings = SchemeSettings("azure-front-door", given=IDS, **{name: SECRET})

    assert settings.has_secret
    told = (
        f"{name} is set, and the scheme 'azure-front-door' of these settings has no use for it: "
        f"leave {name} out"
    )
    for build in (settings.build_keys, settings.build_scheme):
        with pytest.raises(ConfigurationError, match=f"^{told}$"):
            build()


def test_the_files_of_options_are_named_and_read_by_the_option(tmp_path):
    file = tmp_path / "jwks"
    file.write_text(json.dumps(jwks("EdDSA", "one", "two")))
    settings = of_tokens(jwks=str(file))
    inline = of_tokens(jwks=jwks("EdDSA"))

    assert settings.files == {"jwks": str(file)}
    read = settings.read_files()
    assert settings.file_of("jwks").describe(read["jwks"]) == "the keys one, two"
    assert (inline.files, inline.read_files()) == ({}, {})
    assert SchemeSettings().files == {}
    with pytest.raises(ConfigurationError, match=r"^jwks '/absent' cannot be read"):
        of_tokens(jwks="/absent").read_files()


def test_each_value_is_found_by_the_name_of_its_setting():
    settings = make_scheme({"secret": SECRET, "cdn": "bunny", "header": "X-Proof"})

    found = {
        name: settings.value(name) for name in ("secret", "secrets_dir", "cdn", "scheme", "header")
    }
    assert found == {
        "secret": SECRET,
        "secrets_dir": None,
        "cdn": "bunny",
        "scheme": "shared-secret",
        "header": "X-Proof",
    }


@pytest.mark.parametrize("kind", ["edge-auth", "shared-secret"])
def test_a_public_key_is_refused_by_the_name_of_a_kind_that_compares_secrets(kind):
    settings = SchemeSettings(kind, secret=PUBLIC)

    with pytest.raises(ConfigurationError, match=f"the scheme '{kind}' compares with a secret"):
        settings.build_scheme()


def test_a_public_key_verifies_where_the_kind_has_a_use_for_it():
    scheme = SchemeSettings("message-signatures", secret=PUBLIC).build_scheme()

    assert [key.id for key in scheme.keys] == ["default"]


def test_an_option_of_no_kind_at_all_has_no_remedy_but_to_leave_it_out():
    with pytest.raises(ConfigurationError) as caught:
        SchemeSettings(given={"colour": 1})
    assert str(caught.value) == (
        "colour is set, and the scheme 'edge-auth' has no colour: leave colour out"
    )


@pytest.mark.parametrize("option", SCHEME_OPTIONS, ids=lambda option: option.name)
def test_what_every_scheme_has_is_documented_and_has_its_default(option):
    assert option.doc.isprintable()
    assert len(option.doc) > 5
    assert option.default == ("edge-auth" if option.name == "scheme" else None)
    assert option.secret is (option.name == "secret")


def test_tables_of_schemes_are_an_option_of_their_own():
    (option,) = SEVERAL.values()
    assert (option.name, option.default, [*SEVERAL]) == ("schemes", (), ["schemes"])
    assert option.doc.isprintable()
    assert len(option.doc) > 5


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("EDGEAUTH_SCHEME", "EDGEAUTH_SCHEME is 'x'; write 'edge-auth' or"),
        ("EDGEAUTH_CDN", "EDGEAUTH_CDN is 'x'; write 'fastly' or"),
    ],
)
def test_a_kind_and_a_cdn_that_there_are_not_are_named_as_they_were_written(variable, told):
    with pytest.raises(ConfigurationError, match=f"^{re.escape(told)}"):
        Settings.from_environ({variable: "x"})


def test_a_setting_that_there_is_not_is_that_beside_tables_of_schemes_too():
    with pytest.raises(ConfigurationError, match=r"^unknown setting 'colour'"):
        Settings.from_mapping({"schemes": [{"secret": OLDER_SECRET}], "colour": 1})

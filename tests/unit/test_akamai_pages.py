"""What docs/schemes/akamai-g2o.md says of the scheme, and what is printed for a property."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import hcl2
import pytest
from support.requests import PlainRequest
from support.snippets import snippet

from edgeauth import Key, Settings
from edgeauth.reasons import REASONS
from edgeauth.schemes.akamai_g2o import AkamaiG2OScheme
from edgeauth.schemes.akamai_g2o.sign_string import PARTS, covers

PAGE = (Path(__file__).parents[2] / "docs" / "schemes" / "akamai-g2o.md").read_text("utf-8")
SETTINGS = {"EDGEAUTH_SCHEME": "akamai-g2o", "EDGEAUTH_SECRET": "kV3x9Qw7ZtB2mN8rLp4sHd6yUc1aFg5e"}


def test_the_settings_of_the_page_are_read():
    first, second = (
        Settings.from_mapping(tomllib.loads(block))
        for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    )
    assert first.schemes[0].kind == second.schemes[0].kind == "akamai-g2o"
    assert second.schemes[0].options["sign_string"] == ("AK_METHOD", "AK_HOSTHEADER", "AK_URL")


def test_the_table_has_every_setting_and_its_default():
    (table,) = re.findall(r"\| setting \| default.*?\n\n", PAGE, re.DOTALL)
    told = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]+)`? \|", table, re.MULTILINE))
    for option in AkamaiG2OScheme.OPTIONS:
        default = option.default
        if isinstance(default, tuple):
            default = ", ".join(map(str, default))
        assert told.pop(option.name).strip() == ("none" if default is None else str(default))
    assert told == {}


def test_the_table_of_parts_says_what_each_counts_as():
    told = dict(re.findall(r"^\| `(AK_\w+)` \|.*\| ([^|]*)\|$", PAGE, re.MULTILINE))
    assert list(told) == list(PARTS)
    for name, words in told.items():
        assert set(re.findall(r"`(\w+)`", words)) == covers([name])


def test_the_two_fields_of_the_page_are_right():
    fields = re.findall(r"^    (X-Akamai-[\w-]+): (.*)$", PAGE, re.MULTILINE)
    request = PlainRequest(
        target=b"/products?page=2", fields=[(name, value.encode()) for name, value in fields]
    )
    key = Key("akamai-1", "a-secret-that-property-and-origin-share")
    assert AkamaiG2OScheme([key]).verify(request, now=1_760_000_000).key_id == "akamai-1"


def test_each_reason_of_the_page_is_one():
    (table,) = re.findall(r"\| reason \| when \|.*?\n\n", PAGE, re.DOTALL)
    named = {
        word
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for word in re.findall(r"`([\w-]+)`", row)
    }
    assert named == {
        *("missing", "malformed", "bad-signature", "claims", "expired", "future", "replayed")
    }
    assert named <= set(REASONS)


def options_of(text):
    [local] = hcl2.loads(text)["locals"]
    return local


def test_the_property_that_is_printed_is_that_of_the_settings():
    local = options_of(snippet("akamai", **SETTINGS))
    assert local["g2o_version"] == 5
    assert local["g2o_string"] == []
    options = local["g2oheader"]["options"]
    assert options["dataHeader"].strip('"') == "X-Akamai-G2O-Auth-Data"

    local = options_of(
        snippet(
            "akamai",
            **SETTINGS,
            EDGEAUTH_VERSIONS="3,4",
            EDGEAUTH_DATA_HEADER="X-D",
            EDGEAUTH_SIGN_HEADER="X-S",
            EDGEAUTH_SIGN_STRING="AK_METHOD,AK_URL",
        )
    )
    assert local["g2o_version"] == 4
    assert [name.strip('"') for name in local["g2o_string"]] == ["AK_METHOD", "AK_URL"]
    options = local["g2oheader"]["options"]
    assert options["dataHeader"].strip('"') == "X-D"
    assert options["signedHeader"].strip('"') == "X-S"
    assert "secret" not in str(options["secretKey"]).replace("g2o_secret", "")


def test_a_name_that_would_need_quoting_is_not_printed():
    with pytest.raises(AssertionError, match="write letters, digits"):
        snippet("akamai", **SETTINGS, EDGEAUTH_DATA_HEADER="X-`id`")

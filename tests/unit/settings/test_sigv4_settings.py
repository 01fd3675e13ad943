"""AWS SigV4 by settings: what is read, and what is refused."""

from __future__ import annotations

import pytest

from edgeauth import ConfigurationError, SchemeSettings, Settings
from edgeauth.schemes.aws_sigv4 import AwsSigV4Scheme

SECRET = "kV3x9Qw7ZtB2mN8rLp4sHd6yUc1aFg5eJx0WvTqo"


def scheme_of(**settings):
    return Settings.from_mapping(
        {"scheme": "aws-sigv4", "secret": SECRET, **settings}
    ).build_scheme()


def test_the_settings_are_the_arguments():
    scheme = scheme_of(
        region="auto",
        service="storage",
        max_skew="60",
        presigned="yes",
        max_expires="3600",
        unsigned_payload=True,
        path_mode="generic",
    )
    assert (scheme.region, scheme.service, scheme.path_mode) == ("auto", "storage", "generic")
    assert (scheme.max_skew, scheme.max_expires) == (60, 3600)
    assert scheme.presigned
    assert scheme.unsigned_payload


def test_by_default_all_is_strict_but_the_region_has_no_default():
    scheme = scheme_of(region="us-east-1")
    assert (scheme.service, scheme.max_skew, scheme.path_mode) == ("s3", 900, "s3")
    assert not scheme.presigned
    assert not scheme.unsigned_payload
    with pytest.raises(ConfigurationError, match="region is not set"):
        scheme_of()


@pytest.mark.parametrize(
    "wrong",
    [
        {"region": "eu/central"},
        {"service": " "},
        {"max_skew": -1},
        {"max_skew": "soon"},
        {"max_expires": 0},
        {"max_expires": "604801"},
        {"max_expires": "1.5"},
        {"presigned": "maybe"},
        {"path_mode": "s4"},
    ],
)
def test_a_value_that_cannot_be_used_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        scheme_of(**{"region": "us-east-1", **wrong})


@pytest.mark.parametrize(
    "secret",
    ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"],
)
def test_the_secrets_of_amazons_documentation_are_refused(secret):
    with pytest.raises(ConfigurationError, match="printed in"):
        scheme_of(region="us-east-1", secret=secret)


def test_the_ids_of_a_file_are_access_key_ids(tmp_path):
    file = tmp_path / "keys"
    file.write_text(f"AKIA2026EXAMPLE: {SECRET}\n")
    scheme = Settings.from_mapping(
        {"scheme": "aws-sigv4", "secrets_file": str(file), "region": "us-east-1"}
    ).build_scheme()
    assert [key.id for key in scheme.keys] == ["AKIA2026EXAMPLE"]


def test_the_range_of_a_life_is_told():
    with pytest.raises(ConfigurationError, match="1 to 604800 seconds"):
        scheme_of(region="us-east-1", max_expires=0)


def test_each_option_has_a_word_of_what_it_means_and_its_default():
    assert {option.name: option.default for option in AwsSigV4Scheme.OPTIONS if option.doc} == {
        "region": None,
        "service": "s3",
        "max_skew": 900,
        "presigned": False,
        "max_expires": 604_800,
        "unsigned_payload": False,
        "path_mode": "s3",
    }


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("region", None, "region is not set"),
        ("region", "eu/central", "region 'eu/central' must be 1 to 64 letters"),
        ("service", "s3/", "service 's3/' must be 1 to 64 letters"),
        ("max_skew", -1, "max_skew must be 0 seconds or more"),
        ("path_mode", "S3", "path_mode 'S3' must be 's3'"),
    ],
)
def test_settings_and_the_scheme_itself_refuse_alike(name, value, told):
    with pytest.raises(ConfigurationError, match=told):
        SchemeSettings("aws-sigv4", given={"region": "auto", name: value})
    with pytest.raises(ConfigurationError, match=told):
        AwsSigV4Scheme([SECRET], **{"region": "auto", name: value})


@pytest.mark.parametrize("name", ["max_skew", "max_expires"])
def test_a_time_that_is_no_number_is_told_by_the_name_of_its_variable(name):
    told = f"EDGEAUTH_{name.upper()} is 'soon'; write a number of seconds"
    with pytest.raises(ConfigurationError, match=told):
        Settings.from_environ(
            {
                "EDGEAUTH_SCHEME": "aws-sigv4",
                "EDGEAUTH_SECRET": SECRET,
                "EDGEAUTH_REGION": "auto",
                f"EDGEAUTH_{name.upper()}": "soon",
            }
        ).build_scheme()


def test_a_life_may_be_a_second_and_be_written_with_a_point():
    for written, read in ((1, 1), ("1", 1), ("3600.0", 3600)):
        found = scheme_of(region="US-East_1.a", max_expires=written).max_expires
        assert (found, type(found)) == (read, int)

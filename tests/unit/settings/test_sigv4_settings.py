"""AWS SigV4 by settings: what is read, and what is refused."""

from __future__ import annotations

import pytest

from edgeauth import ConfigurationError, Settings

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

"""What the clients share."""

from __future__ import annotations

import pytest
from support.vectors import SECRET

from edgeauth import ConfigurationError, EdgeIdentity, Key, verify
from edgeauth.clients.signer import Signer


@pytest.mark.parametrize(
    ("options", "pop"),
    [
        ({}, "XXX"),
        ({"pop": "LHR"}, "LHR"),
        ({"pop": "LHR", "encoding": "base64"}, "LHR"),
        ({"pop": None}, None),
    ],
)
def test_a_value_is_signed_for_the_present_as_asked(options, pop):
    identity = verify(Signer(SECRET, **options).value(), [SECRET], require_pop=False)
    assert identity == EdgeIdentity(identity.timestamp, pop, "key-1")


def test_a_key_signs_as_well_as_a_secret():
    assert verify(Signer(Key("2026", SECRET)).value(), [SECRET]).pop == "XXX"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"secret": "short"}, "16"),
        ({"secret": SECRET, "pop": "L R"}, "POP code"),
        ({"secret": SECRET, "encoding": "rot13"}, "encoding"),
        ({"secret": SECRET, "header": "Edge Auth"}, "header"),
    ],
)
def test_a_wrong_argument_is_an_error_before_the_first_request(arguments, told):
    with pytest.raises(ConfigurationError, match=told):
        Signer(**arguments)

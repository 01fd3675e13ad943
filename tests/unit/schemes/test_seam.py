"""What a scheme says of itself beside what it verifies, and what it is asked to sign."""

from __future__ import annotations

import pytest

from edgeauth import ConfigurationError, EdgeIdentity, Expired, Key
from edgeauth.schemes.base import (
    Outgoing,
    may_admit_once,
    needed_request,
    needs_body,
    outside_window,
    refuse_no_scheme,
)


class Says:
    def __init__(self, **said):
        vars(self).update(said)


@pytest.mark.parametrize(("asked", "name"), [(may_admit_once, "once"), (needs_body, "needs_body")])
def test_only_a_plain_yes_is_one(asked, name):
    assert asked(Says(**{name: True})) is True
    for other in (Says(**{name: False}), Says(**{name: 1}), Says(**{name: None}), Says()):
        assert asked(other) is False


def test_of_a_request_that_is_sent_no_more_is_known_than_is_said():
    sent = Outgoing("GET", "shop.example", "/")

    assert (sent.fields, sent.body, sent.client) == ((), None, None)


def test_what_signs_one_request_must_be_told_which():
    sent = Outgoing("GET", "shop.example", "/")

    assert needed_request(sent, "some-kind") is sent
    with pytest.raises(ConfigurationError, match=r"some-kind signs one .* its method and URL must"):
        needed_request(None, "some-kind")


@pytest.mark.parametrize("headers", [("X-Proof", "X-Pop"), ["X-Proof"], ()])
def test_a_scheme_verifies_and_names_its_fields(headers):
    refuse_no_scheme(Says(verify=print, headers=headers))
    with pytest.raises(ConfigurationError, match=r"^Says is not a scheme: it has no verify\(\)"):
        refuse_no_scheme(Says(headers=headers))


@pytest.mark.parametrize("headers", ["X-Proof", b"X-Proof", None, 1, ("X-Proof", 1), ("",)])
def test_what_cannot_be_names_of_fields_is_an_error(headers):
    with pytest.raises(ConfigurationError, match=r"must be a tuple of the fields .*, not "):
        refuse_no_scheme(Says(verify=print, headers=headers))
    with pytest.raises(ConfigurationError, match=r"must be a tuple of the fields .*, not None$"):
        refuse_no_scheme(Says(verify=print))


def test_a_request_that_was_signed_when_time_began_is_as_old_as_time():
    identity = EdgeIdentity(0, None, "edge-1", "some-kind")
    error = outside_window(Key("edge-1", "x" * 32), identity, 100, max_age=30, max_future=30)

    assert isinstance(error, Expired)
    assert error.age == 100

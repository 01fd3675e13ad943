"""What the clients share."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import ConfigurationError, EdgeIdentity, Guard, Key, verify
from edgeauth.clients import httpx, requests
from edgeauth.clients.signer import Signer
from edgeauth.settings import Settings


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
    assert identity == EdgeIdentity(identity.timestamp, pop, "key-1", covers={"time"})


def test_a_key_signs_as_well_as_a_secret():
    assert verify(Signer(Key("2026", SECRET)).value(), [SECRET]).pop == "XXX"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"secret": "short"}, "16"),
        ({"secret": SECRET, "pop": "L R"}, "POP code"),
        ({"secret": SECRET, "encoding": "rot13"}, "encoding"),
        ({"secret": SECRET, "header": "Edge Auth"}, "header"),
        ({"secret": SECRET, "scheme": "basic"}, "scheme"),
    ],
)
def test_a_wrong_argument_is_an_error_before_the_first_request(arguments, told):
    with pytest.raises(ConfigurationError, match=told):
        Signer(**arguments)


def admits(gate: Guard, signer: Signer) -> bool:
    headers = {signer.header: [signer.value().encode()]}
    request = SimpleNamespace(
        method="GET",
        path="/",
        target=b"/",
        host=b"a",
        peer=None,
        header=lambda name: headers.get(name, []),
    )
    return gate.check(request).reason == "ok"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"scheme": "shared-secret"},
        {"header": "X-Edge", "pops": ["LHR", "AMS"]},
        {"header": "X-Edge", "scheme": "shared-secret"},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [Signer, httpx.EdgeAuth, requests.EdgeAuth])
def test_a_client_of_the_settings_is_admitted_by_the_gate_of_the_settings(settings, kind):
    settings = Settings.from_mapping({"secret": SECRET, **settings})
    assert admits(Guard.from_settings(settings), kind.from_settings(settings))


def test_without_settings_those_of_the_environment_are_taken(monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    monkeypatch.setenv("EDGEAUTH_SCHEME", "shared-secret")
    assert admits(Guard.from_settings(), Signer.from_settings())


def test_a_secret_beside_the_settings_takes_the_place_of_their_keys():
    settings = Settings.from_mapping({"secret": OLDER_SECRET, "pops": ["LHR"]})
    signer = Signer.from_settings(settings, secret=SECRET, pop="LHR")
    assert verify(signer.value(), [SECRET]).pop == "LHR"


def test_a_key_that_comes_into_force_later_signs_from_then_on(monkeypatch, tmp_path):
    file = tmp_path / "secrets"
    file.write_text(f"old: {OLDER_SECRET}\nnew [not_before=1700000000]: {SECRET}\n")
    monkeypatch.setattr("time.time", lambda: 1_699_999_999)
    signer = Signer.from_settings(Settings(secrets_file=str(file)))
    assert verify(signer.value(), [OLDER_SECRET], now=1_699_999_999)
    monkeypatch.setattr("time.time", lambda: 1_700_000_000)
    assert verify(signer.value(), [SECRET], now=1_700_000_000)


@pytest.mark.parametrize(
    ("settings", "told"),
    [({}, "no secret"), ({"secret": SECRET, "max_age": -1}, "max_age")],
)
def test_settings_that_make_no_gate_make_no_client(settings, told):
    with pytest.raises(ConfigurationError, match=told):
        Signer.from_settings(Settings.from_mapping(settings))


def test_a_secret_that_no_header_can_carry_is_an_error_that_does_not_show_it():
    secret = b"\xff\xfe is no text at all"
    with pytest.raises(ConfigurationError, match="not UTF-8") as told:
        Signer(secret, scheme="shared-secret")
    assert told.value.__cause__ is None
    assert "xff" not in str(told.value)

"""The id of a Front Door profile: no secret, and worth something beside an address list alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.requests import PlainRequest

from edgeauth import (
    AddressList,
    AnyOf,
    ClaimRefused,
    ConfigurationError,
    Guard,
    MalformedHeader,
    MissingHeader,
    Settings,
    SharedSecretScheme,
    VerificationError,
)
from edgeauth.dry_run import dry_run
from edgeauth.schemes.azure_front_door import FrontDoorScheme

OLD, NEW = "0a1b2c3d-1111-4000-8000-0123456789ab", "0a1b2c3d-2222-4000-8000-0123456789ab"
OTHER = "ffffffff-3333-4000-8000-0123456789ab"
EDGE = AddressList(["198.51.100.0/24"])
SECRET = "Dw0zXhVhmEGc3LAbrYnJ"


def asked(*values, peer="198.51.100.7"):
    return PlainRequest(fields=[("x-azure-fdid", value.encode()) for value in values], peer=peer)


@pytest.fixture
def scheme():
    return FrontDoorScheme([OLD, NEW])


@pytest.mark.parametrize("one", [OLD, NEW, NEW.upper()])
def test_each_of_the_ids_is_accepted_and_covers_nothing(scheme, one):
    identity = scheme.verify(asked(one), now=0)

    assert identity.key_id == one.lower()
    assert (identity.scheme, identity.covers, identity.timestamp) == (
        "azure-front-door",
        frozenset(),
        None,
    )


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ((), MissingHeader),
        ((NEW, NEW), MalformedHeader),
        ((f"{NEW},{NEW}",), MalformedHeader),
        (("",), MalformedHeader),
        ((NEW[:-1],), MalformedHeader),
        ((NEW + "0",), MalformedHeader),
        ((NEW.replace("-", ""),), MalformedHeader),
        (("²" * 36,), MalformedHeader),
        ((OTHER,), ClaimRefused),
    ],
)
def test_anything_else_is_refused(scheme, values, error):
    with pytest.raises(error):
        scheme.verify(asked(*values), now=0)


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_but_a_refusal(value):
    request = PlainRequest(fields=[("X-Azure-FDID", value)])
    with pytest.raises(VerificationError):
        FrontDoorScheme([NEW]).verify(request, now=0)


@pytest.mark.parametrize("ids", [[], [""], ["shop"], [NEW + "0"], [f"/{NEW}"], [7], NEW])
def test_what_is_no_list_of_ids_is_an_error(ids):
    with pytest.raises(ConfigurationError, match="Front Door id"):
        FrontDoorScheme(ids)


@pytest.mark.parametrize(
    "wrap", [lambda one: one, lambda one: AnyOf(SharedSecretScheme([SECRET]), one)]
)
@pytest.mark.parametrize("mode", ["enforce", "report-only"])
def test_a_guard_without_addresses_is_an_error_at_start(scheme, wrap, mode):
    words = r"'azure-front-door' proves nothing without an .* \(edgeauth addresses update\)$"
    with pytest.raises(ConfigurationError, match=words):
        Guard(wrap(scheme), mode=mode)

    assert Guard(wrap(scheme), addresses=EDGE, mode=mode).check(asked(NEW)).allowed


def test_the_id_from_elsewhere_is_refused(scheme):
    guard = Guard(scheme, addresses=EDGE)

    assert guard.check(asked(NEW)).reason == "ok"
    assert guard.check(asked(NEW, peer="192.0.2.1")).reason == "address"
    assert guard.check(asked(OTHER)).reason == "claims"
    assert guard.stripped_headers == ("X-Azure-FDID",)


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "edge.txt"
    path.write_text('{"addresses": ["198.51.100.0/24"], "ipv6_addresses": []}')
    return str(path)


def test_settings_need_ids_and_addresses_and_no_secret(listed):
    given_ids = {"scheme": "azure-front-door", "front_door_ids": [NEW]}
    settings = Settings.from_mapping({**given_ids, "addresses": listed})

    assert settings.has_secret
    assert Guard.from_settings(settings).check(asked(NEW)).reason == "ok"
    assert dry_run(settings, secret_may_follow=True).addresses is not None
    with pytest.raises(ConfigurationError, match="without an address list"):
        Guard.from_settings(given_ids)
    with pytest.raises(ConfigurationError, match="no Front Door id: set front_door_ids"):
        Guard.from_settings({"scheme": "azure-front-door", "addresses": listed})


@pytest.mark.parametrize("name", ["secret", "secrets_file", "secrets_dir"])
def test_a_secret_has_no_use_there(listed, name):
    with pytest.raises(ConfigurationError, match=f"{name} is set, and the scheme 'azure-front-do"):
        Guard.from_settings(
            {
                "scheme": "azure-front-door",
                "front_door_ids": [NEW],
                "addresses": listed,
                name: SECRET,
            }
        )


def test_one_of_several_schemes_may_be_without_a_secret(listed):
    table = {"scheme": "azure-front-door", "front_door_ids": [NEW]}
    signed = {"scheme": "shared-secret", "secret": SECRET, "header": "X-Key"}
    guard = Guard.from_settings({"schemes": [table, signed], "addresses": listed})

    assert guard.check(asked(NEW)).scheme == "azure-front-door"
    request = PlainRequest(fields=[("X-Key", SECRET.encode())], peer="198.51.100.7")
    assert guard.check(request).scheme == "shared-secret"


def test_the_edge_stand_in_sends_the_newest(scheme):
    assert scheme.credential(now=0) == {"X-Azure-FDID": NEW}
    assert NEW in repr(scheme)


_COMPARE = (
    "compare front_door_ids with 'Front Door ID' on the overview of your profile; another "
    "customer's request looks the same"
)


@pytest.mark.parametrize(
    ("values", "message", "hint"),
    [
        ((), "no X-Azure-FDID header", None),
        ((NEW, NEW), "2 X-Azure-FDID headers; there must be one", None),
        (("x",), "X-Azure-FDID holds no id of a Front Door profile", None),
        (
            (OTHER,),
            "X-Azure-FDID names another Front Door profile",
            _COMPARE,
        ),
    ],
)
def test_each_refusal_says_what_is_wrong_and_what_to_do(scheme, values, message, hint):
    with pytest.raises(VerificationError) as caught:
        scheme.verify(asked(*values), now=0)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_of_three_ids_the_last_one_is_sent():
    assert FrontDoorScheme([OLD, OTHER, NEW]).credential(now=0) == {"X-Azure-FDID": NEW}


def test_a_single_text_is_no_list_of_ids():
    with pytest.raises(ConfigurationError, match="not a single one"):
        FrontDoorScheme(NEW)


def test_the_example_in_an_error_is_an_id():
    with pytest.raises(ConfigurationError, match=r"^7 is no Front Door id") as caught:
        FrontDoorScheme([7])
    example = str(caught.value).rpartition(" ")[2]
    assert FrontDoorScheme([example]).ids == (example,)


def test_a_scheme_without_a_kind_is_named_by_its_class(scheme):
    class Own:
        headers = ("X-Own",)
        needs_addresses = True

        def verify(self, request, *, now):
            raise NotImplementedError

    with pytest.raises(ConfigurationError, match=r"the scheme 'Own' .*update\)$"):
        Guard(Own())
    assert "front_door_ids" in {option.name for option in scheme.OPTIONS if option.doc}

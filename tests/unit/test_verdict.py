"""Who sent an accepted request, and what was decided about it."""

from __future__ import annotations

import copy
import pickle

import pytest

from edgeauth import EdgeIdentity, Verdict
from edgeauth.verdict import BodyDigest, Once, Pass


def test_the_age_is_the_time_since_signing():
    assert EdgeIdentity(1_700_000_000, "LHR", "key-1").age(1_700_000_007.5) == 7.5


def test_the_age_is_negative_for_a_clock_that_runs_ahead():
    assert EdgeIdentity(1_700_000_000, "LHR", "key-1").age(1_699_999_998) == -2


def test_a_credential_without_time_has_no_age():
    assert EdgeIdentity(None, None, "key-1").age(1_700_000_000) is None


def test_an_identity_cannot_be_changed():
    with pytest.raises(AttributeError):
        EdgeIdentity(1, "LHR", "key-1").pop = "JFK"


def test_an_identity_says_no_more_than_its_scheme_does():
    identity = EdgeIdentity(1, "LHR", "key-1")
    assert (identity.scheme, identity.covers) == ("edge-auth", frozenset())
    assert (identity.once, identity.body) == (None, None)
    assert dict(identity.claims) == {}
    assert not identity.claims
    assert "subject" not in identity.claims
    assert repr(identity.claims) == "{}"
    with pytest.raises(KeyError, match="subject"):
        identity.claims["subject"]


def test_an_identity_can_be_a_key_of_a_mapping_whatever_it_claims():
    one, other = (EdgeIdentity(1, None, "k", claims={"subject": name}) for name in "ab")
    assert {one: 1, other: 2, EdgeIdentity(1, None, "k"): 3}[one] == 1
    assert one != other


def test_identities_of_different_facts_do_not_meet_in_a_mapping():
    facts = [(1, "LHR", "k"), (2, "LHR", "k"), (1, "JFK", "k"), (1, "LHR", "l")]
    assert len({hash(EdgeIdentity(*each)) for each in facts}) == len(facts)


def test_what_is_good_once_need_not_say_since_when():
    assert Once(b"a", 2.0).since is None


def test_a_pass_that_names_no_method_and_no_path_is_good_for_any():
    found = Pass("1", "ada", 1, 2)
    assert (found.methods, found.paths) == ((), ())


def sent(identity):
    return pickle.loads(pickle.dumps(identity))  # noqa: S301 - it was made here


@pytest.mark.parametrize("copied", [copy.deepcopy, sent])
def test_an_identity_can_be_copied_and_sent_to_another_process(copied):
    identity = EdgeIdentity(
        1, "LHR", "key-1", once=Once(b"a", 2.0), body=BodyDigest("sha256", b"\0")
    )
    assert copied(identity) == identity
    assert copied(identity).claims is identity.claims


def test_a_verdict_names_the_scheme_that_accepted():
    identity = EdgeIdentity(1, None, "k", scheme="toy")
    assert Verdict(allowed=True, reason="ok", identity=identity).scheme == "toy"
    assert Verdict(allowed=True, reason="exempt").scheme is None

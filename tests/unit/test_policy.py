"""What a guard decides by, as one value."""

from __future__ import annotations

import dataclasses
import math

import pytest
from support.vectors import SECRET

from edgeauth import EdgeAuthScheme, KeyRing, SharedSecretScheme
from edgeauth.policy import FixedPolicy, Policy

SCHEME = EdgeAuthScheme([SECRET])


def test_a_policy_is_for_all_times_and_demands_no_more_than_its_scheme():
    policy = Policy(SCHEME)

    assert (policy.since, policy.until) == (-math.inf, math.inf)
    assert (policy.addresses, policy.passes, policy.keys, policy.files) == (None, None, (), ())


def test_a_policy_is_replaced_as_a_whole_and_never_changed():
    policy = Policy(SCHEME)

    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.scheme = SharedSecretScheme([SECRET])
    # Nothing can be put beside its members either; they are read faster so.
    assert not hasattr(policy, "__dict__")


def test_the_keys_and_files_of_a_policy_are_not_in_its_repr():
    policy = Policy(SCHEME, keys=(KeyRing([SECRET]),), files=({"file": SECRET},))

    assert [word for word in ("keys", "files", "recall", SECRET) if word in repr(policy)] == []


def test_two_policies_are_equal_by_what_they_decide_by():
    assert len({Policy(SCHEME), Policy(SCHEME)}) == 1
    assert len({Policy(SCHEME), Policy(SCHEME, until=1), Policy(EdgeAuthScheme([SECRET]))}) == 3


def test_a_fixed_policy_is_the_present_one_at_any_time():
    policy = Policy(SCHEME)

    assert [FixedPolicy(policy).current(now) for now in (-1, 0, math.inf)] == [policy] * 3
    assert FixedPolicy(policy).policy is policy


def test_it_is_said_of_each_member_whether_it_is_given_shown_and_compared():
    members = {one.name: (one.init, one.repr, one.compare) for one in dataclasses.fields(Policy)}

    plain = dict.fromkeys(("scheme", "addresses", "passes", "since", "until"), (True, True, True))
    read = dict.fromkeys(("keys", "files"), (True, False, True))
    # Made of the scheme, which is compared.
    made = dict.fromkeys(("recall", "recalls"), (False, False, False))
    assert members == plain | read | made

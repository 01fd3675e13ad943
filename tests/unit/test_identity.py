"""Who sent an accepted request."""

from __future__ import annotations

import pytest

from edgeauth import EdgeIdentity


def test_the_age_is_the_time_since_signing():
    assert EdgeIdentity(1_700_000_000, "LHR", "key-1").age(1_700_000_007.5) == 7.5


def test_the_age_is_negative_for_a_clock_that_runs_ahead():
    assert EdgeIdentity(1_700_000_000, "LHR", "key-1").age(1_699_999_998) == -2


def test_a_credential_without_time_has_no_age():
    assert EdgeIdentity(None, None, "key-1").age(1_700_000_000) is None


def test_an_identity_cannot_be_changed():
    with pytest.raises(AttributeError):
        EdgeIdentity(1, "LHR", "key-1").pop = "JFK"

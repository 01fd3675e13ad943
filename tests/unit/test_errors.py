"""The tree of errors."""

from __future__ import annotations

import errno
import os

import itsdangerous
import pytest

import edgeauth
from edgeauth.errors import PassNotAccepted, PastExpires, UnreadableBody, explain, seconds
from edgeauth.verdict import Pass

IDENTITY = edgeauth.EdgeIdentity(1_700_000_000, "LHR", "key-1")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (edgeauth.MissingHeader, "missing"),
        (edgeauth.MalformedHeader, "malformed"),
        (edgeauth.BadSignature, "bad-signature"),
        (edgeauth.Expired, "expired"),
        (edgeauth.NotYetValid, "future"),
        (edgeauth.PopNotAllowed, "pop"),
        (edgeauth.AddressNotAllowed, "address"),
        (edgeauth.NotCovered, "coverage"),
        (edgeauth.ClaimRefused, "claims"),
        (edgeauth.Replayed, "replayed"),
        (edgeauth.BodyMismatch, "body"),
        (edgeauth.StoreUnavailable, "replay-store"),
        # Of a user's own scheme.
        (edgeauth.VerificationError, "unverified"),
    ],
)
def test_each_verification_error_has_its_published_reason(error, reason):
    assert error.reason == reason
    assert issubclass(error, edgeauth.VerificationError)
    assert issubclass(error, itsdangerous.BadData)


def test_users_of_itsdangerous_catch_what_they_already_catch():
    assert issubclass(edgeauth.BadSignature, itsdangerous.BadSignature)
    assert issubclass(edgeauth.Expired, itsdangerous.SignatureExpired)


def test_a_configuration_error_is_no_verification_error():
    assert issubclass(edgeauth.ConfigurationError, edgeauth.EdgeAuthError)
    assert not issubclass(edgeauth.ConfigurationError, edgeauth.VerificationError)


def test_expired_carries_its_evidence():
    error = edgeauth.Expired(identity=IDENTITY, age=75.04, limit=60)
    assert str(error) == "age 75 s is past max_age 60 s"
    assert (error.age, error.limit, error.identity) == (75.04, 60, IDENTITY)
    assert error.date_signed.isoformat() == "2023-11-14T22:13:20+00:00"


def test_expired_has_no_date_for_a_time_beyond_the_calendar():
    identity = edgeauth.EdgeIdentity(999_999_999_999, None, "key-1")
    assert edgeauth.Expired(identity=identity, age=61, limit=60).date_signed is None


def test_expired_has_no_date_for_an_identity_without_time():
    identity = edgeauth.EdgeIdentity(None, None, "key-1")
    assert edgeauth.Expired(identity=identity, age=61, limit=60).date_signed is None


def test_not_yet_valid_says_how_far_ahead():
    error = edgeauth.NotYetValid(identity=IDENTITY, age=-6, limit=5)
    assert str(error) == "signed 6 s in the future, past max_future 5 s"


def test_past_its_own_expires_says_how_late_and_carries_its_evidence():
    error = PastExpires(identity=IDENTITY, late=7, limit=5)
    assert str(error) == error.message == "7 s past its own expires, and max_future admits 5 s"
    assert (error.age, error.limit, error.identity) == (7, 5, IDENTITY)
    assert error.date_signed.isoformat() == "2023-11-14T22:13:20+00:00"


def test_what_sets_its_own_end_names_the_setting_that_admits_more_or_none():
    skewed = PastExpires(identity=IDENTITY, late=7, limit=5, setting="max_skew")
    assert str(skewed) == "7 s past its own expires, and max_skew admits 5 s"
    to_the_second = PastExpires(identity=IDENTITY, late=7, setting=None)
    assert str(to_the_second) == "7 s past its own expires"
    assert (to_the_second.age, to_the_second.limit) == (7, 0)


def test_a_pass_that_is_not_accepted_says_why_and_which_pass_it_was():
    found = Pass("1", "ada", 1_700_000_000, 1_700_000_060)
    error = PassNotAccepted("too late", found, hint="issue another")
    assert str(error) == error.message == "too late"
    assert (error.found, error.hint) == (found, "issue another")


def test_an_application_is_told_why_it_cannot_read_a_body():
    assert str(UnreadableBody()) == "the body is not the one that was signed"


@pytest.mark.parametrize(
    ("value", "text"), [(60, "60"), (60.04, "60"), (0.26, "0.3"), (1e12, "1000000000000")]
)
def test_seconds_are_written_for_people(value, text):
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOENT, os.strerror(errno.ENOENT), "/a/path"), "No such file or directory"),
        (OSError("AF_UNIX path too long"), "AF_UNIX path too long"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("embedded null byte in 'a secret'"), "not a usable path"),
    ],
)
def test_an_error_of_the_system_is_explained_also_where_python_raised_it(error, text):
    assert explain(error) == text

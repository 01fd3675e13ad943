"""Every reason of a verdict, once."""

from __future__ import annotations

from edgeauth import VerificationError, errors
from edgeauth.reasons import REASONS


def test_every_error_that_ends_a_request_has_a_reason_that_is_listed_and_admits_nobody():
    ours = {
        error.reason
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, VerificationError)
    }
    assert ours == {code for code in REASONS if not REASONS[code].admits} - {"error"}


def test_three_reasons_let_a_request_in():
    assert [code for code, reason in REASONS.items() if reason.admits] == ["ok", "exempt", "pass"]
    assert {type(reason.admits) for reason in REASONS.values()} == {bool}


def test_every_reason_tells_an_operator_something():
    for code, reason in REASONS.items():
        assert reason.code == code
        assert reason.meaning.isascii()
        assert len(reason.meaning) < 80

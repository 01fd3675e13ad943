"""What the doctor says of the clock, against servers with clocks of their own."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from support.canned import canned
from support.processes import HOST, free_port

from edgeauth import ConfigurationError, Settings
from edgeauth.ops.doctor.clock_checks import check_clock, kernel_state

SETTINGS = Settings(max_age=60, max_future=5)


def compared(server_is_ahead_by=0, *, date=None, settings=SETTINGS):
    """The findings, but for what the kernel of this machine says."""
    date = formatdate(time.time() + server_is_ahead_by, usegmt=True) if date is None else date
    field = f"Date: {date}\r\n" if date else ""
    answer = f"HTTP/1.1 200 OK\r\n{field}\r\n".encode()
    with canned(answer) as server:
        found = check_clock(settings, f"http://{HOST}:{server.port}/")
        assert server.heads[0].startswith(b"HEAD / ")
    return [finding for finding in found if finding.id != "clock-unkept"]


def test_a_clock_that_agrees_has_no_finding():
    assert compared() == []


@pytest.mark.parametrize(
    ("ahead", "severity", "words"),
    [
        (4, "warning", "s behind that of"),
        (30, "error", "past max_future (5 s): every request is refused"),
        (-30, "warning", "s ahead of that of"),
        (-3600, "error", "past max_age (60 s): every request is refused"),
    ],
)
def test_a_clock_that_is_off_is_found_and_what_it_breaks(ahead, severity, words):
    (finding,) = compared(ahead)
    assert (finding.id, finding.severity) == ("clock-off", severity)
    assert words in finding.seen


def test_a_clock_that_is_off_breaks_nothing_where_no_credential_has_a_time():
    (finding,) = compared(-3600, settings=Settings(scheme="shared-secret"))
    assert (finding.id, finding.severity) == ("clock-off", "warning")
    assert "every request is refused" not in finding.seen


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_server_without_a_date_tells_nothing(date):
    (finding,) = compared(date=date)
    assert (finding.id, finding.severity) == ("clock-unknown", "warning")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_does_not_answer_tells_nothing(scheme):
    found = check_clock(SETTINGS, f"{scheme}://{HOST}:{free_port()}/")
    assert found[-1].id == "clock-unknown"


def test_what_is_no_url_is_refused():
    with pytest.raises(ConfigurationError, match="must be like"):
        check_clock(SETTINGS, "time.example")


def test_the_kernel_is_asked_and_nothing_else_without_a_url():
    found = {finding.id for finding in check_clock(SETTINGS, None)}
    assert found == ({"clock-unkept"} if kernel_state() == 5 else set())


@pytest.mark.parametrize(("state", "expected"), [(5, ["clock-unkept"]), (0, []), (None, [])])
def test_a_clock_that_nothing_keeps_is_found(monkeypatch, state, expected):
    # The state of this machine's clock is not a test's to change.
    monkeypatch.setattr("edgeauth.ops.doctor.clock_checks.kernel_state", lambda: state)
    assert [finding.id for finding in check_clock(SETTINGS, None)] == expected


def test_a_platform_without_that_call_has_no_finding(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda _name: object())
    assert kernel_state() is None

"""What a guard answers without a view of the request, because it answered the same before."""

from __future__ import annotations

import asyncio
import time

import pytest
from support.processes import wait_until
from support.requests import PlainRequest
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import (
    AddressList,
    AnyOf,
    EdgeAuthScheme,
    Guard,
    Key,
    Passes,
    SharedSecretScheme,
    sign,
)
from edgeauth.asgi import EdgeAuthMiddleware

NOW = 1_700_000_000
VALUE = sign(SECRET, pop="LHR", timestamp=NOW).encode()
EDGE = "151.101.1.1"


def asked(guard, value=VALUE, *, now=NOW):
    """The verdict of *guard* about a request with *value*, which it has then seen."""
    return guard.check(PlainRequest(peer=EDGE, fields=[("Edge-Auth", value)]), now=now)


def recalled(guard, value=VALUE, *, now=NOW, method="GET", path="/"):
    return guard.recall(value, method, path, now=now)


def test_a_value_that_was_accepted_is_answered_as_check_answers():
    guard = Guard(EdgeAuthScheme([SECRET]))
    verdict = asked(guard)

    assert verdict.reason == "ok"
    assert recalled(guard) is verdict


def test_a_value_that_was_never_seen_is_for_check_to_decide():
    assert recalled(Guard(EdgeAuthScheme([SECRET]))) is None


def test_a_value_that_was_refused_is_for_check_to_decide_again():
    guard = Guard(EdgeAuthScheme([OLDER_SECRET]))

    assert not asked(guard)
    assert recalled(guard) is None


@pytest.mark.parametrize(
    ("after", "known"), [(-6, False), (-5, True), (60, True), (61, False)], ids=str
)
def test_a_value_is_known_in_its_window_alone(after, known):
    guard = Guard(EdgeAuthScheme([SECRET]))
    asked(guard)

    assert (recalled(guard, now=NOW + after) is not None) == known


def test_the_present_is_the_time_unless_one_is_given():
    guard = Guard(EdgeAuthScheme([SECRET]))
    fresh, stale = (
        sign(SECRET, pop="LHR", timestamp=moment).encode() for moment in (int(time.time()), NOW)
    )

    assert asked(guard, fresh, now=None)
    assert asked(guard, stale, now=NOW)
    assert recalled(guard, fresh, now=None)
    assert recalled(guard, stale, now=None) is None


def test_what_goes_wrong_is_for_check_to_say():
    guard = Guard(EdgeAuthScheme([SECRET]))
    asked(guard)

    assert recalled(guard, now="now") is None
    assert asked(guard, now="now").reason == "error"


def test_values_that_come_by_turns_have_verdicts_of_their_own():
    guard = Guard(EdgeAuthScheme([SECRET]))
    values = [sign(SECRET, pop=pop, timestamp=NOW).encode() for pop in ("LHR", "JFK")]
    for value in values:
        asked(guard, value)

    again = [recalled(guard, value) for value in (*values, *values)]

    assert [verdict.identity.pop for verdict in again] == ["LHR", "JFK", "LHR", "JFK"]
    assert {verdict.reason for verdict in again} == {"ok"}


def test_an_exempt_route_is_for_check_to_decide_and_others_are_not():
    guard = Guard(EdgeAuthScheme([SECRET]), exempt=["GET /healthz"])
    asked(guard)

    assert recalled(guard, path="/healthz") is None
    assert recalled(guard, path="/healthz", method="POST").reason == "ok"
    assert recalled(guard, path="/").reason == "ok"


class StricterScheme(EdgeAuthScheme):
    """Stands for a user's scheme that looks at more than the value."""


class StricterGuard(Guard):
    """Stands for a user's guard that looks at more than the value."""


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda scheme, _: Guard(scheme, addresses=AddressList.fastly()), id="addresses"
        ),
        pytest.param(
            lambda scheme, _: Guard(scheme, passes=Passes("a-secret-for-passes-of-32-bytes!")),
            id="passes",
        ),
        pytest.param(
            lambda scheme, folder: Guard(scheme, decisions=str(folder / "decisions")),
            id="a file of decisions",
        ),
        pytest.param(lambda scheme, _: StricterGuard(scheme), id="a subclass of the guard"),
        pytest.param(lambda *_: Guard(StricterScheme([SECRET])), id="a subclass of the scheme"),
    ],
)
def test_where_more_than_the_value_may_decide_check_does(make, tmp_path):
    guard = make(EdgeAuthScheme([SECRET]), tmp_path)

    assert asked(guard).reason == "ok"
    assert recalled(guard) is None


def test_a_scheme_that_remembers_nothing_is_asked_every_time():
    guard = Guard(SharedSecretScheme([SECRET]))

    assert asked(guard, SECRET.encode()).reason == "ok"
    assert recalled(guard, SECRET.encode()) is None


def test_report_only_knows_a_signed_request_as_one():
    guard = Guard(EdgeAuthScheme([SECRET]), mode="report-only")

    assert recalled(guard) is None
    verdict = asked(guard)
    assert recalled(guard) is verdict
    assert verdict.enforced


def test_a_key_that_is_removed_takes_what_it_signed_along(tmp_path):
    file = tmp_path / "secrets"
    file.write_text(f"old:{OLDER_SECRET}\nnow:{SECRET}\n")
    guard = Guard.from_settings({"secrets_file": str(file), "watch_interval": 0.01})
    value = sign(OLDER_SECRET, pop="LHR").encode()
    assert asked(guard, value, now=None)
    assert recalled(guard, value, now=None)

    file.write_text(f"now:{SECRET}\n")

    wait_until(lambda: recalled(guard, value, now=None) is None)
    assert not asked(guard, value, now=None)


def test_a_key_that_is_over_takes_what_it_signed_along():
    guard = Guard(EdgeAuthScheme([Key("old", SECRET, not_after=NOW + 5)]))
    asked(guard)

    assert recalled(guard, now=NOW + 5)
    assert recalled(guard, now=NOW + 6) is None


def test_of_several_schemes_the_field_says_whose_value_it_is():
    signed = EdgeAuthScheme([SECRET])
    other = EdgeAuthScheme([OLDER_SECRET], header="X-Other")
    guard = Guard(AnyOf(signed, SharedSecretScheme([OLDER_SECRET], header="X-Proof"), other))
    verdict = asked(guard)

    assert guard.recall(VALUE, "GET", "/", b"edge-auth", now=NOW) is verdict
    for field in (b"x-other", b"x-proof", b"x-unknown", None):
        assert guard.recall(VALUE, "GET", "/", field, now=NOW) is None


def test_the_asgi_gate_recalls_of_several_schemes_by_the_field(monkeypatch):
    guard = Guard(AnyOf(EdgeAuthScheme([SECRET]), EdgeAuthScheme([OLDER_SECRET], header="X-Other")))
    value = sign(SECRET, pop="LHR").encode()
    seen = []

    async def app(scope, _receive, _send):
        seen.append(scope["edgeauth"])

    def ask(name):
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(name, value)]}
        sent = []

        async def send(message):
            sent.append(message)

        asyncio.run(EdgeAuthMiddleware(app, guard)(scope, None, send))
        return [message["status"] for message in sent if "status" in message]

    assert ask(b"edge-auth") == []
    with monkeypatch.context() as patched:
        patched.setattr(Guard, "check", None)
        assert ask(b"edge-auth") == []
    assert seen[0] is seen[1]
    assert ask(b"x-other") == [403]

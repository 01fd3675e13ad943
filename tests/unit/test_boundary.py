"""Whatever goes wrong inside of a decision, check answers, and the answer is a refusal."""

from __future__ import annotations

import logging
import time
import typing

import pytest
from support.requests import BrokenRequest, PlainRequest
from support.vectors import SECRET

import edgeauth
import edgeauth.asgi
import edgeauth.flask
import edgeauth.wsgi
from edgeauth import (
    ConfigurationError,
    EdgeAuthScheme,
    Guard,
    Passes,
    VerificationError,
    sign,
)
from edgeauth.service.app import DecisionApp
from edgeauth.service.counters import Counters, decision_index
from edgeauth.service.state import State

NOW = 1_700_000_000
PASS_SECRET = "a-secret-for-passes-of-32-bytes!"


class Scheme:
    """Raises what it is given."""

    headers = ("X-Proof",)

    def __init__(self, error):
        self.error = error

    def verify(self, request, *, now):
        raise self.error


class Wordless(VerificationError):
    """A user's own error that has no reason of its own."""


class Numbered(VerificationError):
    reason = 7


class Unspeakable(VerificationError):
    @property
    def reason(self):
        raise RuntimeError


class Own(VerificationError):
    reason = "token"


@pytest.fixture
def _failing_log():
    """A filter of the project that raises."""

    def explode(_):
        raise RuntimeError

    logger = logging.getLogger("edgeauth")
    logger.addFilter(explode)
    yield
    logger.removeFilter(explode)


@pytest.mark.parametrize("mode", ["enforce", "report-only"])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (VerificationError("no"), "unverified"),
        (Wordless("no"), "unverified"),
        (Own("no"), "token"),
        (Numbered("no"), "error"),
        (Unspeakable("no"), "error"),
        (RuntimeError("no"), "error"),
    ],
)
def test_whatever_a_scheme_raises_is_a_refusal_with_a_reason(error, reason, mode):
    verdict = Guard(Scheme(error), mode=mode).check(PlainRequest(), now=NOW)

    assert verdict == edgeauth.Verdict(
        allowed=mode == "report-only", reason=reason, enforced=mode == "enforce"
    )


def test_a_plain_verification_error_is_logged_as_a_refusal_and_not_as_a_failure(caplog):
    Guard(Scheme(VerificationError("no token of the edge"))).check(PlainRequest(), now=NOW)

    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "reason='unverified'" in record.message
    assert "no token of the edge" in record.message


@pytest.mark.parametrize("headers", [None, "X-Proof", (1,), ("",), b"X-Proof"])
def test_a_scheme_that_does_not_say_what_to_remove_is_none(headers):
    scheme = Scheme(None)
    scheme.headers = headers

    with pytest.raises(ConfigurationError, match="headers must be a tuple"):
        Guard(scheme)


def test_a_scheme_without_headers_is_none():
    class Bare:
        def verify(self, request, *, now):
            """Never asked."""

    with pytest.raises(ConfigurationError, match="Bare is not a scheme: its headers"):
        Guard(Bare())


def test_a_list_of_headers_is_as_good_as_a_tuple():
    scheme = Scheme(None)
    scheme.headers = ["X-Proof", "X-Pop"]

    guard = Guard(scheme)
    assert (guard.strip_header, guard.stripped_headers) == (True, ("X-Proof", "X-Pop"))


@pytest.mark.parametrize("mode", ["enforce", "report-only"])
def test_a_view_that_fails_is_refused(mode, tmp_path):
    guard = Guard(
        EdgeAuthScheme([SECRET]),
        exempt=["GET /healthz"],
        mode=mode,
        decisions=str(tmp_path / "decisions"),
    )

    verdict = guard.check(BrokenRequest(), now=NOW)

    assert (verdict.allowed, verdict.reason) == (mode == "report-only", "error")


@pytest.mark.usefixtures("_failing_log")
@pytest.mark.parametrize("mode", ["enforce", "report-only"])
def test_a_log_that_fails_changes_nothing_when_an_old_list_is_looked_at(mode, tmp_path):
    file = tmp_path / "list.json"
    file.write_text('{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2020-01"}')
    logging.disable()  # a list that is old at the start is told of there
    try:
        guard = Guard.from_settings({"secret": SECRET, "addresses": str(file), "mode": mode})
    finally:
        logging.disable(logging.NOTSET)
    much_later = int(time.time()) + 10**9
    value = sign(SECRET, pop="LHR", timestamp=much_later).encode()
    request = PlainRequest(fields=[("Edge-Auth", value)])

    assert guard.check(request, now=much_later).reason == "ok"
    assert guard.recall(value, "GET", "/", now=2 * much_later) is None


@pytest.mark.usefixtures("_failing_log")
def test_a_log_that_fails_changes_nothing_about_a_pass():
    passes = Passes(PASS_SECRET)
    guard = Guard(EdgeAuthScheme([SECRET]), passes=passes)
    value, _ = passes.issue("alice", ttl=60, now=NOW)

    for sent, reason in ((value, "pass"), (value[:-1], "missing")):
        request = PlainRequest(fields=[("Edge-Auth-Pass", sent.encode())])
        assert guard.check(request, now=NOW).reason == reason


def test_a_time_that_is_none_is_refused():
    value = sign(SECRET, pop="LHR").encode()
    request = PlainRequest(fields=[("Edge-Auth", value)])

    assert Guard(EdgeAuthScheme([SECRET])).check(request, now="now").reason == "error"


@pytest.mark.parametrize("name", ["mode", "strip_header", "exempt", "mount_points"])
def test_what_a_guard_goes_by_cannot_be_changed_by_a_word_that_nobody_hears(name):
    guard = Guard(EdgeAuthScheme([SECRET]))

    with pytest.raises(AttributeError):
        setattr(guard, name, "report-only")


@pytest.mark.parametrize(
    "callee",
    [
        Guard.__init__,
        Guard.check,
        Guard.recall,
        Guard.inherited,
        Guard.from_settings,
        EdgeAuthScheme.__init__,
        edgeauth.SharedSecretScheme.__init__,
        Passes.__init__,
        edgeauth.verify,
        edgeauth.sign,
        edgeauth.asgi.EdgeAuthMiddleware.__init__,
        edgeauth.wsgi.EdgeAuthMiddleware.__init__,
        edgeauth.flask.EdgeAuth.__init__,
        edgeauth.Request.header,
    ],
    ids=lambda callee: callee.__qualname__,
)
def test_annotations_can_be_read_by_whoever_injects_arguments(callee):
    assert typing.get_type_hints(callee)


class OwnReason(Guard):
    """A guard of somebody's own, with a word of its own."""

    def check(self, request, *, now=None):
        return super().check(request, now=now)._replace(reason="maintenance")


def test_a_reason_that_the_service_does_not_count_is_counted_as_an_error(monkeypatch):
    state = State.load(1, None, {"EDGEAUTH_SECRET": SECRET}, {"proxy": "nginx"})
    monkeypatch.setattr(State, "build_guard", lambda _self: OwnReason(EdgeAuthScheme([SECRET])))
    counters = Counters(1).workers[0]
    app = DecisionApp(state, counters)
    scope = {"type": "http", "method": "GET", "client": ("127.0.0.1", 1), "headers": []}

    answer = app.answer({**scope, "path": "/", "raw_path": b"/", "query_string": b""})

    assert answer.status == 403
    assert counters.counts[decision_index("error", allowed=False)] == 1

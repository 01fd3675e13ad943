"""The decision."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import UserString
from dataclasses import FrozenInstanceError

import pytest
from support.requests import BrokenRequest, PlainRequest
from support.vectors import SECRET

import edgeauth
from edgeauth import (
    AddressList,
    ConfigurationError,
    EdgeAuthScheme,
    Guard,
    Passes,
    denial,
    sign,
)
from edgeauth.observers import Observer, Observers
from edgeauth.outer import Terms
from edgeauth.policy import Policy

NOW = 1_700_000_000
EDGE = "151.101.1.1"


def signed(**options):
    value = sign(SECRET, pop="LHR", timestamp=NOW).encode()
    return PlainRequest(fields=[("Edge-Auth", value)], **options)


def guard(**options):
    return Guard(EdgeAuthScheme([SECRET]), **options)


def test_a_signed_request_passes_and_says_who_sent_it():
    verdict = guard().check(signed(), now=NOW)
    assert verdict == edgeauth.Verdict(
        allowed=True,
        reason="ok",
        identity=edgeauth.EdgeIdentity(NOW, "LHR", "key-1", covers={"time"}),
        enforced=True,
    )
    assert verdict


def test_requests_with_one_value_have_one_verdict_and_others_their_own():
    shared = guard()
    first = shared.check(signed(), now=NOW)
    assert shared.check(signed(), now=NOW) is first
    other = sign(SECRET, pop="JFK", timestamp=NOW).encode()
    elsewhere = shared.check(PlainRequest(fields=[("Edge-Auth", other)]), now=NOW)
    assert (elsewhere.identity.pop, first.identity.pop) == ("JFK", "LHR")


def test_an_unsigned_request_is_refused():
    verdict = guard().check(PlainRequest(), now=NOW)
    assert verdict == edgeauth.Verdict(allowed=False, reason="missing")
    assert verdict.enforced
    assert (verdict.identity, verdict.holder, verdict.scheme) == (None, None, None)
    assert not verdict


def test_an_enforced_refusal_is_logged_as_one_with_its_reason(caplog):
    guard().check(PlainRequest(), now=NOW)
    assert caplog.messages[0].startswith("refused: reason='missing'")


def test_the_present_is_the_time_unless_one_is_given():
    assert guard().check(signed()).reason == "expired"


@pytest.mark.parametrize(
    ("method", "path", "reason"),
    [
        ("GET", "/healthz", "exempt"),
        ("HEAD", "/healthz", "missing"),
        ("get", "/healthz", "missing"),
        ("WEBSOCKET", "/healthz", "missing"),
        ("GET", "//healthz", "missing"),
        ("GET", "/healthz/", "missing"),
        ("GET", "/HEALTHZ", "missing"),
        ("GET", "/x/../healthz", "missing"),
        ("GET", "/healthz;a", "missing"),
        ("GET", "/healthz\0", "missing"),
        ("GET", "/healthz ", "missing"),
        ("GET", "/healthz/x", "missing"),
        ("GET", "/app/healthz", "missing"),
        ("GET", "", "missing"),
    ],
)
def test_an_exemption_is_one_method_and_one_path(method, path, reason):
    request = PlainRequest(method=method, path=path)
    assert guard(exempt=["GET /healthz"]).check(request, now=NOW).reason == reason


def test_an_exemption_comes_before_the_address():
    exempt = guard(exempt=["GET /healthz"], addresses=AddressList.fastly())
    assert exempt.check(PlainRequest(path="/healthz", peer=None)).allowed


@pytest.mark.parametrize(
    ("peer", "reason"),
    [(EDGE, "ok"), ("::ffff:" + EDGE, "ok"), ("192.0.2.1", "address"), ("testclient", "address")],
)
def test_an_address_outside_the_list_is_refused_before_the_signature_is_looked_at(
    peer, reason, caplog
):
    walled = guard(addresses=AddressList.fastly())
    assert walled.check(signed(peer=peer), now=NOW).reason == reason
    if reason == "address":
        assert walled.check(PlainRequest(peer=peer), now=NOW).reason == "address"
        assert f"'{peer}' is not on the address list" in caplog.text


def test_behind_a_trusted_proxy_the_forwarded_address_counts():
    walled = guard(addresses=AddressList.fastly(), trusted_proxies=["10.0.0.0/8"])
    request = signed(peer="10.1.2.3")
    assert walled.check(request, now=NOW).reason == "address"
    request.fields.append(("X-Forwarded-For", EDGE.encode()))
    assert walled.check(request, now=NOW).reason == "ok"


def test_a_unix_socket_with_addresses_on_is_refused_and_the_log_says_what_to_set(caplog):
    walled = guard(addresses=AddressList.fastly())
    assert walled.check(signed(peer=None, unix=True), now=NOW).reason == "address"
    assert "add 'unix' to trusted_proxies" in caplog.text


def test_report_only_lets_everything_pass_and_marks_what_it_would_have_refused(caplog):
    lenient = guard(mode="report-only")
    assert not caplog.records
    lenient.start()
    assert "report-only mode" in caplog.text
    refused = lenient.check(PlainRequest(), now=NOW)
    assert (refused.allowed, refused.reason, refused.enforced) == (True, "missing", False)
    assert "would refuse (report-only): reason='missing'" in caplog.text
    assert lenient.check(signed(), now=NOW).enforced


def test_enforcing_says_nothing_at_start(caplog):
    guard().start()
    assert not caplog.records


class Broken:
    headers = ("X-Broken",)

    def __init__(self, outcome):
        self.outcome = outcome

    def verify(self, request, *, now):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (None, "TypeError"),
        (True, "TypeError"),
        (("LHR",), "TypeError"),
        (RuntimeError("with a received secret"), "RuntimeError"),
    ],
)
def test_a_scheme_that_fails_or_forgets_to_answer_refuses(outcome, kind, caplog):
    verdict = Guard(Broken(outcome)).check(PlainRequest(), now=NOW)
    assert (verdict.allowed, verdict.reason) == (False, "error")
    assert caplog.records[0].levelname == "ERROR"
    assert f"the decision itself failed with {kind}" in caplog.text
    assert "received secret" not in caplog.text


def test_a_broken_scheme_does_not_stop_report_only():
    verdict = Guard(Broken(None), mode="report-only").check(PlainRequest(), now=NOW)
    assert (verdict.allowed, verdict.reason, verdict.enforced) == (True, "error", False)


def test_a_log_that_fails_does_not_turn_a_refusal_into_an_exception():
    def explode(_):
        raise RuntimeError

    logger = logging.getLogger("edgeauth")
    logger.addFilter(explode)
    try:
        assert guard().check(PlainRequest(), now=NOW).reason == "missing"
        assert Guard(Broken(None)).check(PlainRequest(), now=NOW).reason == "error"
    finally:
        logger.removeFilter(explode)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"scheme": "edge-auth"}, "str is not a scheme"),
        ({"scheme": None}, "NoneType is not a scheme"),
        ({"addresses": "fastly"}, "^addresses must be an AddressList or None, not str"),
        ({"addresses": []}, "must be an AddressList or None, not list"),
        ({"passes": "a-secret"}, "^passes must be Passes or None, not str"),
        ({"mode": "off"}, "mode 'off'"),
        ({"mode": None}, "mode None"),
        ({"trusted_proxies": ["10.0.0.0/33"]}, "trusted_proxies"),
        ({"exempt": "GET /healthz"}, "must be a list"),
        ({"exempt": b"GET /healthz"}, "must be a list"),
        ({"exempt": ["/healthz"]}, "METHOD /exact/path"),
        ({"exempt": ["get /healthz"]}, "METHOD /exact/path"),
        ({"exempt": ["GET healthz"]}, "METHOD /exact/path"),
        ({"exempt": ["GET"]}, "METHOD /exact/path"),
        ({"exempt": [("GET", "/healthz")]}, "METHOD /exact/path"),
        ({"exempt": [UserString("GET /healthz")]}, "METHOD /exact/path"),
        ({"exempt": ["GET /static/*"]}, "one exact path"),
        ({"exempt": ["GET /healthz?x"]}, "one exact path"),
        ({"exempt": ["GET /healthz#x"]}, "one exact path"),
        ({"exempt": ["GET /healthz "]}, "one exact path"),
        ({"exempt": ["GET /healthz\n"]}, "one exact path"),
    ],
)
def test_a_guard_that_would_not_guard_is_refused(options, why):
    with pytest.raises(ConfigurationError, match=why):
        Guard(**{"scheme": EdgeAuthScheme([SECRET]), **options})


def test_a_guard_is_built_from_a_mapping_the_environment_or_settings(monkeypatch):
    monkeypatch.setenv("EDGEAUTH_SECRET", SECRET)
    monkeypatch.setenv("EDGEAUTH_EXEMPT", "GET /healthz")
    for source in (
        None,
        {"secret": SECRET, "exempt": ["GET /healthz"]},
        edgeauth.Settings(secret=SECRET, exempt=("GET /healthz",)),
    ):
        built = Guard.from_settings(source)
        assert built.check(signed(), now=NOW).reason == "ok"
        assert built.check(PlainRequest(path="/healthz")).reason == "exempt"


def test_every_setting_reaches_the_guard():
    built = Guard.from_settings(
        {
            "secret": SECRET,
            "header": "X-Proof",
            "max_age": 7,
            "max_future": 3,
            "require_pop": False,
            "pops": ["LHR"],
            "addresses": "fastly",
            "trusted_proxies": ["unix"],
            "mode": "report-only",
            "strip_header": False,
        }
    )
    scheme = built.scheme
    assert (scheme.header, scheme.max_age, scheme.max_future) == ("X-Proof", 7, 3)
    assert (scheme.require_pop, scheme.pops) == (False, {"LHR"})
    assert (len(built.addresses), built.mode, built.stripped_headers) == (21, "report-only", ())
    for forwarded, reason in ((b"8.8.8.8", "address"), (EDGE.encode(), "missing")):
        request = PlainRequest(peer=None, unix=True, fields=[("X-Forwarded-For", forwarded)])
        assert built.check(request).reason == reason
    assert Guard.from_settings({"secret": SECRET}).stripped_headers == ("Edge-Auth",)


def test_the_credential_header_is_stripped_unless_told_otherwise():
    assert guard().stripped_headers == ("Edge-Auth",)
    assert guard(strip_header=False).stripped_headers == ()


def test_a_guard_tells_what_it_goes_by():
    scheme, addresses = EdgeAuthScheme([SECRET]), AddressList.fastly()
    built = Guard(scheme, addresses, exempt=["POST /hook", "GET /readyz", "GET /healthz"])
    assert (built.scheme, built.addresses, built.mode) == (scheme, addresses, "enforce")
    assert built.exempt == ("GET /healthz", "GET /readyz", "POST /hook")
    assert guard().addresses is None


def test_a_denial_says_nothing_and_is_not_cached():
    answer = denial("GET")
    assert answer.status == 403
    assert answer.body == b"Forbidden\n"
    assert dict(answer.headers) == {
        "content-type": "text/plain; charset=utf-8",
        "content-length": "10",
        "cache-control": "no-store",
    }


def test_a_denial_is_for_all_requests_and_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        denial("GET").status = 200


def test_a_denial_of_head_has_the_same_headers_and_no_body():
    assert denial("HEAD").status == 403
    assert denial("HEAD").headers == denial("GET").headers
    assert denial("HEAD").body == b""


class Source:
    """Gives one policy first and another one from the first decision on."""

    def __init__(self, first, then):
        self.policy, self._then = first, then

    def current(self, now):
        self.policy = self._then
        return self.policy


def test_a_guard_asks_for_what_the_policies_of_its_source_have():
    scheme, listed = EdgeAuthScheme([SECRET]), AddressList(["192.0.2.0/24"])
    for first, then, peer, reason in (
        (Policy(scheme, listed), Policy(scheme, listed), "192.0.2.1", "ok"),
        (Policy(scheme, listed), Policy(scheme, listed), "198.51.100.1", "address"),
        (Policy(scheme), Policy(scheme), "198.51.100.1", "ok"),
        # A list that is gone lets nobody in.
        (Policy(scheme, listed), Policy(scheme), "192.0.2.1", "address"),
    ):
        following = guard()
        following.follow(Source(first, then), Terms((), ()))
        assert following.check(signed(peer=peer), now=NOW).reason == reason


def test_passes_that_are_gone_let_nobody_in():
    scheme, passes = EdgeAuthScheme([SECRET]), Passes("a-secret-that-signs-passes-only")
    value, _ = passes.issue("alice", ttl=60, now=NOW)
    request = PlainRequest(fields=[("Edge-Auth-Pass", value.encode())])
    for then, reason in ((Policy(scheme, None, passes), "pass"), (Policy(scheme), "missing")):
        following = guard()
        following.follow(Source(Policy(scheme, None, passes), then), Terms((), ()))
        assert following.check(request, now=NOW).reason == reason


class Needy:
    """A scheme that needs what a guard may not have."""

    kind, headers = "needy", ("X-Needy",)
    needs_addresses = needs_proxy = False
    believed = None

    def verify(self, request, *, now):
        return edgeauth.EdgeIdentity(now, None, "key-1")

    def behind(self, proxies):
        self.believed = proxies
        return self


@pytest.mark.parametrize(
    ("need", "options"),
    [
        ("needs_addresses", {"addresses": AddressList(["192.0.2.0/24"])}),
        ("needs_proxy", {"trusted_proxies": ["unix"]}),
    ],
)
def test_a_guard_is_made_only_with_what_its_scheme_needs(need, options):
    scheme = Needy()
    setattr(scheme, need, True)
    with pytest.raises(ConfigurationError, match="the scheme 'needy'"):
        Guard(scheme)
    made = Guard(scheme, **options)
    assert (scheme.believed is None) is (need == "needs_addresses")
    request = PlainRequest(peer="192.0.2.7")
    assert made.check(request, now=NOW).reason == "ok"


def test_a_verdict_of_another_list_of_addresses_or_of_other_proxies_is_not_inherited():
    scheme, listed = EdgeAuthScheme([SECRET]), AddressList([EDGE + "/32"])
    outer = Guard(scheme, listed)
    others = Guard(scheme, AddressList(["192.0.2.0/24"])), Guard(scheme, listed, ["unix"])
    verdict = outer.check(signed(peer=EDGE), now=NOW)
    assert verdict.reason == "ok"
    assert outer.inherited(verdict, outer) is verdict
    assert [inner.inherited(verdict, outer) for inner in others] == [None, None]


def test_a_refusal_is_not_inherited_and_nothing_is_from_who_is_no_guard():
    made = guard()
    refused, accepted = made.check(PlainRequest(), now=NOW), made.check(signed(), now=NOW)
    assert made.inherited(refused, made) is None
    assert made.inherited(accepted, object()) is None


def test_whoever_can_wait_is_answered_by_a_function_in_the_place_of_check():
    made = guard()
    made.check = lambda _request, *, now: now
    assert asyncio.run(made.acheck(PlainRequest(), now=NOW)) == NOW


class Asked:
    """A source that notes when it was asked; its policy is for one second."""

    def __init__(self, scheme):
        self.policy, self.asked = Policy(scheme, since=NOW, until=NOW + 1), []

    def current(self, now):
        self.asked.append(now)
        return self.policy


def test_the_source_of_the_policy_is_asked_again_only_when_its_time_is_over():
    made = guard()
    source = Asked(made.scheme)
    made.follow(source, Terms(None, None, None))
    for later in (0, 0, 0.5, 1):
        made.check(signed(), now=NOW + later)
    assert source.asked == [NOW, NOW + 1]
    for later in (0, 0.5, 1):
        assert made.recall(signed().fields[0][1], "GET", "/", now=NOW + later).allowed
    assert source.asked == [NOW, NOW + 1, NOW + 1]


class Told(Observer):
    """Keeps what it is told of decisions."""

    def __init__(self):
        self.told = []

    def decided(self, request, verdict, evidence, now):
        self.told.append((request, verdict.reason, evidence, now))


def test_what_an_adapter_refuses_is_told_with_its_reason_and_the_time():
    told = Told()
    made = guard(observers=Observers([told]))
    request, error = PlainRequest(), edgeauth.BodyMismatch("another body")
    before = time.time()
    verdict = made.refuse(request, error)
    assert (verdict.allowed, verdict.reason) == (False, "body")
    ((about, reason, evidence, now),) = told.told
    assert (about, reason, evidence) == (request, "body", error)
    assert before <= now <= time.time()


def test_a_hint_at_mount_points_is_for_a_missing_credential_and_a_failure_to_give_it_is_none():
    told = Told()
    made = guard(exempt=["GET /app/healthz"], observers=Observers([told]))
    mounted = PlainRequest(path="/app/healthz", mount="/app")
    for error in (edgeauth.MissingHeader("none"), edgeauth.BodyMismatch("another body")):
        made.refuse(mounted, error)
    hints = [evidence.hint for _, _, evidence, _ in told.told]
    assert "mount_points" in hints[0]
    assert hints[1] is None
    assert made.refuse(BrokenRequest(), edgeauth.MissingHeader("none")).reason == "missing"

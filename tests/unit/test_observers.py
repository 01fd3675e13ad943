"""Who is told of decisions, and what becomes of a failure to tell."""

from __future__ import annotations

import asyncio

import pytest
from support.requests import PlainRequest
from support.vectors import SECRET

from edgeauth import AddressList, ConfigurationError, EdgeAuthScheme, Guard, Passes, sign
from edgeauth.observers import Observer, Observers
from edgeauth.verdict import Verdict

NOW = 1_700_000_000
SIGNED = PlainRequest(fields=[("Edge-Auth", sign(SECRET, pop="LHR", timestamp=NOW).encode())])
PASS_SECRET = "a-secret-that-signs-passes-only"


class Witness(Observer):
    """Writes down what it is told."""

    def __init__(self, *, of_all=False):
        self.every_decision = of_all
        self.told = []

    def start(self):
        self.told.append("start")

    def decided(self, request, verdict, evidence, now):
        self.told.append((verdict.reason, type(evidence).__name__, now))

    def pass_not_accepted(self, request, error, now):
        self.told.append(("bad pass", now))

    def policy_is_current(self, policy, now):
        self.told.append((policy.addresses, now))


class Failing(Witness):
    """Fails at whatever it is told."""

    def start(self):
        raise ConfigurationError("it cannot start")

    def decided(self, *told):
        raise RuntimeError

    pass_not_accepted = not_remembered = policy_is_current = decided


class Counting(Witness):
    """Wants to know of each request that is let in, by the cheap way."""

    def accepted(self, verdict, now):
        self.told.append((verdict.reason, now))


class CountingNothing(Counting):
    """Fails at it."""

    def accepted(self, verdict, now):
        raise RuntimeError


def guard(*observers, **options):
    return Guard(EdgeAuthScheme([SECRET]), observers=Observers(observers), **options)


def test_an_observer_is_told_of_refusals_and_of_the_rest_only_if_it_asks():
    few, all_of_them = Witness(), Witness(of_all=True)
    for witness in (few, all_of_them):
        checked = guard(witness, exempt=["GET /healthz"])
        checked.check(PlainRequest(path="/healthz"), now=NOW)
        checked.check(SIGNED, now=NOW)
        checked.check(PlainRequest(), now=NOW)
    refusal = ("missing", "MissingHeader", NOW)
    started = ["start", (None, NOW)]
    assert few.told == [*started, refusal]
    assert all_of_them.told == [
        *started,
        ("exempt", "NoneType", NOW),
        ("ok", "NoneType", NOW),
        refusal,
    ]


def test_every_observer_is_told_of_a_pass_and_of_one_that_is_not_accepted():
    witness = Witness()
    passes = Passes(PASS_SECRET)
    checked = guard(witness, passes=passes)
    value, _ = passes.issue("alice", ttl=60, now=NOW)
    for sent in (value, value[:-1]):
        checked.check(PlainRequest(fields=[("Edge-Auth-Pass", sent.encode())]), now=NOW)
    assert witness.told[2:] == [
        ("pass", "Pass", NOW),
        ("bad pass", NOW),
        ("missing", "MissingHeader", NOW),
    ]


def test_an_observer_that_fails_keeps_nothing_from_the_others_and_changes_no_decision():
    witness = Witness(of_all=True)
    checked = guard(witness, Failing(of_all=True), Witness(), passes=Passes(PASS_SECRET))
    assert checked.check(SIGNED, now=NOW).reason == "ok"
    bad_pass = PlainRequest(fields=[("Edge-Auth-Pass", b"x.y")])
    assert checked.check(bad_pass, now=NOW).reason == "missing"
    assert [told[0] for told in witness.told[2:]] == ["ok", "bad pass", "missing"]


def test_an_observer_that_cannot_start_stops_whoever_starts_the_guard_and_no_request():
    checked = guard(Failing())
    assert checked.check(SIGNED, now=NOW).reason == "ok"
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="it cannot start"):
            checked.start()


def test_a_guard_starts_once_and_tells_what_it_decides_by():
    witness = Witness()
    listed = AddressList(["192.0.2.0/24"])
    started = guard(witness, addresses=listed)
    assert witness.told == []
    for _ in range(2):
        started.start()
    started.check(SIGNED, now=NOW)
    (first, (addresses, _)) = witness.told
    assert (first, addresses) == ("start", listed)


def test_an_observer_that_overrides_nothing_is_told_nothing():
    checked = guard(Observer())
    checked.start()
    assert checked.check(PlainRequest(), now=NOW).reason == "missing"
    assert checked.lost_lines == 0
    every = Observers([Observer()])
    every.pass_not_accepted(PlainRequest(), None, NOW)
    Observer().decided(PlainRequest(), None, None, NOW)
    Observer().pass_not_accepted(PlainRequest(), None, NOW)
    Observer().policy_is_current(None, NOW)


class Copy(Observer):
    """Keeps all that it is told."""

    def __init__(self):
        self.told = []

    def decided(self, *told):
        self.told.append(("decided", *told))

    def pass_not_accepted(self, *told):
        self.told.append(("pass_not_accepted", *told))

    def not_remembered(self, *told):
        self.told.append(("not_remembered", *told))

    def policy_is_current(self, *told):
        self.told.append(("policy_is_current", *told))


def test_each_observer_is_told_the_same_whether_or_not_another_fails():
    copies = [Copy(), Copy()]
    every = Observers([copies[0], Failing(), copies[1]])
    request, verdict, error, policy = PlainRequest(), object(), ValueError(), object()

    every.decided(request, verdict, error, NOW)
    every.pass_not_accepted(request, error, NOW)
    every.not_remembered(request, error, NOW)
    every.policy_is_current(policy, NOW)

    for copy in copies:
        assert copy.told == [
            ("decided", request, verdict, error, NOW),
            ("pass_not_accepted", request, error, NOW),
            ("not_remembered", request, error, NOW),
            ("policy_is_current", policy, NOW),
        ]


def test_those_that_were_there_are_told_still_when_another_comes():
    first, second = Counting(), Counting()
    every = Observers([first])
    every.add(second)
    every.add()
    every.start()
    every.accepted(Verdict(allowed=True, reason="ok"), NOW)
    every.pass_not_accepted(PlainRequest(), None, NOW)

    assert first.told == second.told == ["start", ("ok", NOW), ("bad pass", NOW)]


def test_what_observers_lost_is_counted_together():
    one, other = Witness(), Witness()
    one.lost, other.lost = 1, 2

    assert Observers([one, other]).lost == 3
    assert Observers([Observer()]).lost == 0


def test_all_decisions_are_told_where_one_of_several_asks_for_them():
    assert Observers([Witness(), Witness(of_all=True)]).every_decision is True
    assert Observers([Observer(), Witness()]).every_decision is False


def test_those_behind_one_that_cannot_start_start_when_it_can():
    class Late(Witness):
        fails = True

        def start(self):
            if self.fails:
                raise ConfigurationError("not yet")
            super().start()

    first, late, last = Witness(), Late(), Witness()
    every = Observers([first, late, last])
    with pytest.raises(ConfigurationError, match="not yet"):
        every.start()
    assert [one.told for one in (first, late, last)] == [["start"], [], []]
    late.fails = False
    for _ in range(2):
        every.start()
    assert [one.told for one in (first, late, last)] == [["start"]] * 3


@pytest.mark.parametrize(
    ("request_", "reason"), [(SIGNED, "ok"), (PlainRequest(), "missing")], ids=["ok", "missing"]
)
def test_whoever_can_wait_is_answered_as_whoever_cannot(request_, reason):
    checked = guard()
    verdict = asyncio.run(checked.acheck(request_, now=NOW))
    assert verdict == checked.check(request_, now=NOW)
    assert verdict.reason == reason


def test_an_observer_that_counts_is_told_of_each_request_that_is_let_in_however_it_is_asked():
    counting = Counting()
    value = SIGNED.fields[0][1]
    checked = guard(counting, exempt=["GET /healthz"])
    checked.start()
    for _ in range(2):
        checked.check(SIGNED, now=NOW)
    assert checked.recall(value, "GET", "/", now=NOW).reason == "ok"
    assert asyncio.run(checked.acheck(SIGNED, now=NOW)).reason == "ok"
    checked.check(PlainRequest(path="/healthz"), now=NOW)
    checked.check(PlainRequest(), now=NOW)
    ok = ("ok", NOW)
    assert counting.told[2:] == [*[ok] * 4, ("exempt", NOW), ("missing", "MissingHeader", NOW)]


def test_an_observer_that_counts_and_one_that_is_told_all_are_told_of_the_same_requests():
    counting, witness = Counting(), Witness(of_all=True)
    checked = guard(counting, witness)
    checked.check(SIGNED, now=NOW)
    # It has both: what it counts is what has no evidence.
    assert counting.told[2:] == [("ok", NOW), ("ok", "NoneType", NOW)]
    assert witness.told[2:] == [("ok", "NoneType", NOW)]
    assert checked.recall(SIGNED.fields[0][1], "GET", "/", now=NOW) is None


@pytest.mark.parametrize("told_all", [True, False])
@pytest.mark.parametrize("others", [[], [Counting]])
def test_an_observer_that_fails_to_count_changes_no_decision_and_keeps_nothing_from_another(
    told_all, others
):
    others = [other() for other in others]
    witness = [Witness(of_all=True)] if told_all else []
    checked = guard(CountingNothing(), *others, *witness, exempt=["GET /healthz"])
    assert checked.check(SIGNED, now=NOW).reason == "ok"
    assert checked.check(PlainRequest(path="/healthz"), now=NOW).reason == "exempt"
    recalled = checked.recall(SIGNED.fields[0][1], "GET", "/", now=NOW)
    assert recalled is None if told_all else recalled.reason == "ok"
    for other in others:
        assert other.told.count(("ok", NOW)) == (1 if told_all else 2)


def test_a_guard_tells_an_observer_that_comes_later_from_then_on():
    checked = guard(exempt=["GET /healthz"])
    value = SIGNED.fields[0][1]
    checked.check(SIGNED, now=NOW)
    counting = Counting()
    checked.observe(counting)
    assert checked.recall(value, "GET", "/", now=NOW).reason == "ok"
    assert counting.told == [("ok", NOW)]

    witness = Witness(of_all=True)
    checked.observe(witness)
    assert checked.recall(value, "GET", "/", now=NOW) is None
    checked.check(SIGNED, now=NOW)
    assert witness.told == [("ok", "NoneType", NOW)]
    checked.start()
    assert (counting.told[-1], witness.told[-1]) == ("start", "start")

"""What a guard admits once, and what becomes of a request when the store cannot tell."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from support.requests import PlainRequest
from support.signed_requests import KEY, NOW, signed

from edgeauth import (
    AnyOf,
    ConfigurationError,
    EdgeAuthScheme,
    EdgeIdentity,
    Guard,
    Key,
    admission,
    sign,
)
from edgeauth.admission import Admission, ReplayStoreError
from edgeauth.observers import Observer, Observers
from edgeauth.replay import MemoryReplayStore
from edgeauth.schemes.message_signatures import MessageSignatureScheme
from edgeauth.verdict import Once

SECRET = "an-edge-secret-for-the-other-scheme"


class Store:
    """Answers what it is told to, or raises it, and notes what it was asked."""

    def __init__(self, answer=True, *, waits=False):  # noqa: FBT002 - what stores answer
        self.answer, self.waits, self.asked = answer, waits, []

    def remember(self, key, until, *, now, since=None):
        self.asked.append(("remember", key, until, now, since))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    async def aremember(self, key, until, *, now, since=None):
        await asyncio.sleep(0)
        answer = self.remember(key, until, now=now, since=since)
        self.asked[-1] = ("aremember", *self.asked[-1][1:])
        return answer


def scheme(**options):
    return MessageSignatureScheme([KEY], **options)


def made(store, **options):
    return Guard(scheme(), replay=store, **options)


def sync(guard, request):
    return guard.check(request, now=NOW)


def waiting(guard, request):
    return asyncio.run(guard.acheck(request, now=NOW))


both = pytest.mark.parametrize("ask", [sync, waiting])


@both
def test_a_signature_is_admitted_once_and_refused_then(ask, caplog):
    guard, request = made(MemoryReplayStore()), signed(nonce="n-1")

    first, second = ask(guard, request), ask(guard, request)

    assert (first.allowed, first.reason) == (True, "ok")
    assert (second.allowed, second.reason, second.identity) == (False, "replayed", None)
    assert ask(guard, signed(nonce="n-2")).allowed
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert "used before" in line.message
    assert "key='edge-1'" in line.message
    assert "hint=" in line.message


@both
@pytest.mark.parametrize("waits", [False, True])
def test_the_store_is_asked_by_the_way_that_may_wait_where_it_waits(ask, waits):
    store = Store(waits=waits)

    assert ask(made(store), signed(nonce="n-1")).allowed

    way = "aremember" if waits and ask is waiting else "remember"
    assert store.asked == [(way, b"edge-1:n-1", NOW + 60, NOW, NOW - 5)]


@both
def test_what_a_store_admitted_is_covered_as_once(ask):
    assert "once" in ask(made(Store()), signed(nonce="n-1")).identity.covers
    assert "once" not in ask(Guard(scheme()), signed(nonce="n-1")).identity.covers
    assert "once" not in scheme().verify(signed(nonce="n-1"), now=NOW).covers


@both
def test_an_observer_that_counts_is_told_of_what_a_store_admitted(ask):
    class Counting(Observer):
        def accepted(self, verdict, now):
            counted.append((verdict.reason, now))

    counted = []
    guard = made(Store(), observers=Observers([Counting()]))
    assert ask(guard, signed(nonce="n-1")).allowed
    assert counted == [("ok", NOW)]


def test_a_guard_says_whether_a_credential_may_be_of_one_request_with_a_store_or_without():
    unbound = EdgeAuthScheme([SECRET])
    assert [Guard(scheme()).is_of_a_request, made(Store()).is_of_a_request] == [True, True]
    assert Guard(AnyOf(unbound, scheme())).is_of_a_request is True
    assert Guard(unbound).is_of_a_request is False


def test_without_a_store_a_signature_is_good_until_it_is_too_old():
    guard = Guard(scheme())

    verdicts = [guard.check(signed(nonce="n-1"), now=NOW) for _ in range(3)]

    assert [verdict.reason for verdict in verdicts] == ["ok"] * 3
    assert not guard.waits


class Boasts:
    """Says itself that its credentials were admitted once."""

    headers = ("X-Own",)
    once = True

    def __init__(self, once=None):
        self.identity = EdgeIdentity(NOW, None, "k", "own", frozenset({"path", "once"}), once)

    def verify(self, _request, *, now):
        return self.identity


def test_what_no_store_admitted_is_not_covered_as_once_whatever_a_scheme_says():
    boasts = Boasts(Once(b"k", NOW + 1))

    assert Guard(boasts).check(PlainRequest(), now=NOW).identity.covers == {"path"}
    assert Guard(boasts, replay=Store(ReplayStoreError("down")), replay_failure="accept").check(
        PlainRequest(), now=NOW
    ).identity.covers == {"path"}
    assert Guard(boasts, replay=Store(), replay_methods="unsafe").check(
        PlainRequest(), now=NOW
    ).identity.covers == {"path"}


def test_where_once_is_all_that_a_scheme_says_nothing_is_left_without_a_store():
    boasts = Boasts(Once(b"k", NOW + 1))
    boasts.identity = boasts.identity._replace(covers=frozenset({"once"}))

    assert Guard(boasts).check(PlainRequest(), now=NOW).identity.covers == frozenset()


def test_unless_told_otherwise_a_store_is_asked_of_all_and_a_failure_refuses():
    request, identity = signed(nonce="n-1"), Boasts(Once(b"k", NOW + 1)).identity
    admission = Admission(scheme(), Store())

    assert admission.concerns(request, identity)
    assert not admission.accepts_failure
    without = Admission(scheme())
    assert not without.concerns(request, identity)
    assert without.terms is None


def test_one_identity_for_all_requests_is_asked_about_each_time():
    store = MemoryReplayStore()
    guard = Guard(Boasts(Once(b"k", NOW + 1)), replay=store)

    assert [guard.check(PlainRequest(), now=NOW).reason for _ in "12"] == ["ok", "replayed"]


class Recalls(Boasts):
    def verify(self, request, *, now):
        return super().verify(request, now=now)

    def recall(self, _value, _now):
        return self.identity


def test_what_is_good_once_is_never_recalled():
    guard = Guard(Recalls(Once(b"k", NOW + 1)), replay=MemoryReplayStore())

    assert guard.recall(b"value", "GET", "/", now=NOW) is None
    assert guard.check(PlainRequest(), now=NOW).allowed
    assert guard.recall(b"value", "GET", "/", now=NOW) is None


@both
def test_a_credential_that_says_nothing_of_once_is_none_of_the_stores_business(ask):
    store = Store()
    guard = Guard(AnyOf(EdgeAuthScheme([SECRET]), scheme()), replay=store)
    request = PlainRequest(fields=[("Edge-Auth", sign(SECRET, pop="LHR", timestamp=NOW).encode())])

    assert [ask(guard, request).reason for _ in "12"] == ["ok", "ok"]
    assert ask(guard, signed(nonce="n-1")).allowed
    assert [asked[1] for asked in store.asked] == [b"edge-1:n-1"]


@both
def test_what_is_not_authentic_never_reaches_the_store(ask):
    store = Store()
    guard = made(store)
    good = signed(nonce="n-1")

    for forged, reason in [
        (signed(nonce="n-1", key=Key(KEY.id, "another-secret-of-somebody")), "bad-signature"),
        (signed(nonce="n-1", key=Key("edge-2", "another-secret-of-somebody")), "bad-signature"),
        (replace(good, target=b"/other"), "bad-signature"),
        (signed(nonce="n-1", created=NOW - 61), "expired"),
        (signed(nonce="n-1", created=NOW + 6), "future"),
        (PlainRequest(), "missing"),
    ]:
        assert ask(guard, forged).reason == reason
    assert store.asked == []


@both
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ReplayStoreError("the store is on fire"), "the store is on fire"),
        (OSError("password"), "the replay store failed with OSError"),
        (ValueError("password"), "the replay store failed with ValueError"),
        (None, "the replay store failed with TypeError"),
        (1, "the replay store failed with TypeError"),
    ],
)
@pytest.mark.parametrize("waits", [False, True])
def test_a_store_that_cannot_tell_refuses_with_a_reason_of_its_own(
    ask, answer, told, waits, caplog
):
    guard = made(Store(answer, waits=waits))

    verdict = ask(guard, signed(nonce="n-1"))

    assert (verdict.allowed, verdict.reason) == (False, "replay-store")
    (line,) = caplog.records
    assert told in line.message
    assert "password" not in line.message


@both
@pytest.mark.parametrize("answer", [ReplayStoreError("the store is on fire"), OSError("x"), None])
def test_who_accepts_failures_is_told_loudly_what_came_in(ask, answer, caplog):
    guard = made(Store(answer), replay_failure="accept")

    verdict = ask(guard, signed(nonce="n-1"))

    assert (verdict.allowed, verdict.reason) == (True, "ok")
    assert verdict.identity.once is not None
    assert "once" not in verdict.identity.covers
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert "let in without the replay store" in line.message
    assert "reason='replay-store'" in line.message
    assert "key='edge-1'" in line.message


def test_the_log_of_what_came_in_without_the_store_does_not_flood(caplog):
    guard = made(Store(ReplayStoreError("down")), replay_failure="accept")

    for second in range(0, 30, 10):
        for number in range(100):
            guard.check(signed(nonce=f"n-{second}-{number}"), now=NOW + second)

    assert len(caplog.records) == 3 * 20
    assert sum("suppressed=80" in record.message for record in caplog.records) == 2


@both
@pytest.mark.parametrize("waits", [False, True])
def test_who_accepts_failures_refuses_replays_all_the_same(ask, waits):
    guard = made(Store(answer=False, waits=waits), replay_failure="accept")

    assert ask(guard, signed()).reason == "replayed"


@both
def test_report_only_reports_a_replay_and_lets_it_in(ask, caplog):
    guard, request = made(MemoryReplayStore(), mode="report-only"), signed(nonce="n-1")
    assert ask(guard, request).reason == "ok"
    caplog.clear()

    verdict = ask(guard, request)

    assert (verdict.allowed, verdict.reason, verdict.enforced) == (True, "replayed", False)
    assert verdict.identity is None
    (line,) = caplog.records
    assert "would refuse (report-only)" in line.message


@both
@pytest.mark.parametrize(
    ("method", "handshake", "asked"),
    [
        *((method, False, False) for method in ("GET", "HEAD", "OPTIONS", "TRACE")),
        *((method, False, True) for method in ("POST", "PUT", "PATCH", "DELETE", "PROPFIND")),
        ("get", False, True),
        ("GET", True, True),
        ("GET", None, True),
    ],
)
def test_the_store_is_asked_of_what_may_change_something_where_that_is_wanted(
    ask, method, handshake, asked
):
    store = Store()
    guard = made(store, replay_methods="unsafe")
    request = replace(signed(method, nonce="n-1"), handshake=handshake)

    verdict = ask(guard, request)

    assert verdict.allowed
    assert bool(store.asked) is asked
    assert ("once" in verdict.identity.covers) is asked


def test_an_exempt_request_is_not_remembered():
    store = Store()
    guard = made(store, exempt=["GET /healthz"])

    assert guard.check(signed(target="/healthz"), now=NOW).reason == "exempt"
    assert store.asked == []


@both
def test_an_identity_that_says_once_in_another_form_is_a_failed_decision(ask):
    store = Store()

    # Some of these are false to Python.
    for once in ((b"k", NOW + 1), (), b"", 0):
        assert ask(Guard(Boasts(once), replay=store), PlainRequest()).reason == "error"
    assert store.asked == []


@both
def test_every_decision_is_told_once_and_with_what_was_decided(ask, tmp_path):
    file = tmp_path / "decisions"
    guard, request = made(MemoryReplayStore(), decisions=str(file)), signed(nonce="n-1")

    for _ in range(2):
        ask(guard, request)

    admitted, refused = file.read_text().splitlines()
    assert '"reason":"ok"' in admitted
    assert '"reason":"replayed"' in refused
    assert '"key":"edge-1"' in refused


def test_twenty_tasks_with_one_credential_have_one_admitted():
    guard, request = made(MemoryReplayStore()), signed(nonce="n-1")

    async def together():
        return await asyncio.gather(*(guard.acheck(request, now=NOW) for _ in range(20)))

    assert sorted(verdict.reason for verdict in asyncio.run(together())) == [
        "ok",
        *["replayed"] * 19,
    ]


class Stricter(Guard):
    """Checks more, and knows nothing of waiting."""

    def check(self, request, *, now=None):
        verdict = super().check(request, now=now)
        return verdict._replace(allowed=verdict.allowed and request.path != "/never")


def test_a_subclass_that_checks_more_does_so_where_it_is_awaited():
    guard = Stricter(scheme(), replay=Store(waits=True))

    assert not waiting(guard, signed(target="/never")).allowed
    assert waiting(guard, signed(target="/else")).allowed


class Awaits(Guard):
    async def acheck(self, request, *, now=None):
        return self.check(request, now=now)


def test_it_is_known_which_guards_wait():
    assert [made(Store(waits=waits)).waits for waits in (False, True)] == [False, True]
    assert not Guard(scheme()).waits
    assert Awaits(scheme()).waits


class Half:
    """A store that can only be asked by whoever may wait."""

    def remember(self, key, until, *, now, since=None):
        return True


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"replay_methods": "safe"}, "replay_methods 'safe' must be 'all' or 'unsafe'"),
        ({"replay_failure": "ignore"}, "replay_failure 'ignore' must be 'refuse' or 'accept'"),
        ({"replay": "memory"}, "replay must be a ReplayStore or None: str has no remember()"),
        ({"replay": Half()}, "replay must be a ReplayStore or None: Half has no aremember()"),
    ],
)
def test_what_cannot_be_used_is_an_error_when_the_guard_is_made(options, told):
    with pytest.raises(ConfigurationError) as raised:
        Guard(scheme(), **options)
    assert told in str(raised.value)


class Own(Boasts):
    once = False


@pytest.mark.parametrize(
    ("never", "kind"),
    [
        (EdgeAuthScheme([SECRET]), "edge-auth"),
        (
            AnyOf(EdgeAuthScheme([SECRET]), EdgeAuthScheme([SECRET + "2"], header="X-Other")),
            "any-of",
        ),
        (Own(), "Own"),
    ],
    ids=["one", "any of two", "a user's own"],
)
def test_a_store_for_credentials_that_are_never_good_once_is_an_error(never, kind):
    with pytest.raises(ConfigurationError) as raised:
        Guard(never, replay=MemoryReplayStore())
    assert f"a credential of the scheme {kind!r} does not say" in str(raised.value)
    assert "cannot be admitted once" in str(raised.value)
    assert "once = True" in str(raised.value)


def test_a_store_needs_one_scheme_of_several_that_is_good_once():
    Guard(AnyOf(EdgeAuthScheme([SECRET]), AnyOf(scheme())), replay=MemoryReplayStore())


class Notes(Observer):
    def __init__(self):
        self.told = []

    def decided(self, _request, verdict, evidence, now):
        self.told.append((verdict.reason, evidence.identity.key_id, evidence.age, now))


def test_the_error_of_a_replay_says_who_signed_and_when():
    notes = Notes()

    made(Store(answer=False), observers=Observers([notes])).check(signed(nonce="n-1"), now=NOW + 7)

    assert notes.told == [("replayed", "edge-1", 7, NOW + 7)]


def test_the_error_of_a_store_that_cannot_tell_says_who_signed_and_when():
    notes = Notes()
    guard = made(Store(ReplayStoreError("down")), observers=Observers([notes]))

    guard.check(signed(nonce="n-1"), now=NOW + 7)

    assert notes.told == [("replay-store", "edge-1", 7, NOW + 7)]


class StoreOfQuestions(Store):
    """Is told the name of a question as well."""

    def remember(self, key, until, *, now, since=None, by=b"not named"):
        super().remember(key, until, now=now, since=since)
        self.asked[-1] = (*self.asked[-1], by)
        return True

    async def aremember(self, key, until, *, now, since=None, by=b"not named"):
        return self.remember(key, until, now=now, since=since, by=by)


@both
@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("name", [b"question-7", b"", None])
def test_a_store_is_told_which_question_it_is_where_that_is_known(ask, waits, name):
    store, request = StoreOfQuestions(waits=waits), signed(nonce="n-1")
    if name is not None:
        request.question = name

    assert ask(made(store), request).allowed
    assert store.asked == [
        ("remember", b"edge-1:n-1", NOW + 60, NOW, NOW - 5, name or b"not named"),
    ]


def test_a_store_that_can_start_does_so_with_the_guard():
    class Starts(Store):
        def start(self):
            self.asked.append("start")

    store = Starts()
    made(store).start()

    assert store.asked == ["start"]
    made(Store()).start()


def test_what_is_covered_with_once_is_made_once_and_remembered_for_a_few_sets(monkeypatch):
    kept = {}
    monkeypatch.setattr(admission, "_WITH_ONCE", kept)
    made = [EdgeIdentity(NOW, None, "k", covers=frozenset({f"part-{n}"})) for n in range(300)]

    covered = [admission.with_once(one).covers for one in made]

    assert covered == [one.covers | {"once"} for one in made]
    assert kept == dict(zip([one.covers for one in made[:256]], covered[:256], strict=True))
    assert admission.with_once(made[0]).covers is covered[0]

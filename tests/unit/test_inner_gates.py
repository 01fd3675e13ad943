"""What a gate takes from another one around it, and what it judges for itself."""

from __future__ import annotations

import asyncio
import json

import pytest
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import AddressList, EdgeAuthScheme, Guard, Key, Passes, Verdict, sign
from edgeauth.asgi import EdgeAuthMiddleware as ASGIGate
from edgeauth.outer import Terms
from edgeauth.replay import MemoryReplayStore
from edgeauth.schemes.message_signatures import MessageSignatureScheme, MessageSigner
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIGate

PASS_SECRET = "a-secret-for-passes-of-32-bytes!"
SETTINGS = {"secret": SECRET, "exempt": ["GET /healthz"], "pass_secret": PASS_SECRET}


def made(**changes):
    return Guard.from_settings({**SETTINGS, **changes})


def through_asgi(guards, *fields, path="/"):
    """The verdict inside of the gates of *guards*, outermost first; None if one refused."""
    seen = []

    async def app(scope, _receive, _send):
        seen.append(scope["edgeauth"])

    async def send(_message):
        pass

    for guard in reversed(guards):
        app = ASGIGate(app, guard)
    fields = [(name.lower().encode(), value.encode()) for name, value in fields]
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "headers": fields,
    }
    asyncio.run(app(scope, None, send))
    return seen[0] if seen else None


def through_wsgi(guards, *fields, path="/"):
    seen = []

    def app(environ, _start_response):
        assert environ["edgeauth"] is environ["edgeauth.verdict"]
        seen.append(environ["edgeauth"])
        return []

    for guard in reversed(guards):
        app = WSGIGate(app, guard)
    fields = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields}
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "RAW_URI": path, **fields}
    app(environ, lambda _status, _headers: None)
    return seen[0] if seen else None


@pytest.fixture(params=[through_asgi, through_wsgi], ids=["asgi", "wsgi"])
def through(request):
    return request.param


def signed(secret=SECRET, name="Edge-Auth"):
    return name, sign(secret, pop="LHR")


def a_pass():
    return "Edge-Auth-Pass", Passes(PASS_SECRET).issue("alice", ttl=60)[0]


# What makes the fields, when the test runs; the path; what an outer gate says.
REQUESTS = [
    pytest.param([signed], "/", "ok", id="signed"),
    pytest.param([], "/healthz", "exempt", id="exempt"),
    pytest.param([a_pass], "/", "pass", id="pass"),
    pytest.param([], "/", None, id="unsigned"),
]


@pytest.mark.parametrize(("makers", "path", "reason"), REQUESTS)
def test_a_gate_of_the_same_guard_takes_the_verdict(through, makers, path, reason, caplog):
    guard = made()

    verdict = through([guard, guard, guard], *(make() for make in makers), path=path)

    assert (verdict.reason if verdict else None) == reason
    assert len(caplog.records) == (reason in {"pass", None})


@pytest.mark.parametrize(("makers", "path", "reason"), REQUESTS)
def test_a_gate_of_equal_settings_takes_the_verdict(through, makers, path, reason, tmp_path):
    file = tmp_path / "decisions"

    fields = [make() for make in makers]
    verdict = through([made(decisions=str(file)) for _ in range(2)], *fields, path=path)

    assert (verdict.reason if verdict else None) == reason
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["reason"] == (reason or "missing")


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "report-only"},
        {"strip_header": False},
        {"addresses_stale_days": 7},
        {"decisions": "/dev/null"},
    ],
    ids=lambda changes: next(iter(changes)),
)
@pytest.mark.parametrize(("makers", "path", "reason"), REQUESTS[:3])
def test_what_decides_nothing_may_differ(through, changes, makers, path, reason):
    fields = [make() for make in makers]

    assert through([made(), made(**changes)], *fields, path=path).reason == reason
    assert through([made(**changes), made()], *fields, path=path).reason == reason


@pytest.mark.parametrize(
    "changes",
    [{"exempt": ["GET /other"]}, {"mount_points": ["/app"]}, {"revoked_passes": ["0"]}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_signed_request_is_signed_for_a_gate_with_other_exemptions_too(through, changes):
    assert through([made(), made(**changes)], signed()).reason == "ok"
    assert through([made(), made(**changes)], path="/healthz") is None or (
        "revoked_passes" in changes
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": OLDER_SECRET},
        {"max_age": 30},
        {"max_future": 1},
        {"require_pop": False},
        {"pops": ["LHR"]},
        {"header": "X-Other"},
        {"scheme": "shared-secret"},
        {"addresses": "fastly"},
        {"trusted_proxies": ["10.0.0.0/8"]},
        {"watch_interval": 60},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_gate_that_asks_for_another_proof_judges_for_itself(changes):
    outer, inner = made(), made(**changes)
    verdict = Verdict(allowed=True, reason="ok")

    assert inner.inherited(verdict, outer) is None
    assert outer.inherited(verdict, inner) is None


def test_a_stricter_gate_inside_does_not_open_for_the_outer_key(through):
    outer, inner = made(), made(secret=OLDER_SECRET, header="X-Admin")

    assert through([outer, inner], signed()) is None
    assert through([outer, inner], signed(), signed(OLDER_SECRET, "X-Admin")).reason == "ok"
    assert through([outer, inner], path="/healthz").reason == "exempt"


def test_what_report_only_let_through_opens_no_gate_that_enforces(through):
    lenient = made(mode="report-only")

    assert through([lenient, made()]) is None
    assert through([lenient, made(mode="report-only", decisions="/dev/null")]).reason == "missing"
    assert through([lenient, lenient]).reason == "missing"


class Stricter(Guard):
    """Stands for a user's guard that looks at more than this one."""


def test_of_a_subclass_nobody_knows_what_else_it_looks_at(through):
    scheme = EdgeAuthScheme([SECRET])
    plain, stricter = Guard(scheme), Stricter(scheme)

    assert through([plain, stricter], signed()) is None
    assert through([stricter, plain], signed()) is None
    assert through([stricter, stricter], signed()).reason == "ok"


def test_guards_that_share_a_scheme_ask_for_the_same_proof(through):
    scheme, passes, listed = (
        EdgeAuthScheme([SECRET]),
        Passes(PASS_SECRET),
        AddressList(["192.0.2.0/24"]),
    )

    assert through([Guard(scheme), Guard(scheme, passes=passes)], signed()).reason == "ok"
    assert through([Guard(scheme, passes=passes), Guard(scheme)], a_pass()) is None
    assert through([Guard(scheme), Guard(EdgeAuthScheme([SECRET]))], signed()) is None
    assert through([Guard(scheme), Guard(scheme, listed)], signed()) is None


EDGE = Key("edge-1", "a-secret-that-signs-whole-requests")


@pytest.fixture
def signs_once(tmp_path):
    """Makes guards that ask for a signature over the request, and leave it there."""
    keys = tmp_path / "keys"
    keys.write_text("edge-1:a-secret-that-signs-whole-requests\n")
    return lambda **options: made_once(keys, **options)


def made_once(keys, **options):
    return Guard.from_settings(
        {
            "scheme": "message-signatures",
            "secrets_file": str(keys),
            "strip_header": False,
            "exempt": ["GET /healthz"],
            "pass_secret": PASS_SECRET,
            **options,
        }
    )


def a_signature():
    made = MessageSigner(EDGE).sign("GET", "/", "origin.example")
    return [("Host", "origin.example"), *made.items()]


def test_a_verdict_that_is_taken_over_asks_the_store_no_second_time(through, signs_once):
    guard = signs_once(replay="memory")
    equal = signs_once(replay="memory")
    fields = a_signature()

    assert "once" in through([guard, equal, guard], *fields).identity.covers
    assert through([guard], *fields) is None
    assert through([equal], *fields) is None


def test_a_gate_that_demands_once_takes_nothing_from_one_that_does_not(through, signs_once):
    outer, inner = signs_once(), signs_once(replay="memory")
    fields = a_signature()

    verdict = through([outer, inner], *fields)

    # It asked the store itself.
    assert "once" in verdict.identity.covers
    assert through([outer, inner], *fields) is None
    # And where it cannot judge, it does not let in.
    assert through([signs_once(strip_header=True), inner], *a_signature()) is None


def test_a_gate_that_does_not_demand_once_takes_the_verdict_of_one_that_does(through, signs_once):
    outer, inner = signs_once(replay="memory", strip_header=True), signs_once()

    assert through([outer, inner], *a_signature()).reason == "ok"


def test_another_store_is_asked_itself(through, signs_once, tmp_path):
    outer = signs_once(replay="memory")
    inner = signs_once(replay=f"sqlite:{tmp_path}/seen.db")
    fields = a_signature()
    assert through([inner], *fields).reason == "ok"

    assert through([outer, inner], *fields) is None
    assert through([outer, inner], *a_signature()).reason == "ok"


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        # Admitted by the same store is admitted, whatever else they say.
        ({"replay_failure": "accept"}, {}),
        ({}, {"replay_failure": "accept"}),
        ({}, {"replay_methods": "unsafe"}),
        # Of a GET the outer one asks nothing; so the inner one does.
        ({"replay_methods": "unsafe"}, {}),
        ({"replay_methods": "unsafe"}, {"replay_methods": "unsafe"}),
    ],
)
def test_one_store_in_two_ways_refuses_no_request_as_its_own_copy(
    through, signs_once, outside, inside
):
    outer, inner = signs_once(replay="memory", **outside), signs_once(replay="memory", **inside)

    assert through([outer, inner], *a_signature()).reason == "ok"


def test_what_came_in_without_the_store_opens_no_gate_that_refuses_then(through, signs_once):
    down = "redis://127.0.0.1:1"
    lenient = signs_once(replay=down, replay_failure="accept")

    assert through([lenient], *a_signature()).reason == "ok"
    assert through([lenient, lenient], *a_signature()).reason == "ok"
    assert through([lenient, signs_once(replay=down)], *a_signature()) is None


def test_an_exemption_and_a_pass_have_nothing_to_do_with_once(through, signs_once):
    outer, inner = signs_once(), signs_once(replay="memory")

    assert through([outer, inner], path="/healthz").reason == "exempt"
    assert through([outer, inner], a_pass()).reason == "pass"


def test_what_says_nothing_of_once_needs_no_store_of_a_gate_inside(through):
    schemes = [{"secret": SECRET}, {"scheme": "message-signatures", "secret": OLDER_SECRET}]
    outer, inner = (
        Guard.from_settings({"schemes": schemes, **once}) for once in ({}, {"replay": "memory"})
    )

    assert through([outer, inner], signed()).reason == "ok"


def test_guards_made_by_hand_are_held_to_the_very_store(through):
    scheme, store = MessageSignatureScheme([EDGE]), MemoryReplayStore()
    guards = [Guard(scheme, strip_header=False, replay=store) for _ in range(2)]
    fields = a_signature()

    assert through(guards, *fields).reason == "ok"
    assert through(guards, *fields) is None
    other = Guard(scheme, replay=MemoryReplayStore())
    assert through([guards[0], other], *a_signature()).reason == "ok"
    assert through([Guard(scheme, replay=store), other], *a_signature()) is None


@pytest.mark.parametrize(
    ("verdict", "guard"),
    [
        ("ok", "a guard"),
        ((True, "ok", None, True, None), made()),
        (Verdict(allowed=True, reason="ok"), "a guard"),
        (Verdict(allowed=True, reason="ok"), None),
        (None, made()),
    ],
)
def test_what_is_no_verdict_of_a_guard_is_not_taken(verdict, guard):
    assert made().inherited(verdict, guard) is None


def test_an_environ_with_something_else_at_the_place_is_judged():
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "edgeauth.guard": "forged",
        "edgeauth.verdict": Verdict(allowed=True, reason="ok"),
    }
    said = []

    list(WSGIGate(None, made())(environ, lambda status, _: said.append(status)))

    assert said == ["403 Forbidden"]


def test_terms_of_another_proof_accept_nothing():
    mine, others = Terms(("edge",), ()), Terms(("another",), ())

    assert mine.once is None
    for reason in ("ok", "exempt", "pass"):
        verdict = Verdict(allowed=True, reason=reason)
        assert mine.accept(verdict, others) is False

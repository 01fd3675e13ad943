"""Several schemes, any of which may accept."""

from __future__ import annotations

import contextlib
import gc
import itertools
from types import SimpleNamespace

import pytest
from support.requests import PlainRequest
from support.vectors import OLDER_SECRET, SECRET

from edgeauth import (
    AnyOf,
    BadSignature,
    ConfigurationError,
    EdgeAuthScheme,
    EdgeIdentity,
    Guard,
    Key,
    MalformedHeader,
    MissingHeader,
    PopNotAllowed,
    SharedSecretScheme,
    VerificationError,
    sign,
)
from edgeauth.schemes.base import recalls_of
from edgeauth.schemes.message_signatures import MessageSignatureScheme

NOW = 1_700_000_000
SIGNED = EdgeAuthScheme([Key("signing", SECRET)], pops=["LHR"])
SENT = SharedSecretScheme([Key("sent", OLDER_SECRET)], header="X-Proof")
VALUE = sign(SECRET, pop="LHR", timestamp=NOW).encode()

# A value for each way to miss, from the furthest to the nearest.
MISSES = {
    "missing": None,
    "malformed": b"junk",
    "bad-signature": sign("the-secret-that-nobody-has-here", pop="LHR", timestamp=NOW).encode(),
    "expired": sign(SECRET, pop="LHR", timestamp=NOW - 61).encode(),
    "future": sign(SECRET, pop="LHR", timestamp=NOW + 6).encode(),
    "pop": sign(SECRET, pop="AMS", timestamp=NOW).encode(),
}
AS_NEAR = {"future": "expired"}


def asked(**fields):
    return PlainRequest(
        fields=[(name.replace("_", "-"), value) for name, value in fields.items() if value]
    )


class Failing:
    """A scheme with a bug."""

    headers = ("X-Bug",)

    def verify(self, request, *, now):
        raise ZeroDivisionError


class Refusing:
    """A scheme that gives the error that it was made with."""

    headers = ("X-Refused",)

    def __init__(self, error):
        self.error = error

    def verify(self, request, *, now):
        raise self.error


@pytest.mark.parametrize("schemes", [(SIGNED, SENT), (SENT, SIGNED)])
def test_what_one_accepts_is_accepted_and_says_which(schemes):
    either = AnyOf(*schemes)
    assert either.verify(asked(Edge_Auth=VALUE), now=NOW) == EdgeIdentity(
        NOW, "LHR", "signing", "edge-auth", covers={"time"}
    )
    by_secret = either.verify(asked(X_Proof=OLDER_SECRET.encode()), now=NOW)
    assert (by_secret.key_id, by_secret.scheme) == ("sent", "shared-secret")


def test_of_two_that_accept_the_first_says_who_it_was():
    both = asked(Edge_Auth=VALUE, X_Proof=OLDER_SECRET.encode())
    assert AnyOf(SIGNED, SENT).verify(both, now=NOW).key_id == "signing"
    assert AnyOf(SENT, SIGNED).verify(both, now=NOW).key_id == "sent"


@pytest.mark.parametrize(("first", "second"), [*itertools.product(MISSES, repeat=2)])
def test_the_reason_is_that_of_the_nearest_miss_and_of_equal_ones_the_first(first, second):
    one = EdgeAuthScheme([SECRET], header="X-One", pops=["LHR"])
    other = EdgeAuthScheme([SECRET], header="X-Other", pops=["LHR"])
    request = asked(X_One=MISSES[first], X_Other=MISSES[second])
    order = list(MISSES)
    expected = max(first, second, key=lambda reason: order.index(AS_NEAR.get(reason, reason)))
    assert Guard(AnyOf(one, other)).check(request, now=NOW).reason == expected


@pytest.mark.parametrize(
    ("error", "nearer", "further"),
    [
        (VerificationError("of a rule"), "expired", "malformed"),
        (VerificationError("of a rule", identity=EdgeIdentity(1, None, "a")), None, "expired"),
        (type("Own", (MissingHeader,), {})("none"), "malformed", None),
        (type("Own", (PopNotAllowed,), {})("not you"), None, "expired"),
        (type("Own", (BadSignature,), {})("no"), "expired", "malformed"),
        (type("Own", (MalformedHeader,), {})("no"), "bad-signature", "missing"),
    ],
)
def test_an_error_of_somebodys_own_has_its_place_by_its_class_or_who_signed(error, nearer, further):
    either = AnyOf(SIGNED, Refusing(error))
    for miss, raised in ((nearer, False), (further, True)):
        if miss is not None:
            with pytest.raises(VerificationError) as caught:
                either.verify(asked(Edge_Auth=MISSES[miss]), now=NOW)
            assert (caught.value is error) is raised


@pytest.mark.parametrize("schemes", [(Failing(), SIGNED), (SIGNED, Failing())])
def test_a_scheme_that_fails_refuses_nobody_whom_another_accepts(schemes):
    guard = Guard(AnyOf(*schemes))
    assert guard.check(asked(Edge_Auth=VALUE), now=NOW).reason == "ok"
    assert guard.check(asked(Edge_Auth=b"junk"), now=NOW).reason == "error"
    assert guard.check(asked(), now=NOW).reason == "error"


@pytest.mark.parametrize(
    "error",
    [
        VerificationError("of a rule", identity=EdgeIdentity(1, None, "a")),
        PopNotAllowed("not you", identity=EdgeIdentity(1, "AMS", "a")),
        BadSignature("no"),
    ],
)
def test_a_failure_is_told_rather_than_any_refusal(error):
    for schemes in ((Refusing(error), Failing()), (Failing(), Refusing(error))):
        with pytest.raises(ZeroDivisionError):
            AnyOf(*schemes).verify(asked(), now=NOW)


def test_a_refusal_that_says_nothing_of_itself_is_further_away_than_one_that_is_signed():
    unknown = Refusing(VerificationError("of a rule"))
    for schemes in ((unknown, SIGNED), (SIGNED, unknown)):
        request = asked(Edge_Auth=MISSES["expired"], X_Refused=b"1")
        assert Guard(AnyOf(*schemes)).check(request, now=NOW).reason == "expired"


def test_it_says_of_itself_what_its_schemes_say():
    once = MessageSignatureScheme([SECRET])
    body = MessageSignatureScheme([SECRET], components=["@method", "content-digest"])
    said = [
        (each.kind, each.once, each.needs_body)
        for each in (AnyOf(SIGNED, SENT), AnyOf(SIGNED, once), AnyOf(SENT, body))
    ]
    assert said == [("any-of", False, False), ("any-of", True, False), ("any-of", True, True)]


class BehindProxies:
    """A scheme that believes a proxy, and lists of addresses too."""

    headers = ("X-Told",)
    needs_addresses = needs_proxy = True

    def __init__(self, proxies=None):
        self.proxies = proxies

    def behind(self, proxies):
        return BehindProxies(proxies)

    def verify(self, request, *, now):
        raise MissingHeader


def test_it_needs_what_one_of_its_schemes_needs():
    needy, modest = AnyOf(SENT, BehindProxies()), AnyOf(SENT, SIGNED)

    assert (needy.needs_addresses, needy.needs_proxy) == (True, True)
    assert (modest.needs_addresses, modest.needs_proxy) == (False, False)


def test_behind_proxies_are_those_of_its_schemes_that_believe_one():
    proxies = object()
    alone = AnyOf(SENT, BehindProxies())

    bound = alone.behind(proxies)

    assert isinstance(bound, AnyOf)
    assert bound.schemes[0] is SENT
    assert bound.schemes[1].proxies is proxies
    # The schemes that it was made of still believe nobody.
    assert alone.schemes[1].proxies is None


def test_a_scheme_that_returns_no_identity_has_failed():
    forgetful = type("Forgetful", (Failing,), {"verify": lambda *_, **__: None})()
    guard = Guard(AnyOf(forgetful, SIGNED))
    assert guard.check(asked(), now=NOW).reason == "error"
    assert guard.check(asked(Edge_Auth=VALUE), now=NOW).identity.key_id == "signing"


def test_an_identity_has_the_kind_of_the_scheme_though_the_scheme_does_not_say_it():
    class Silent:
        headers = ("X-Silent",)

        def verify(self, request, *, now):
            return EdgeIdentity(None, None, "silent")

    class Kind(Silent):
        kind = "silent"

    for request in (asked(), asked(X_Silent=b"1")):
        assert AnyOf(Silent()).verify(request, now=NOW).scheme == "edge-auth"
        assert AnyOf(Kind()).verify(request, now=NOW).scheme == "silent"


def test_what_only_looks_like_an_identity_is_none():
    class Alike:
        headers = ("X-Alike",)
        kind = "alike"

        def verify(self, request, *, now):
            return SimpleNamespace(scheme="alike")

    for request in (asked(), asked(X_Alike=b"1")):
        with pytest.raises(TypeError):
            AnyOf(Alike()).verify(request, now=NOW)


class Asked:
    """A scheme that writes down when it is asked, and accepts."""

    def __init__(self, kind, log):
        self.kind, self.log, self.headers = kind, log, (f"X-{kind}",)

    def verify(self, request, *, now):
        self.log.append((self.kind, now))
        return EdgeIdentity(now, None, self.kind, self.kind)


def test_those_are_asked_first_of_which_a_field_is_there_and_all_at_the_same_time():
    log = []
    either = AnyOf(Asked("One", log), Asked("Two", log))

    assert either.verify(asked(X_Two=b"1"), now=NOW).scheme == "Two"
    assert either.verify(asked(), now=NOW).scheme == "One"
    assert log == [("Two", NOW), ("One", NOW)]


def test_the_fields_of_all_are_removed_and_each_once():
    again = EdgeAuthScheme([SECRET], header="EDGE-AUTH")
    either = AnyOf(SIGNED, SENT, again)
    assert sorted(name.lower() for name in either.headers) == ["edge-auth", "x-proof"]
    assert Guard(either).stripped_headers == either.headers


def test_one_among_others_takes_their_place():
    inner = AnyOf(SIGNED, SENT)
    assert AnyOf(inner, SIGNED).schemes == (SIGNED, SENT, SIGNED)
    assert repr(AnyOf(Failing())).startswith("AnyOf(<")


@pytest.mark.parametrize(
    ("schemes", "why"), [((), "accepts nothing"), ((SIGNED, object()), "object is not a scheme")]
)
def test_what_is_no_scheme_is_refused(schemes, why):
    with pytest.raises(ConfigurationError, match=why):
        AnyOf(*schemes)


def test_two_schemes_may_read_one_field():
    one = EdgeAuthScheme([Key("one", SECRET)])
    other = EdgeAuthScheme([Key("other", OLDER_SECRET)], max_age=600)
    guard = Guard(AnyOf(one, other))
    old = sign(OLDER_SECRET, pop="LHR", timestamp=NOW - 300).encode()
    for value, key in ((VALUE, "one"), (old, "other")):
        verdict = guard.check(asked(Edge_Auth=value), now=NOW)
        assert verdict.identity.key_id == key
        assert guard.recall(value, "GET", "/", now=NOW) == verdict
    assert guard.check(asked(Edge_Auth=b"junk"), now=NOW).reason == "malformed"
    assert guard.recall(b"junk", "GET", "/", now=NOW) is None


@pytest.mark.parametrize("count", [2, 3])
def test_a_field_that_is_there_more_than_once_is_refused_by_each(count):
    guard = Guard(AnyOf(SIGNED, EdgeAuthScheme([OLDER_SECRET])))
    request = PlainRequest(fields=[("Edge-Auth", VALUE)] * count)
    assert guard.check(request, now=NOW).reason == "malformed"


def test_what_is_good_in_one_field_is_not_recalled_in_another():
    one = EdgeAuthScheme([SECRET])
    other = EdgeAuthScheme([OLDER_SECRET], header="X-Other")
    either = AnyOf(one, other)
    assert either.verify(asked(Edge_Auth=VALUE), now=NOW)
    assert either.recalls[b"edge-auth"](VALUE, NOW).key_id == "key-1"
    assert either.recalls[b"x-other"](VALUE, NOW) is None
    # Which field it was in is not told.
    assert either.recall(VALUE, NOW) is None
    with pytest.raises(VerificationError):
        either.verify(asked(X_Other=VALUE), now=NOW)


def test_only_schemes_that_remember_recall():
    class Stricter(EdgeAuthScheme):
        def verify(self, request, *, now):
            raise BadSignature("never")

    assert recalls_of(AnyOf(SENT)) == {}
    assert AnyOf(SENT).recall(OLDER_SECRET.encode(), NOW) is None
    assert recalls_of(AnyOf(Stricter([SECRET]), SENT)) == {}
    assert set(recalls_of(AnyOf(SENT, SIGNED))) == {b"edge-auth"}
    assert recalls_of(SENT) == {}
    assert set(recalls_of(SIGNED)) == {b"edge-auth"}


def test_what_is_recalled_is_recalled_in_its_window_alone():
    either = AnyOf(EdgeAuthScheme([SECRET]))
    assert either.verify(asked(Edge_Auth=VALUE), now=NOW)
    assert either.recall(VALUE, NOW + 60)
    assert either.recall(VALUE, NOW + 61) is None


@pytest.mark.parametrize(
    "value", [b"", b"\xff" * 200, b"," * 97, b"0" * 100_000, b"\0", VALUE + b"\n", VALUE * 2]
)
def test_what_a_client_sends_raises_nothing_and_is_refused(value):
    guard = Guard(AnyOf(SIGNED, SENT))
    request = PlainRequest(fields=[("Edge-Auth", value), ("X-Proof", value)])
    assert guard.check(request, now=NOW).reason in {"malformed", "bad-signature"}


def test_a_refusal_leaves_no_circle_for_the_collector():
    either, request = AnyOf(SIGNED, SENT), asked(Edge_Auth=b"junk")
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            with contextlib.suppress(VerificationError):
                either.verify(request, now=NOW)
        assert gc.collect() == 0
    finally:
        gc.enable()

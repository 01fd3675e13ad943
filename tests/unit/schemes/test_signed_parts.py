"""What the schemes of clouds share: fields, methods, targets, dates, and the time that is left."""

from __future__ import annotations

import time

import pytest
from support.requests import PlainRequest

from edgeauth import BadSignature, ConfigurationError, Expired, Key, MalformedHeader, NotYetValid
from edgeauth.schemes.base import Outgoing
from edgeauth.schemes.signed_parts import (
    MAX_SKEW,
    NO_DATE,
    demand_name,
    http_date,
    http_date_text,
    identity_in_time,
    iso_date,
    method_of,
    sent_with,
    signed_fields,
    split_target,
)
from edgeauth.verdict import BodyDigest

NOW = 1_760_000_000
KEY = Key("k1", "a-secret-of-some-length")
COVERS = frozenset({"method"})


class Folded(PlainRequest):
    """A request as WSGI shows it."""

    def __post_init__(self):
        self.lines = list(self.fields)
        self.fields = lambda: None

    def header(self, name):
        return [value for given, value in self.lines if given.lower() == name.lower()]

    def fields_beginning(self, prefix):
        lines = [(name.lower().encode(), value) for name, value in self.lines]
        return [line for line in lines if line[0].startswith(prefix)]


@pytest.mark.parametrize("view", [PlainRequest, Folded])
def test_fields_are_found_by_name_and_by_their_beginning(view):
    lines = [("X-A-One", b" 1\t"), ("Date", b"d"), ("Other", b"o"), ("x-a-two", b"")]
    found = signed_fields(view(fields=lines), frozenset({b"date", b"range"}), b"x-a-")
    assert found == ({b"date": b"d"}, {b"x-a-one": b"1", b"x-a-two": b""})


def test_a_name_that_somebody_behind_would_fold_begins_alike():
    found = signed_fields(PlainRequest(fields=[("x_a-one", b"1")]), frozenset(), b"x-a-")
    assert found == ({}, {b"x_a-one": b"1"})


def test_a_field_that_is_there_twice_is_named_in_print():
    name = "x-a-" + "é" * 100
    lines = [(name, b"1"), (name, b"2")]
    with pytest.raises(MalformedHeader, match="twice") as caught:
        signed_fields(PlainRequest(fields=lines), frozenset(), b"x-a-")
    shown = ascii("x-a-" + "Ã©" * 100)[1:-1][:64]
    assert caught.value.hint == (f"does something between edge and origin add a line of {shown}?")
    short = [("x-a-b", b"1"), ("x-a-b", b"2")]
    with pytest.raises(MalformedHeader) as caught:
        signed_fields(PlainRequest(fields=short), frozenset(), b"x-a-")
    assert caught.value.hint.endswith("of x-a-b?")


def test_the_host_is_that_of_the_request_and_not_of_whoever_asks_about_it():
    request = PlainRequest(host=b"shop.example", fields=[("Host", b"edgeauth")])
    assert signed_fields(request, frozenset({b"host"}), b"x-a-") == ({b"host": b"shop.example"}, {})
    assert signed_fields(request, frozenset(), b"x-a-") == ({}, {})
    for other in (None, b""):
        request.host = other
        with pytest.raises(MalformedHeader, match="one Host"):
            signed_fields(request, frozenset({b"host"}), b"x-a-")


def test_the_method_of_a_handshake_is_get_and_another_is_as_it_was_sent():
    assert method_of(PlainRequest(method="WEBSOCKET", handshake=True)) == b"GET"
    assert method_of(PlainRequest(method="WEBSOCKET", handshake=False)) == b"WEBSOCKET"
    assert method_of(PlainRequest(method="POST", handshake=True)) == b"POST"
    assert method_of(PlainRequest(method="get\udcff")) == "get\udcff".encode(
        "utf-8", "surrogatepass"
    )


def test_a_target_is_a_path_with_a_query():
    assert split_target(PlainRequest(target=b"/a%20?b?c")) == (b"/a%20", b"b?c")
    assert split_target(PlainRequest(target=b"/")) == (b"/", b"")
    for target in (b"", b"*", b"a", b"http://h/", b"/a#b", b"/a?b#", b"/a\nb"):
        with pytest.raises(MalformedHeader, match="no path"):
            split_target(PlainRequest(target=target))
    with pytest.raises(MalformedHeader, match="does not tell") as caught:
        split_target(PlainRequest(target=None))
    assert "RAW_URI" in caught.value.hint


def test_dates_are_of_their_form_alone():
    text = http_date_text(NOW + 0.9)
    assert text == "Thu, 09 Oct 2025 08:53:20 GMT"
    assert http_date(text.encode()) == iso_date(b"20251009T085320Z") == NOW
    # The name of the day says nothing more.
    assert http_date(text.replace("Thu", "Mon").encode()) == NOW
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    for place, month in enumerate(months, 1):
        expected = iso_date(b"2025%02d01T000000Z" % place)
        assert http_date(f"Thu, 01 {month} 2025 00:00:00 GMT".encode()) == expected


def test_dates_are_of_utc_whatever_the_zone_of_the_server_is(monkeypatch):
    try:
        with monkeypatch.context() as context:
            context.setenv("TZ", "XYZ+5")
            time.tzset()
            # Not what was kept of another test.
            assert iso_date.__wrapped__(b"20251009T085320Z") == NOW
            assert http_date.__wrapped__(b"Thu, 09 Oct 2025 08:53:20 GMT") == NOW
    finally:
        time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"now", b"Thu, 9 Oct 2025 08:53:20 GMT", b"Thu, 09 Oct 2025 08:53:20 +0000"),
        *(b"Thu, 09 Oct 2025 08:53:20 GMT ", b"thu, 09 Oct 2025 08:53:20 GMT"),
        *(b"Thu, 31 Feb 2025 08:53:20 GMT", b"Thu, 09 Oct 2025 24:00:00 GMT"),
        *(b"Thu, 09 Oct 0000 08:53:20 GMT", "Thu, 0² Oct 2025 08:53:20 GMT".encode("latin-1")),
        *(b"20251009T085320", b"20251009T085360Z", b"00000101T000000Z", b"20251009T085320Z\n"),
    ],
)
def test_what_is_no_date_is_refused(text):
    for read in (http_date, iso_date):
        with pytest.raises(MalformedHeader, match="date"):
            read(text)


def judged(now, key=KEY, skew=900.0):
    return identity_in_time("k", key, NOW, max_skew=skew, now=now, covers=COVERS)


def test_the_window_is_as_long_before_as_behind_and_its_ends_are_in_it():
    for now in (NOW - 900, NOW, NOW + 900):
        identity = judged(now)
        assert (identity.timestamp, identity.pop, identity.key_id) == (NOW, None, "k1")
        assert (identity.scheme, identity.covers, identity.body) == ("k", COVERS, None)
    with pytest.raises(Expired, match="age 901 s is past max_skew 900 s") as late:
        judged(NOW + 901)
    with pytest.raises(NotYetValid, match="signed 901 s in the future, past max_skew") as early:
        judged(NOW - 901)
    assert (late.value.age, late.value.limit) == (901, 900)
    assert (early.value.age, early.value.limit) == (-901, 900)
    assert late.value.identity.key_id == early.value.identity.key_id == "k1"
    with pytest.raises(BadSignature):
        judged(float("nan"))
    assert judged(NOW, skew=0.0)


def test_the_dates_of_the_key_count_and_a_body_is_told():
    dated = Key("k2", "another-secret-of-some-length", not_after=NOW - 1)
    with pytest.raises(BadSignature, match="key k2, which is not valid now") as caught:
        judged(NOW, dated)
    assert caught.value.hint == "look at not_before and not_after of that key"
    body = BodyDigest("md5", bytes(16))
    told = identity_in_time("k", KEY, NOW, max_skew=1, now=NOW, covers=COVERS, body=body)
    assert told.body == body


def test_what_is_made_stands_in_place_of_what_was_there():
    outgoing = Outgoing("PUT", "shop.example", "/a?b", [("X-A", "1"), ("x-b", b"2")])
    request = sent_with(outgoing, {"x-a": "3"})
    assert (request.method, request.target, request.host) == ("PUT", b"/a?b", b"shop.example")
    assert request.fields() == [(b"x-b", b"2"), (b"x-a", b"3")]


def test_the_skew_is_a_number_of_seconds_and_900_by_default():
    assert (MAX_SKEW.name, MAX_SKEW.default) == ("max_skew", 900)
    assert "inclusive" in MAX_SKEW.doc
    assert MAX_SKEW.read("max_skew", "7") == 7
    with pytest.raises(ConfigurationError, match=r"^max_skew is 'x'; write a number of seconds$"):
        MAX_SKEW.read("max_skew", "x")
    with pytest.raises(ConfigurationError, match=r"^max_skew must be 0 seconds or more, not -1$"):
        MAX_SKEW.refuse_bad(-1)


def test_a_name_that_is_missing_is_said_to_be():
    demand_name("some-kind", {"bucket": "b"}, "bucket", "shop")
    words = "^the scheme some-kind needs bucket: the name of the shop that the edge signs for$"
    with pytest.raises(ConfigurationError, match=words):
        demand_name("some-kind", {"bucket": None}, "bucket", "shop")


@pytest.mark.parametrize("view", [PlainRequest, Folded])
def test_what_is_wrong_with_a_signed_field_is_told(view):
    names = frozenset({b"date"})
    for lines, message in (
        ([("Date", b"1"), ("date", b"1")], "a signed field is there twice"),
        ([("x-a-b", b"1"), ("X-A-B", b"1")], "a signed field is there twice"),
        ([("Date", b"a\nb")], "a signed field has a line break"),
        ([("x-a-b", b"a\nb")], "a signed field has a line break"),
    ):
        with pytest.raises(MalformedHeader) as caught:
            signed_fields(view(fields=lines), names, b"x-a-")
        assert caught.value.message == message
    lines = [("Other", b"1"), ("Other", b"a\nb"), ("Date", b"\t a \xa0")]
    assert signed_fields(view(fields=lines), names, b"x-a-") == ({b"date": b"a \xa0"}, {})


@pytest.mark.parametrize("view", [PlainRequest, Folded])
def test_only_spaces_and_tabs_are_no_part_of_a_value(view):
    request = view(fields=[("Date", b" \x0bd\x0c\t"), ("x-a-b", b"\t1\r ")])
    found = signed_fields(request, frozenset({b"date"}), b"x-a-")
    assert found == ({b"date": b"\x0bd\x0c"}, {b"x-a-b": b"1\r"})


@pytest.mark.parametrize("view", [PlainRequest, Folded])
def test_a_host_that_is_signed_is_there_once_beside_other_fields(view):
    names = frozenset({b"host", b"date"})
    lines = [("Host", b"h"), ("Date", b"d"), ("x-a-b", b"1")]
    found = signed_fields(view(host=b"h", fields=lines), names, b"x-a-")
    assert found == ({b"host": b"h", b"date": b"d"}, {b"x-a-b": b"1"})
    with pytest.raises(MalformedHeader, match=r"^there must be one Host header: it is signed$"):
        signed_fields(view(host=b"h", fields=[*lines, ("host", b"h")]), names, b"x-a-")


def test_a_target_that_is_not_told_or_no_path_is_said_to_be():
    with pytest.raises(MalformedHeader) as caught:
        split_target(PlainRequest(target=None))
    assert caught.value.message == (
        "the server does not tell the target as received, and it is signed"
    )
    assert caught.value.hint == (
        "use a server that tells it: raw_path in ASGI, RAW_URI or REQUEST_URI in WSGI"
    )
    with pytest.raises(MalformedHeader, match=r"^the target is no path with a query, and it is"):
        split_target(PlainRequest(target=b"*"))


def test_a_text_of_no_date_is_said_to_be():
    for read in (http_date, iso_date):
        for text in (b"", b"Thu, 31 Feb 2025 08:53:20 GMT", b"20250231T085320Z"):
            with pytest.raises(MalformedHeader) as caught:
                read(text)
            assert caught.value.message == NO_DATE
            assert caught.value.__cause__ is None


def test_each_day_of_the_week_may_be_written():
    for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"):
        assert http_date(f"{day}, 09 Oct 2025 08:53:20 GMT".encode()) == NOW
    with pytest.raises(MalformedHeader):
        http_date(b"Day, 09 Oct 2025 08:53:20 GMT")

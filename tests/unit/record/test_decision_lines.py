"""One line a decision: what is in it to the letter, and what becomes of it in parts."""

from __future__ import annotations

import json

import pytest
from support.requests import PlainRequest
from support.vectors import SECRET

from edgeauth import ConfigurationError, EdgeAuthScheme, EdgeIdentity, Guard, sign
from edgeauth._record import append, decision_file
from edgeauth._record.decision_file import DecisionFile
from edgeauth.forwarded import TrustedProxies

NOW = 1_700_000_000
SIGNED = [("Edge-Auth", sign(SECRET, pop="LHR", timestamp=NOW).encode())]


class Room:
    """A target in which there is room for some bytes of each line; None is for all of them."""

    def __init__(self, *rooms):
        self.rooms = list(rooms)
        self.written = b""

    def write(self, data, *, look):
        room = self.rooms.pop(0) if self.rooms else None
        if isinstance(room, Exception):
            raise room
        went = data if room is None else data[:room]
        self.written += went
        return len(went)

    @property
    def lines(self):
        return [json.loads(line) for line in self.written.splitlines()]


@pytest.fixture
def written(monkeypatch):
    """Decide at these times, with so much room for each line; it gives back the target."""

    def write(*nows, rooms=(), **request):
        room = Room(*rooms)
        monkeypatch.setattr(append, "target", lambda _path: room)
        guard = Guard(EdgeAuthScheme([SECRET]), decisions="/a/file")
        for now in nows:
            guard.check(PlainRequest(fields=SIGNED, **request), now=now)
        return room

    return write


def test_times_have_three_digits(written):
    (line,) = written(NOW + 2.12345).lines
    assert (line["time"], line["age"]) == (NOW + 2.123, 2.123)


def test_every_decision_is_told_though_the_value_alone_decides(written):
    assert [line["reason"] for line in written(NOW, NOW).lines] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("name", "most"),
    [("method", 20), ("path", 240), ("peer", 45)],
)
def test_a_text_of_a_client_is_cut_where_it_is_too_long(written, name, most):
    for text, shown in (("/" * most, "/" * most), ("/" * (most + 1), "/" * (most - 3) + "...")):
        assert written(NOW, **{name: text}).lines[0][name] == shown


@pytest.mark.parametrize(("kind", "shown"), [("k" * 24, "k" * 24), ("k" * 25, "k" * 21 + "...")])
def test_a_long_name_of_a_kind_is_cut_too(monkeypatch, kind, shown):
    class Long:
        headers = ()

        def verify(self, request, *, now):
            return EdgeIdentity(None, None, "k", scheme=kind)

    room = Room()
    monkeypatch.setattr(append, "target", lambda _path: room)
    Guard(Long(), decisions="/a/file").check(PlainRequest(), now=NOW)
    assert room.lines[0]["scheme"] == shown


def test_what_was_lost_is_told_with_the_time_to_three_digits(written):
    told = written(NOW, NOW + 1.12345, rooms=[OSError()]).lines
    assert told[0] == {"time": NOW + 1.123, "lost": 1}
    assert len(told) == 2


HEAD = len(json.dumps({"time": NOW, "lost": 1}, separators=(",", ":"))) + 1


@pytest.mark.parametrize(
    ("room", "lost"),
    [
        # The first line was lost. Of the second with what tells of that, so much went.
        (HEAD - 1, 2),
        (HEAD, 1),
        (HEAD + 1, None),
    ],
)
def test_what_went_in_part_is_told_of_as_far_as_the_file_does_not_show_it(written, room, lost):
    target = written(NOW, NOW, NOW, rooms=[OSError(), room])
    rest = target.written[room:].splitlines()
    assert [json.loads(line).get("lost") for line in rest] == [lost, None][lost is None :]


def test_a_line_without_its_end_is_whole_and_one_with_a_byte_less_is_not(caplog, written):
    (line,) = written(NOW).written.splitlines()
    for room, lost in ((len(line), 0), (len(line) - 1, 1)):
        caplog.clear()
        written(NOW, rooms=[room])
        assert len(caplog.messages) == lost
    assert caplog.messages == [
        "decisions file '/a/file': the line was written in part; 1 lines are lost so far"
    ]


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (ValueError("what a client sent"), "ValueError"),
    ],
)
def test_the_log_says_why_a_line_is_lost_once_a_minute(written, caplog, failure, why):
    nows = (NOW, NOW + 59.9, NOW + 60, NOW + 60 + 59.9, NOW - 10)
    written(*nows, rooms=[failure] * 5)
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told == [
        f"decisions file '/a/file': {why}; {lost} lines are lost so far" for lost in (1, 3, 5)
    ]


def test_a_log_that_fails_changes_nothing_for_the_request(monkeypatch):
    def fail(*_arguments):
        raise RuntimeError

    monkeypatch.setattr(decision_file.logger, "error", fail)
    monkeypatch.setattr(append, "target", lambda _path: Room(OSError()))
    file = DecisionFile("/a/file", TrustedProxies(()))
    verdict = Guard(EdgeAuthScheme([SECRET])).check(PlainRequest(fields=SIGNED), now=NOW)

    file.decided(PlainRequest(fields=SIGNED), verdict, None, NOW)

    assert file.lost == 1


def test_a_second_after_a_look_the_path_is_looked_at_again(monkeypatch):
    looks = []

    class Looked(Room):
        def write(self, data, *, look):
            looks.append(look)
            return super().write(data, look=look)

    monkeypatch.setattr(append, "target", lambda _path: Looked())
    guard = Guard(EdgeAuthScheme([SECRET]), decisions="/a/file")
    for now in (NOW, NOW + 0.9, NOW + 1, NOW + 1.9, NOW + 0.1, NOW):
        guard.check(PlainRequest(), now=now)

    assert looks == [True, False, True, False, False, True]


def test_a_system_that_cannot_append_so_is_told_for_which_setting(monkeypatch):
    def refuse(*what):
        raise ConfigurationError(what)

    monkeypatch.setattr(decision_file, "demand", refuse)
    with pytest.raises(ConfigurationError) as caught:
        DecisionFile("/a/file", TrustedProxies(()))
    assert caught.value.args == (("the setting decisions", "fcntl"),)

"""Decisions as lines of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from support.decisions import lines, lines_of, summed_up
from support.files import not_as_root
from support.requests import PlainRequest
from support.vectors import SECRET

from edgeauth import AddressList, ConfigurationError, EdgeAuthScheme, Guard, sign
from edgeauth.passes import Passes

NOW = 1_700_000_000
VALUE = sign(SECRET, pop="LHR", timestamp=NOW).encode()
SIGNED = [("Edge-Auth", VALUE)]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "decisions.jsonl"


def guard(file, **options):
    started = Guard(EdgeAuthScheme([SECRET]), decisions=str(file), **options)
    started.start()
    return started


def test_an_accepted_request_is_a_line_with_who_signed_it(file):
    guard(file).check(PlainRequest(fields=SIGNED, path="/buy", method="POST"), now=NOW + 2.5)
    assert lines(file) == [
        {
            "time": NOW + 2.5,
            "allowed": True,
            "reason": "ok",
            "enforced": True,
            "method": "POST",
            "path": "/buy",
            "peer": "192.0.2.1",
            "scheme": "edge-auth",
            "key": "key-1",
            "pop": "LHR",
            "age": 2.5,
        }
    ]


@pytest.mark.parametrize(("mode", "passed"), [("enforce", False), ("report-only", True)])
def test_a_refusal_says_whether_it_was_carried_out(file, mode, passed):
    guard(file, mode=mode).check(PlainRequest(fields=SIGNED), now=NOW + 75)
    (line,) = lines(file)
    assert (line["allowed"], line["enforced"], line["reason"]) == (passed, not passed, "expired")
    assert (line["key"], line["pop"], line["age"]) == ("key-1", "LHR", 75)


def test_an_exempt_and_an_unauthenticated_request_are_lines_too(file):
    checked = guard(file, exempt=["GET /healthz"])
    checked.check(PlainRequest(path="/healthz"), now=NOW)
    checked.check(PlainRequest(fields=[("Edge-Auth", VALUE[:-1] + b"?")]), now=NOW)
    exempt, refused = lines(file)
    assert (exempt["reason"], exempt["key"], exempt["age"]) == ("exempt", None, None)
    assert (refused["reason"], refused["key"], refused["age"]) == ("malformed", None, None)


def test_a_scheme_that_fails_is_a_line(file):
    class Broken:
        headers = ()

        def verify(self, request, *, now):
            raise RuntimeError

    Guard(Broken(), decisions=str(file)).check(PlainRequest(), now=NOW)
    assert lines(file)[0]["reason"] == "error"


def test_no_part_of_a_credential_and_no_query_is_in_the_file(file):
    request = PlainRequest(fields=SIGNED, path="/a", target=b"/a?token=1")
    guard(file).check(request, now=NOW)
    assert VALUE.decode()[15:] not in file.read_text()
    assert "token" not in file.read_text()


@pytest.mark.parametrize(
    "path", ['/"\n{}', "/\x1b[2J\0", "/\u2028\u202e", "/\ud800", "/\U0001f600" * 5000]
)
def test_whatever_a_client_sends_is_one_ascii_line_that_a_pipe_takes_whole(file, path):
    request = PlainRequest(path=path, method=path, peer=path, fields=SIGNED)
    guard(file).check(request, now=NOW)
    raw = file.read_bytes()
    assert raw.count(b"\n") == 1
    assert len(raw) < 4096
    assert lines(file)[0]["path"][:2] == path[:2]


def test_the_peer_is_the_address_before_the_trusted_proxies(file):
    checked = guard(file, trusted_proxies=["192.0.2.1"])
    forwarded = [("X-Forwarded-For", b"203.0.113.9, 151.101.1.57")]
    checked.check(PlainRequest(fields=forwarded), now=NOW)
    checked.check(PlainRequest(fields=[("X-Forwarded-For", b"junk")]), now=NOW)
    checked.check(PlainRequest(peer=None), now=NOW)
    assert [line["peer"] for line in lines(file)] == ["151.101.1.57", "192.0.2.1", None]


def test_a_file_that_is_moved_away_is_made_anew(file):
    checked = guard(file)
    checked.check(PlainRequest(), now=NOW)
    file.rename(file.with_name("old"))
    checked.check(PlainRequest(), now=NOW + 0.5)
    checked.check(PlainRequest(), now=NOW + 1.5)
    assert [len(lines(path)) for path in (file.with_name("old"), file)] == [2, 1]


@contextlib.contextmanager
def room_for(size):
    """No file of this process can become larger than *size* bytes, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("name", ["missing/file", ".", "unread", "nul\0", "new/", "loop"])
def test_a_file_that_cannot_be_opened_is_an_error_at_start(tmp_path, name):
    os.mkfifo(tmp_path / "unread")
    (tmp_path / "loop").symlink_to("loop")
    # As it is: a Path would lose the slash at the end.
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        guard(f"{tmp_path}/{name}")


def test_a_start_makes_no_file_and_the_first_decision_does(file):
    checked = guard(file)
    assert not file.exists()
    checked.check(PlainRequest(), now=NOW)
    assert len(lines(file)) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_link_that_dangles_is_judged_by_where_it_leads(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("logs/decisions")
    with pytest.raises(ConfigurationError, match="No such file"):
        guard(link)
    (tmp_path / "logs").mkdir()
    guard(link).check(PlainRequest(), now=NOW)
    assert len(lines(tmp_path / "logs" / "decisions")) == 1


@pytest.fixture
def open_folder():
    """A folder that every user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_folder_that_the_app_may_not_write_to_is_an_error_at_start(open_folder):
    open_folder.chmod(0o555)
    with not_as_root(), pytest.raises(ConfigurationError, match="its folder cannot be written to"):
        guard(open_folder / "decisions")
    open_folder.chmod(0o755)
    assert list(open_folder.iterdir()) == []


def test_a_file_that_may_be_written_and_not_read_is_written(open_folder):
    path = open_folder / "decisions"
    path.touch()
    path.chmod(0o222)
    with not_as_root():
        checked = guard(path)
        checked.check(PlainRequest(), now=NOW)
        with room_for(path.stat().st_size + 10):
            checked.check(PlainRequest(), now=NOW)
        checked.check(PlainRequest(path="/after"), now=NOW)
    path.chmod(0o644)
    first, half, last = path.read_text().splitlines()
    assert (json.loads(first)["path"], json.loads(last)["path"]) == ("/", "/after")
    assert (len(half), checked.lost_lines) == (10, 1)


# --- streams


def test_half_a_line_in_a_socket_is_followed_by_a_new_one():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stream = guard(f"/dev/fd/{theirs.fileno()}", exempt=["GET /"])
        while not stream.lost_lines:
            stream.check(PlainRequest(path="/" * 200), now=NOW)
        received = ours.recv(1 << 22, socket.MSG_WAITALL | socket.MSG_DONTWAIT)
        stream.check(PlainRequest(path="/after"), now=NOW)
        *_, last = (received + ours.recv(65_536)).splitlines()
    assert json.loads(last)["path"] == "/after"


def test_a_copy_of_a_pipe_that_nobody_empties_stops_no_request(monkeypatch):
    # As where the pipe belongs to another user, who alone may open it anew.
    opened = os.open

    def refuse(path, *rest, **options):
        if str(path).startswith("/dev/fd/"):
            raise PermissionError
        return opened(path, *rest, **options)

    reader, writer = os.pipe()
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        stream = guard(f"/proc/self/fd/{writer}", exempt=["GET /"])
        stream.check(PlainRequest(), now=NOW)
    for _ in range(2000):
        stream.check(PlainRequest(), now=NOW)
    assert 0 < stream.lost_lines < 2000
    received = os.read(reader, 1 << 20)
    stream.check(PlainRequest(), now=NOW)
    *_, told, last = os.read(reader, 1 << 20).splitlines()
    assert received.endswith(b"}\n")
    assert (json.loads(told)["lost"], json.loads(last)["reason"]) == (stream.lost_lines, "exempt")
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("name", ["/dev/fd/{fd}", "/proc/self/fd/{fd}", "/proc/{process}/fd/{fd}"])
def test_a_stream_that_is_closed_or_only_read_is_an_error_at_start(tmp_path, name):
    (tmp_path / "in").touch()
    reading = os.open(tmp_path / "in", os.O_RDONLY)
    with pytest.raises(ConfigurationError, match="it is open for reading only"):
        guard(name.format(fd=reading, process=os.getpid()))
    os.close(reading)
    with pytest.raises(ConfigurationError, match="Bad file descriptor"):
        guard(name.format(fd=reading, process=os.getpid()))


def test_a_stream_of_another_process_is_a_path_like_others(tmp_path):
    with (tmp_path / "out").open("wb") as out:
        other = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=out
        )
    try:
        guard(f"/proc/{other.pid}/fd/1").check(PlainRequest(), now=NOW)
    finally:
        other.communicate(b"\n")
    assert len(lines(tmp_path / "out")) == 1


def test_a_request_with_a_pass_is_a_line_too(file):
    passes = Passes("a-secret-for-passes-only")
    token, _ = passes.issue("alice", ttl=60, now=NOW)
    fields = [("Edge-Auth-Pass", token.encode())]
    guard(file, passes=passes).check(PlainRequest(fields=fields), now=NOW)
    assert lines(file)[0]["reason"] == "pass"


def test_a_path_that_leads_to_another_file_is_followed(file):
    watched = guard(file)
    watched.check(PlainRequest(), now=NOW)
    other = file.with_name("other")
    other.touch()
    other.replace(file)
    watched.check(PlainRequest(path="/after"), now=NOW + 3600)
    assert [line["path"] for line in lines(file)] == ["/after"]


def test_half_a_line_is_a_lost_line(file):
    written = guard(file)
    with room_for(20):
        written.check(PlainRequest(), now=NOW)
    assert written.lost_lines == 1
    written.check(PlainRequest(path="/after"), now=NOW)
    assert json.loads(file.read_text().splitlines()[-1])["path"] == "/after"


def test_half_a_line_of_one_process_swallows_no_line_of_another(file):
    torn, whole = guard(file), guard(file)
    whole.check(PlainRequest(), now=NOW)
    size = file.stat().st_size
    with room_for(size + 100):
        torn.check(PlainRequest(), now=NOW)
    # The other one knows of nothing.
    whole.check(PlainRequest(path="/after"), now=NOW)
    first, half, last = file.read_text().splitlines()
    assert (json.loads(first)["path"], json.loads(last)["path"]) == ("/", "/after")
    assert len(half) == 100
    assert (torn.lost_lines, whole.lost_lines) == (1, 0)


def test_a_file_whose_last_byte_alone_did_not_fit_has_lost_no_line(file):
    checked = guard(file)
    checked.check(PlainRequest(), now=NOW)
    size = file.stat().st_size
    with room_for(2 * size - 1):
        checked.check(PlainRequest(), now=NOW)
    checked.check(PlainRequest(), now=NOW)
    assert (len(lines(file)), checked.lost_lines) == (3, 0)


def test_what_was_lost_is_said_in_the_file_as_soon_as_there_is_room(file):
    checked = guard(file)
    checked.check(PlainRequest(), now=NOW)
    with room_for(file.stat().st_size):
        for _ in range(5):
            checked.check(PlainRequest(), now=NOW + 1)
    checked.check(PlainRequest(), now=NOW + 2)
    checked.check(PlainRequest(), now=NOW + 3)
    assert lines(file)[1] == {"time": NOW + 2, "lost": 5}
    assert [line.get("lost") for line in lines(file)] == [None, 5, None, None]
    assert (summed_up(file).decisions, summed_up(file).lost) == (3, 5)


def test_half_of_what_was_lost_is_said_again(file):
    checked = guard(file)
    checked.check(PlainRequest(), now=NOW)
    size = file.stat().st_size
    with room_for(size):
        checked.check(PlainRequest(), now=NOW)
    with room_for(size + 10):
        checked.check(PlainRequest(), now=NOW)
    checked.check(PlainRequest(), now=NOW)
    assert lines_of(file)[-2:] == [{"time": NOW, "lost": 2}, lines_of(file)[0]]


def test_each_line_is_counted_while_the_folder_is_gone(tmp_path):
    file = tmp_path / "logs" / "decisions"
    file.parent.mkdir()
    checked = guard(file)
    checked.check(PlainRequest(), now=NOW)
    shutil.rmtree(file.parent)
    for number in range(3000):
        checked.check(PlainRequest(), now=NOW + number / 1000)
    assert checked.lost_lines == 3000
    file.parent.mkdir()
    checked.check(PlainRequest(), now=NOW + 3)
    assert [line.get("lost") for line in lines(file)] == [3000, None]


def test_a_file_that_is_removed_is_made_anew_by_the_next_line(file):
    checked = guard(file)
    checked.check(PlainRequest(), now=NOW)
    file.unlink()
    checked.check(PlainRequest(path="/after"), now=NOW)
    assert ([line["path"] for line in lines(file)], checked.lost_lines) == (["/after"], 0)


def test_lines_go_on_into_a_folder_that_was_moved_away(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    checked = guard(logs / "decisions")
    checked.check(PlainRequest(), now=NOW)
    moved = logs.rename(tmp_path / "moved")
    for number in range(100):
        checked.check(PlainRequest(), now=NOW + number)
    assert (checked.lost_lines, len(lines(moved / "decisions"))) == (0, 101)
    logs.mkdir()
    checked.check(PlainRequest(), now=NOW + 200)
    assert len(lines(logs / "decisions")) == 1


def test_a_line_that_another_process_is_writing_is_no_half_line(file, monkeypatch):
    checked = guard(file)
    file.write_text('{"half of')
    moments = iter([lambda: None, lambda: file.write_text('{"half of": "it"}\n')])
    monkeypatch.setattr("edgeauth._record.append.time.sleep", lambda _seconds: next(moments)())
    checked.check(PlainRequest(), now=NOW)
    assert file.read_text().count("\n") == 2


def test_a_full_pipe_loses_whole_lines(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    checked = guard(tmp_path / "pipe", exempt=["GET /"])
    for _ in range(2000):
        checked.check(PlainRequest(), now=NOW)
    written = [json.loads(line) for line in os.read(reader, 1 << 20).splitlines()]
    os.close(reader)
    assert len(written) == 2000 - checked.lost_lines < 2000


def test_a_pipe_that_nobody_empties_stops_no_request(tmp_path, caplog):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    checked = guard(pipe, exempt=["GET /"])
    done = threading.Event()

    def requests():
        for _ in range(2000):
            checked.check(PlainRequest(), now=NOW)
        done.set()

    threading.Thread(target=requests, daemon=True).start()
    assert done.wait(30)
    os.close(reader)
    assert checked.lost_lines > 0
    assert "lines are lost so far" in caplog.text


def test_a_clock_that_is_set_back_still_finds_a_moved_file(file):
    checked = guard(file)
    checked.check(PlainRequest(), now=NOW)
    file.rename(file.with_name("old"))
    checked.check(PlainRequest(), now=NOW - 86_400)
    assert len(lines(file)) == 1


def test_a_guard_without_a_file_tells_nobody_of_what_it_lets_in():
    plain = Guard(EdgeAuthScheme([SECRET]))
    assert not plain._observers.every_decision
    assert plain.lost_lines == 0


def test_to_make_a_guard_opens_no_file_and_logs_nothing(tmp_path, caplog):
    made = Guard(
        EdgeAuthScheme([SECRET]),
        AddressList(["192.0.2.0/24"], as_of="2020-01"),
        mode="report-only",
        decisions=f"{tmp_path}/missing/file",
    )
    assert not caplog.records
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        made.start()
    # It is not forgotten that it failed.
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        made.start()


def test_a_guard_that_nobody_started_starts_at_its_first_decision(file, caplog):
    made = Guard(
        EdgeAuthScheme([SECRET]),
        AddressList(["192.0.2.0/24"], as_of="2020-01"),
        mode="report-only",
        decisions=str(file),
    )
    for _ in range(3):
        made.check(PlainRequest(), now=NOW)
    made.start()
    assert len(lines(file)) == 3
    (mode,) = [line for line in caplog.messages if line.startswith("report-only mode")]
    (age,) = [line for line in caplog.messages if line.startswith("the address list is as of")]
    assert caplog.messages.index(mode) < caplog.messages.index(age)


def test_a_file_that_cannot_be_opened_refuses_nobody_whose_guard_was_not_started(tmp_path, caplog):
    made = Guard(EdgeAuthScheme([SECRET]), decisions=f"{tmp_path}/missing/file", exempt=["GET /"])
    assert [made.check(PlainRequest(), now=NOW).reason for _ in range(3)] == ["exempt"] * 3
    assert made.lost_lines == 3
    assert [line for line in caplog.messages if "lines are lost so far" in line]
    (tmp_path / "missing").mkdir()
    assert made.check(PlainRequest(), now=NOW).reason == "exempt"
    assert len(lines(tmp_path / "missing" / "file")) == 2


def test_the_setting_names_the_file(file):
    checked = Guard.from_settings({"secret": SECRET, "decisions": str(file)})
    checked.check(PlainRequest(), now=time.time())
    assert lines(file)[0]["reason"] == "missing"


def test_a_descriptor_of_a_plain_file_is_written_to_as_it_is(tmp_path):
    with (tmp_path / "out").open("ab") as out:
        checked = guard(f"/dev/fd/{out.fileno()}", exempt=["GET /"])
        checked.check(PlainRequest(), now=NOW)
    assert [line["reason"] for line in lines(tmp_path / "out")] == ["exempt"]

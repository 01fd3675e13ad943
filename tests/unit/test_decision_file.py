"""Decisions as lines of JSON."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time

import pytest
from support.requests import PlainRequest
from support.vectors import SECRET

from edgeauth import ConfigurationError, EdgeAuthScheme, Guard, sign
from edgeauth.passes import Passes

NOW = 1_700_000_000
VALUE = sign(SECRET, pop="LHR", timestamp=NOW).encode()
SIGNED = [("Edge-Auth", VALUE)]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "decisions.jsonl"


def guard(file, **options):
    return Guard(EdgeAuthScheme([SECRET]), decisions=str(file), **options)


def lines(file):
    return [json.loads(line) for line in file.read_text("ascii").splitlines()]


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


def test_several_processes_and_threads_never_mix_their_lines(file):
    script = (
        "import sys, threading\n"
        "from edgeauth import EdgeAuthScheme, Guard\n"
        "from support.requests import PlainRequest\n"
        "guard = Guard(EdgeAuthScheme(['x' * 16]), decisions=sys.argv[1])\n"
        "def run(): [guard.check(PlainRequest(path='/' + sys.argv[2] * 200)) for _ in range(500)]\n"
        "threads = [threading.Thread(target=run) for _ in range(2)]\n"
        "[t.start() for t in threads], [t.join() for t in threads]\n"
    )
    env = {**os.environ, "PYTHONPATH": str(next(p for p in sys.path if p.endswith("tests")))}
    command = [sys.executable, "-c", script, str(file)]
    running = [
        subprocess.Popen([*command, name], env=env, stderr=subprocess.DEVNULL) for name in "abc"
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(lines(file)) == 3000
    assert all(len(set(line["path"])) == 2 for line in lines(file))


def test_a_file_that_cannot_be_opened_is_an_error_at_start(tmp_path):
    os.mkfifo(tmp_path / "unread")
    for name in ("missing/file", ".", "unread", "nul\0"):
        with pytest.raises(ConfigurationError, match="cannot be opened"):
            guard(tmp_path / name)


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
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        written.check(PlainRequest(), now=NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert written._file.lost == 1
    written.check(PlainRequest(path="/after"), now=NOW)
    assert json.loads(file.read_text().splitlines()[-1])["path"] == "/after"


def test_a_full_disk_refuses_nobody_and_is_told_once_a_minute(file):
    script = f"""
import logging, resource
logging.basicConfig(format="%(message)s")
from edgeauth import EdgeAuthScheme, Guard
from support.requests import PlainRequest
guard = Guard(EdgeAuthScheme(["x" * 16]), decisions={str(file)!r}, exempt=["GET /"])
resource.setrlimit(resource.RLIMIT_FSIZE, (250, 1 << 40))
for second in range(100):
    assert guard.check(PlainRequest(), now={NOW} + second).allowed
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 40, 1 << 40))
guard.check(PlainRequest(path="/after"), now={NOW} + 101)
print("all passed", guard._file.lost)
"""
    env = {**os.environ, "PYTHONPATH": str(next(p for p in sys.path if p.endswith("tests")))}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout == "all passed 99\n"
    told = [line for line in done.stderr.splitlines() if "decisions file" in line]
    assert len(told) == 2
    assert "lines are lost so far" in told[0]
    # The half line has a line of its own; what follows can be read.
    assert json.loads(file.read_text().splitlines()[-1])["path"] == "/after"


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
    assert checked._file.lost > 0
    assert "lines are lost so far" in caplog.text


def test_a_clock_that_is_set_back_still_finds_a_moved_file(file):
    checked = guard(file)
    checked.check(PlainRequest(), now=NOW)
    file.rename(file.with_name("old"))
    checked.check(PlainRequest(), now=NOW - 86_400)
    assert len(lines(file)) == 1


def test_a_guard_without_a_file_has_none():
    assert Guard(EdgeAuthScheme([SECRET]))._file is None


def test_the_setting_names_the_file(file):
    checked = Guard.from_settings({"secret": SECRET, "decisions": str(file)})
    checked.check(PlainRequest(), now=time.time())
    assert lines(file)[0]["reason"] == "missing"

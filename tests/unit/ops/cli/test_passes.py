"""``edgeauth pass issue``."""

from __future__ import annotations

import shlex
import time

import pytest

from edgeauth import Passes

PASS_SECRET = "a-secret-that-signs-passes-only"
ENV = {"EDGEAUTH_PASS_SECRET": PASS_SECRET}


def verified(line):
    name, _, value = line.partition(": ")
    assert name == "Edge-Auth-Pass"
    return Passes(PASS_SECRET).verify_value(value.encode(), now=time.time())


def test_it_prints_the_header_and_says_what_it_is_good_for(edgeauth):
    result = edgeauth("pass", "issue", "--for", "alice", env=ENV)
    assert result.exit_code == 0
    issued = verified(result.stdout.rstrip("\n"))
    assert (issued.holder, issued.expires_at - issued.issued_at) == ("alice", 900)
    assert f"pass {issued.id} for alice: until " in result.stderr
    assert "any method, any path" in result.stderr
    assert f"add {issued.id} to revoked_passes" in result.stderr
    assert PASS_SECRET not in result.output


@pytest.mark.parametrize(("ttl", "length"), [("90s", 90), ("15m", 900), ("24h", 86_400), ("1s", 1)])
def test_the_length_has_a_unit(edgeauth, ttl, length):
    result = edgeauth("pass", "issue", "--for", "alice", "--ttl", ttl, env=ENV)
    issued = verified(result.stdout.strip())
    assert issued.expires_at - issued.issued_at == length


@pytest.mark.parametrize(
    "args",
    [("--ttl", "15"), ("--ttl", "m"), ("--ttl", "-1m"), ("--ttl", "\u0661m"), ("--ttl", "25h")],
)
def test_a_length_without_unit_or_over_a_day_is_refused(edgeauth, args):
    result = edgeauth("pass", "issue", "--for", "alice", *args, env=ENV)
    assert (result.exit_code, result.stdout) == (2, "")


def test_methods_and_paths_narrow_it(edgeauth):
    narrow = ("--method", "GET", "--method", "HEAD", "--path-exact", "/a", "--path-exact", "/b")
    result = edgeauth("pass", "issue", "--for", "alice", *narrow, env=ENV)
    issued = verified(result.stdout.strip())
    assert (issued.methods, issued.paths) == (("GET", "HEAD"), ("/a", "/b"))
    assert "GET HEAD, /a /b" in result.stderr


def test_the_curl_command_sends_it(edgeauth):
    url = "https://origin.example/a?b=[1]"
    result = edgeauth("pass", "issue", "--for", "alice", "--curl", url, env=ENV)
    words = shlex.split(result.stdout)
    assert words[:3] == ["curl", "--globoff", "--header"]
    assert verified(words[3]).holder == "alice"
    assert words[4] == url


def test_no_secret_of_the_edge_is_needed_and_its_own_may_be_in_a_file(edgeauth, tmp_path):
    (tmp_path / "pass").write_text(PASS_SECRET + "\n")
    (tmp_path / "edgeauth.toml").write_text('pass_secret_file = "pass"\n')
    result = edgeauth("pass", "issue", "--for", "alice", "--config", "edgeauth.toml")
    assert verified(result.stdout.strip()).holder == "alice"


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, "no pass secret: set EDGEAUTH_PASS_SECRET"),
        ({"EDGEAUTH_PASS_SECRET": "short"}, "has 5 bytes"),
        ({**ENV, "EDGEAUTH_SECRET": PASS_SECRET}, "also a secret of the edge"),
    ],
)
def test_without_a_usable_secret_nothing_is_issued(edgeauth, env, words):
    result = edgeauth("pass", "issue", "--for", "alice", env=env)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_name_that_could_not_be_logged_is_refused(edgeauth):
    result = edgeauth("pass", "issue", "--for", "alice smith", env=ENV)
    assert result.exit_code == 2
    assert "1 to 64 letters" in result.stderr

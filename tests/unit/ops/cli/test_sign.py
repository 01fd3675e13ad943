"""``edgeauth sign``."""

from __future__ import annotations

import shlex
import subprocess
import time

import pytest
from support.programs import program

SECRET = "some-pre-shared-secret"
ENV = {"EDGEAUTH_SECRET": SECRET}
HEX = "b86a3ac4db4c4b345a9c2544efa2c9b8eaf442ce47df34ef37b413638e38e720"
BASE64 = "uGo6xNtMSzRanCVE76LJuOr0Qs5H3zTvN7QTY4445yA="
LHR = ("--pop", "LHR", "--at", "1700000000")


@pytest.mark.parametrize(
    ("args", "value"),
    [
        (LHR, f"1700000000,LHR,0x{HEX}"),
        ((*LHR, "--encoding", "base64"), f"1700000000,LHR, {BASE64}"),
    ],
)
def test_it_prints_the_header_line_of_each_sender(edgeauth, args, value):
    result = edgeauth("sign", *args, env=ENV)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"Edge-Auth: {value}\n", "")


def test_openssl_makes_the_same_signature(edgeauth):
    done = subprocess.run(
        [program("openssl"), "dgst", "-sha256", "-hmac", SECRET, "-r"],
        input=b"1700000000,LHR",
        capture_output=True,
        check=True,
    )
    made = done.stdout.split()[0].decode()
    assert edgeauth("sign", *LHR, env=ENV).stdout == f"Edge-Auth: 1700000000,LHR,0x{made}\n"


def test_two_fields_name_no_pop(edgeauth):
    result = edgeauth("sign", "--two-field", "--at", "1700000000", env=ENV)
    timestamp, signature = result.stdout.removeprefix("Edge-Auth: ").strip().split(",")
    assert (timestamp, len(signature)) == ("1700000000", 64)


def test_two_fields_and_a_pop_contradict_each_other(edgeauth):
    result = edgeauth("sign", "--two-field", "--pop", "LHR", env=ENV)
    assert result.exit_code == 2
    assert "leave --pop out" in result.stderr


@pytest.mark.parametrize(("pops", "expected"), [(None, "XXX"), ("FRA,AMS", "FRA")])
def test_the_pop_is_the_first_that_the_settings_allow_or_the_simulators(edgeauth, pops, expected):
    env = ENV if pops is None else {**ENV, "EDGEAUTH_POPS": pops}
    assert edgeauth("sign", env=env).stdout.split(",")[1] == expected


def test_without_a_moment_it_signs_the_present(edgeauth):
    before = int(time.time())
    line = edgeauth("sign", env=ENV).stdout
    assert before <= int(line.split()[1].split(",")[0]) <= time.time()


def test_the_header_has_the_name_in_the_settings(edgeauth):
    line = edgeauth("sign", env={**ENV, "EDGEAUTH_HEADER": "X-Edge"}).stdout
    assert line.startswith("X-Edge: ")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--pop", "L R"), "POP code 'L R'"),
        (("--pop", ""), "POP code ''"),
        (("--at", "0"), "timestamp 0"),
        (("--at", "1960-01-01"), "timestamp -"),
    ],
)
def test_what_no_edge_would_send_is_refused(edgeauth, args, words):
    result = edgeauth("sign", *args, env=ENV)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_shared_secret_is_not_printed(edgeauth):
    result = edgeauth("sign", env={**ENV, "EDGEAUTH_SCHEME": "shared-secret"})
    assert (result.exit_code, result.stdout) == (2, "")
    assert "curl --header @FILE" in result.stderr
    assert SECRET not in result.stderr


@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/", "https://[::1]/a?b[]=1&c={d}", "http://x/$(reboot)`id`';\"!"],
)
def test_the_curl_command_means_to_a_shell_what_it_says(edgeauth, url, encoding):
    args = (*LHR, "--encoding", encoding)
    header = edgeauth("sign", *args, env=ENV).stdout.rstrip("\n")
    printed = edgeauth("sign", *args, "--curl", url, env=ENV).stdout
    words = ["curl", "--globoff", "--header", header, url]
    assert shlex.split(printed) == words
    seen_by_sh = subprocess.run(
        ["/bin/sh", "-c", f"curl() {{ printf '%s\\n' curl \"$@\"; }}\n{printed}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen_by_sh.stdout.splitlines() == words


def test_a_url_that_is_none_inside_gets_no_curl_command(edgeauth):
    result = edgeauth("sign", "--curl", "http://[x", env=ENV)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--curl 'http://[x' is no URL" in result.stderr


@pytest.mark.parametrize(
    "url",
    ["", "--output=/etc/x", "file:///etc/passwd", "http://x/\n", "http://x/\x1b", "http://x/ y"],
)
def test_what_is_no_url_gets_no_curl_command(edgeauth, url):
    result = edgeauth("sign", "--curl", url, env=ENV)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "http:// or https://" in result.stderr

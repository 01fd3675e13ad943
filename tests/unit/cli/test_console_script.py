"""The installed program: its streams, its exit status, its colours."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

SECRET = "some-pre-shared-secret"
SCRIPT = Path(sys.executable).with_name("edgeauth")
COMMANDS = {"script": [SCRIPT], "module": [sys.executable, "-m", "edgeauth"]}


def run(*args: object, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(arg) for arg in args],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env=environment(**variables),
    )


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return {**kept, "EDGEAUTH_SECRET": SECRET, "TERM": "xterm", **variables}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_script_and_the_module_are_the_same_command(command):
    done = run(*command, "sign", "--pop", "LHR", "--at", "1700000000")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Edge-Auth: 1700000000,LHR,0xb86a3ac4")
    assert run(*command, "--help").stdout.startswith("Usage: edgeauth ")


@pytest.mark.parametrize(
    ("pipe", "status"),
    [
        ("edgeauth sign | edgeauth verify", 0),
        ("edgeauth sign --encoding base64 | edgeauth verify -", 0),
        ("edgeauth sign --at 1700000000 | edgeauth verify", 1),
        ("edgeauth sign | tr 0-9 9 | edgeauth verify --json", 1),
        ("edgeauth sign | edgeauth verify --config /missing", 2),
    ],
)
def test_a_pipe_ends_with_the_status_of_the_verdict(pipe, status):
    path = f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"
    assert run("/bin/sh", "-c", pipe, PATH=path).returncode == status


def test_a_secret_from_keygen_can_be_taken_by_a_shell():
    take = 'EDGEAUTH_SECRET=$("$0" keygen 2>/dev/null); export EDGEAUTH_SECRET'
    assert run("/bin/sh", "-c", f'{take}; "$0" sign | "$0" verify', SCRIPT).returncode == 0


def test_a_pipe_gets_no_colour():
    assert "\x1b" not in run(SCRIPT, "verify", stdin="x").stdout


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)],
    ids=["terminal", "NO_COLOR", "empty NO_COLOR"],
)
def test_a_terminal_gets_colour_unless_no_color_is_set(variables, coloured):
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [SCRIPT, "verify", "x"],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        check=False,
        env=environment(**variables),
    )
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert (done.returncode, b"REFUSED" in shown, b"\x1b[" in shown) == (1, True, coloured)


def test_a_configuration_error_has_no_trace_back():
    done = run(SCRIPT, "check-config", EDGEAUTH_SECRET="short")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1


def test_no_argument_takes_a_secret():
    for command in ("sign", "verify", "check-config"):
        assert "--secret " not in run(SCRIPT, command, "--help").stdout

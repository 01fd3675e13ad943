"""The installed program: its streams, its exit status, its colours."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from support.processes import wait_until

from edgeauth.ops.cli import COMMANDS as COMMANDS_OF_THE_PROGRAM

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


def test_a_reader_that_leaves_is_no_verdict_and_no_trace_back():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        for args in (["sign"], ["verify", "x"], ["check-config"], ["verify", "--json", "x"]):
            done = subprocess.run(
                [SCRIPT, *args],
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
                # One with which an app would start too.
                env={**environment(), "EDGEAUTH_SECRET": "9bd1c6f0a7e84e25b3f7c1d09e5a4826"},
            )
            assert (done.returncode, done.stderr) == (141, ""), args


@pytest.mark.parametrize("args", [["sign"], ["verify", "x"], ["--help"], ["keygen"]], ids=str)
def test_output_that_cannot_be_written_is_one_sentence(args):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [SCRIPT, *args],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment(),
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "Error: No space left on device"
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("args", ["verify x", "sign", "check-config", "keygen", "nothing", "-h"])
def test_closed_streams_make_no_trace_back(closing, args, tmp_path):
    errors = tmp_path / "errors"
    command = f'"$0" {args} 2>"$1" {closing}'
    done = run("/bin/sh", "-c", command, SCRIPT, errors)
    assert done.returncode in {0, 1, 2}
    assert "Traceback" not in errors.read_text() + done.stdout + done.stderr


def test_ctrl_c_is_no_verdict():
    ours, theirs = os.pipe()
    process = subprocess.Popen(
        [SCRIPT, "verify"],
        stdin=ours,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        # A shell has what it runs in the background ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads
    )
    # It reads at most 64 KiB of what a pipe of as many holds; when some is gone, it waits.
    os.set_blocking(theirs, False)
    os.write(theirs, bytes(10))
    wait_until(lambda: _unread(ours) == 0)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, stdout) == (130, b"")
    assert b"Traceback" not in stderr


def _unread(pipe):
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.mark.parametrize(
    "args",
    [
        [b"v\xff"],
        [b"verify", b"\xff"],
        [b"verify", b"--at", b"\xff", b"x"],
        [b"check-config", b"--config", b"\xff"],
        [b"doctor", b"--app", b"\xff:app"],
        [b"doctor", b"--listen", b"\xff"],
        [b"report", b"\xff"],
        [b"probe", b"http://\xff/"],
        [b"snippet", b"vcl", b"--header", b"\xff"],
        [b"edge", b"--upstream", b"http://\xff"],
        [b"pass", b"issue", b"--for", b"\xff", b"--ttl", b"1h"],
    ],
    ids=lambda args: args[0].decode(errors="replace"),
)
def test_arguments_that_are_not_utf_8_are_told_of_in_plain_text(args):
    done = subprocess.run(
        [SCRIPT, *args], capture_output=True, check=False, env=environment(), timeout=60
    )
    assert done.returncode in {1, 2}
    assert b"Traceback" not in done.stderr
    assert b"\xff" not in done.stdout + done.stderr


@pytest.mark.parametrize("columns", ["20", "1"])
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS_OF_THE_PROGRAM)], ids=str)
def test_a_narrow_terminal_gets_its_help(columns, command):
    assert run(SCRIPT, *command, "--help", COLUMNS=columns).returncode == 0

"""The shells complete by the lines of docs/command-line.md: the real ones, with a Tab key."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from support.programs import program

from edgeauth.ops.cli.help import COMPLETION

# Nobody's own settings, and a prompt that can be told from the rest.
START = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
    "fish": ["--no-config", "-i"],
}
# What a user of the shell has in the file of its settings before anything completes.
BEFORE = {"bash": "", "zsh": "autoload -Uz compinit && compinit -u -D && ", "fish": ""}

# What is typed before Tab, and the arguments that the command then gets.
TYPED = {
    "a command": ("veri", "verify"),
    "a command in a group": ("keys rotate fin", "keys rotate finish"),
    "an option": ("report --ht", "report --html"),
    "a value": ("sign --encoding ba", "sign --encoding base64"),
    "a file": ("report decis", "report decisions.log"),
    "a file of an option": ("verify --secrets-file my", "verify --secrets-file my.keys"),
}

# Completes as the command does, and prints what it is run with.
STAND_IN = """\
#!/bin/sh
if [ -n "$_EDGEAUTH_COMPLETE" ]; then exec '{edgeauth}' "$@"; fi
printf '<%s>\\n' "$*"
"""


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, shell: str, folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        stand_in = folder / "bin" / "edgeauth"
        stand_in.parent.mkdir()
        stand_in.write_text(STAND_IN.format(edgeauth=Path(sys.executable).with_name("edgeauth")))
        stand_in.chmod(0o700)
        env = {
            "PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
            "PS1": "% ",
        }
        self.process = subprocess.Popen(
            [program(shell), *START[shell]],
            cwd=folder,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - no other thread runs
        )
        os.close(theirs)
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, pattern: str, *, seconds: float = 60) -> str:
        """Read until what is shown has *pattern*; forget what is before its end."""
        deadline = time.monotonic() + seconds
        while True:
            if found := re.search(pattern, self.shown):
                self.shown = self.shown[found.end() :]
                return found[0]
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern!r} was not shown, but: {self.shown!r}"
            if select.select([self._ours], [], [], left)[0]:
                self.shown += os.read(self._ours, 65536).decode(errors="replace")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture(params=START)
def shell(request, tmp_path):
    (tmp_path / "decisions.log").touch()
    (tmp_path / "my.keys").touch()
    terminal = Terminal(request.param, tmp_path)
    with contextlib.closing(terminal):
        terminal.type(f"{BEFORE[request.param]}{COMPLETION[request.param]}\necho re''ady\n")
        terminal.wait_for("ready")
        yield terminal


def test_the_tab_key_completes(shell):
    completed = {}
    for what, (typed, _) in TYPED.items():
        shell.type(f"edgeauth {typed}\t\n")
        completed[what] = shell.wait_for("<.*>").strip("<> ")

    assert completed == {what: whole for what, (_, whole) in TYPED.items()}

"""docs/command-line.md: every command in it runs, and prints what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.programs import program

PAGE = Path(__file__).parents[3] / "docs" / "command-line.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROMPT = re.compile(r"^\$ ", re.MULTILINE)
MARK = "\x1e"
# Leaves $? as the command before it left it.
MARKER = f"mark() {{ status=$?; printf '{MARK}'; return $status; }}\n"


def commands() -> list[tuple[str, str]]:
    """Each command of the page, in order, and what the page says it prints."""
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    parts = [part for block in blocks for part in PROMPT.split(block)[1:]]
    return [(line, printed) for line, _, printed in (part.partition("\n") for part in parts)]


@pytest.fixture(scope="module")
def transcript(tmp_path_factory):
    """What the page's commands print in one shell, run from top to bottom."""
    program("openssl")
    script = MARKER + "".join(f"mark\n{line}\n" for line, _ in commands())
    env = {name: value for name, value in os.environ.items() if not name.startswith("EDGEAUTH_")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=tmp_path_factory.mktemp("shell"),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.split(MARK)[1:]


def test_the_page_has_commands_and_each_was_run(transcript):
    assert len(transcript) == len(commands()) > 10


@pytest.mark.parametrize("place", range(len(commands())), ids=lambda place: commands()[place][0])
def test_each_command_prints_what_the_page_says(transcript, place):
    said = commands()[place][1]
    # "..." stands for anything, lines included, as in doctest.
    pattern = ".*".join(re.escape(part) for part in said.split("..."))
    assert re.fullmatch(pattern, transcript[place], re.DOTALL), transcript[place]

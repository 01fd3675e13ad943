"""Commands that read standard input, started by a program that closed it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.service import COMMAND

SECRET = "the-geese-cross-the-river-at-six"

READERS = [
    ["verify"],
    ["verify", "-"],
    ["verify", "--secret-file", "-", "1700000000,LHR,0x00"],
    ["sign", "--secret-file", "-", "--pop", "LHR"],
    ["probe", "--secret-file", "-", "http://127.0.0.1:1/"],
    ["report", "-"],
]


def run(arguments, redirection):
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "EDGEAUTH_SECRET": SECRET},
    )


@pytest.mark.parametrize(
    ("redirection", "said"),
    [
        pytest.param("<&-", "standard input is closed", id="closed"),
        pytest.param("0>/dev/null", "cannot be read: Bad file descriptor", id="only written to"),
    ],
)
@pytest.mark.parametrize("arguments", READERS, ids=" ".join)
def test_without_a_standard_input_a_command_says_so_in_one_line(arguments, redirection, said):
    done = run(arguments, redirection)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_command_that_does_not_read_it_does_not_need_it():
    done = run(["sign", "--pop", "LHR"], "<&-")
    assert (done.returncode, done.stderr) == (0, "")

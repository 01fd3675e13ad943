"""Standard input that is not there, or cannot be read, is an error in one line."""

from __future__ import annotations

import os
import sys

import pytest

from edgeauth import ConfigurationError
from edgeauth.ops.standard_input import read_standard_input


def test_what_it_holds_is_read_up_to_the_limit(monkeypatch, tmp_path):
    path = tmp_path / "input"
    path.write_bytes(b"\xff123456789")
    with path.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert read_standard_input(4) == b"\xff123"


def test_a_process_without_standard_input_is_told_to_get_one(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)  # what Python makes of "<&-"
    with pytest.raises(ConfigurationError, match="closed: give the command a file or a pipe"):
        read_standard_input(4)


def test_standard_input_that_cannot_be_read_says_why(monkeypatch, tmp_path):
    only_to_write = os.open(tmp_path / "output", os.O_WRONLY | os.O_CREAT)
    with os.fdopen(only_to_write, "r") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(ConfigurationError, match="cannot be read: Bad file descriptor"):
            read_standard_input(4)

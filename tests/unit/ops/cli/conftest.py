"""The command line in this process, as its tests call it."""

from __future__ import annotations

import inspect

import pytest
from click.testing import CliRunner

from edgeauth.ops.cli import main


@pytest.fixture
def edgeauth(monkeypatch, tmp_path):
    """``edgeauth("sign", "--at", "1")``: the result, with stdout and stderr apart."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    # Click 8.2 always keeps them apart and knows no such argument; 8.1 must be told.
    apart = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}

    def run(*args, **options):
        return CliRunner(**apart).invoke(main, args, catch_exceptions=False, **options)

    return run

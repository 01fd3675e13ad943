"""What docs/applications.md shows is what happens."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from support.programs import program
from support.requests import PlainRequest

from edgeauth import EdgeAuthScheme, Guard
from edgeauth.logs import JsonFormatter
from edgeauth.settings import Settings

if TYPE_CHECKING:
    import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "applications.md").read_text("utf-8")


def block(language: str) -> str:
    return re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]


def test_the_settings_file_is_one_that_the_gate_reads(tmp_path: Path):
    given = tomllib.loads(block("toml"))
    file = tmp_path / "edgeauth.toml"
    file.write_text(block("toml"))

    settings = Settings.from_toml(file)

    assert settings.exempt == tuple(given["exempt"])
    assert settings.only_scheme().secrets_file == given["secrets_file"]


def test_a_refusal_as_json_has_the_fields_that_the_page_shows(
    caplog: pytest.LogCaptureFixture,
):
    guard = Guard(EdgeAuthScheme(["Dw0zXhVhmEGc3LAbrYnJ"]))

    guard.check(PlainRequest(peer="203.0.113.9"))

    (record,) = caplog.records
    shown, written = json.loads(block("json")), json.loads(JsonFormatter().format(record))
    same = ("level", "logger", "message", "request")
    assert {name: written[name] for name in same} == {name: shown[name] for name in same}
    assert written.keys() == shown.keys()
    assert logging.getLevelName(record.levelno) == "WARNING"


def test_systemd_takes_the_unit(tmp_path: Path):
    unit = tmp_path / "shop.service"
    # The app and its user are not on this machine.
    text = block("ini").replace("/opt/shop/bin/uvicorn", sys.executable)
    unit.write_text(text.replace("User=shop", "User=daemon"))

    done = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, [line for line in done.stderr.splitlines() if "shop" in line]) == (
        0,
        [],
    )

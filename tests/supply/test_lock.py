"""The locks hold what pyproject.toml asks for; make lock-check tells where they do not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "tools" / "lock.py"


def check(folder):
    return subprocess.run(
        [sys.executable, LOCK, "check"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def checkout(tmp_path):
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def edit(file, old, new):
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_the_locks_of_this_commit_have_all_that_is_asked_for():
    checked = check(ROOT)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('"click>=8.1.7"', '"click>=999"', id="a newer version"),
        pytest.param('"click>=8.1.7"', '"click>=8.1.7", "not-locked"', id="a new dependency"),
        pytest.param('"httpx>=0.28"', '"httpx[http2]>=0.28"', id="a new extra of a package"),
        pytest.param('"hatchling>=1.27"]', '"hatchling>=999"]', id="another build backend"),
        pytest.param('"pytest>=8.3",\n', '"pytest<8",\n', id="an older version, in a group"),
        pytest.param(
            '"click>=8.1.7"',
            "\"click>=999; python_version > '3.12'\", \"click; python_version < '3.13'\"",
            id="for some Pythons only",
        ),
        pytest.param(
            '"click>=8.1.7"',
            '"click>=8.1.7", "not-locked; sys_platform == \'darwin\'"',
            id="for some platforms only",
        ),
    ],
)
def test_what_the_lock_does_not_satisfy_is_told(checkout, old, new):
    edit(checkout / "pyproject.toml", old, new)
    checked = check(checkout)
    assert checked.returncode == 1
    assert "pyproject.toml asks for" in checked.stderr
    assert "make lock" in checked.stderr


def test_a_pin_without_a_hash_is_told(checkout):
    lock = checkout / "requirements" / "dev.txt"
    lock.write_text(lock.read_text("utf-8") + "surplus==1.0\n", "utf-8")
    checked = check(checkout)
    assert checked.returncode == 1
    assert "surplus==1.0 has no hash" in checked.stderr


def test_a_lock_that_says_where_to_download_is_told(checkout):
    lock = checkout / "requirements" / "dev.txt"
    lock.write_text("--index-url https://index.example\n" + lock.read_text("utf-8"), "utf-8")
    checked = check(checkout)
    assert checked.returncode == 1
    assert "download from" in checked.stderr

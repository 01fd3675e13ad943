"""What docs/replay.md tells to write works."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from support.requests import PlainRequest
from support.signed_requests import signed

from edgeauth import Guard, Key, Settings
from edgeauth.replay import MemoryReplayStore
from edgeauth.settings import OPTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "replay.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def ran(part):
    names = {}
    (block,) = [block for block in blocks("python") if part in block]
    exec(block, names)
    return names


def test_the_settings_of_the_page_are_read():
    (block,) = blocks("toml")

    settings = Settings.from_mapping(tomllib.loads(block))

    assert settings.replay == "sqlite:/var/lib/shop/seen.db"


@pytest.mark.parametrize(
    ("name", "default"), re.findall(r"^\| `(replay_\w+)` \| `(\w+)` \|", PAGE, re.MULTILINE)
)
def test_the_defaults_of_the_page_are_those_of_the_settings(name, default):
    assert OPTIONS[name].default == default


def test_the_guard_of_the_page_asks_about_what_may_change_something():
    guard, key = ran("open_store")["guard"], Key("edge-1", "a-secret-that-edge-and-origin-share")
    now = 1_760_000_000

    posted = signed("POST", key=key, created=now)
    assert [guard.check(posted, now=now).reason for _ in "12"] == ["ok", "replayed"]
    read = signed(key=key, created=now)
    assert [guard.check(read, now=now).reason for _ in "12"] == ["ok", "ok"]


def test_the_scheme_of_the_page_is_good_once():
    guard = Guard(ran("class Ticket")["Ticket"](), replay=MemoryReplayStore())
    request = PlainRequest(fields=[("X-Ticket", b"one")])

    assert [guard.check(request, now=1_760_000_000).reason for _ in "12"] == ["ok", "replayed"]
    other = PlainRequest(fields=[("X-Ticket", b"two")])
    assert guard.check(other, now=1_760_000_000).reason == "ok"

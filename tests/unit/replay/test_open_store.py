"""What the setting may be, and what is imported for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edgeauth import ConfigurationError, replay
from edgeauth.replay import MemoryReplayStore, open_store
from edgeauth.replay.redis import RedisReplayStore
from edgeauth.replay.sqlite import SQLiteReplayStore


def test_the_public_names_are_there():
    assert {name for name in replay.__all__ if hasattr(replay, name)} == {
        "MemoryReplayStore",
        "ReplayStore",
        "ReplayStoreError",
        "open_store",
        "store_of",
        "without_password",
    }


def test_where_no_file_can_be_locked_that_is_said_before_a_path_is_found_wrong(monkeypatch):
    def refuse(*_what):
        raise ConfigurationError("no locks here")

    monkeypatch.setattr("edgeauth.replay.sqlite.demand", refuse)
    for make in (open_store, SQLiteReplayStore):
        with pytest.raises(ConfigurationError, match="no locks here"):
            make("sqlite:seen.db")


def test_memory_is_the_store_of_one_process():
    assert isinstance(open_store("memory"), MemoryReplayStore)


@pytest.mark.parametrize("setting", ["sqlite:/var/seen.db", "sqlite:///var/seen.db"])
def test_sqlite_names_a_file(setting):
    store = open_store(setting)

    assert isinstance(store, SQLiteReplayStore)
    assert repr(store) == "SQLiteReplayStore('/var/seen.db')"


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("redis://cache", "redis://cache:6379"),
        ("redis://:hunter2@cache:7000/3", "redis://cache:7000"),
        ("redis://app:hunter2@cache", "redis://cache:6379"),
        ("rediss://app:hunter2@cache?ssl_ca_certs=/ca.pem", "rediss://cache:6379"),
        ("redis://", "redis://localhost:6379"),
        ("unix://app:hunter2@/run/redis.sock?db=2", "unix:///run/redis.sock"),
    ],
)
def test_a_redis_is_named_by_its_url_and_shows_no_password(setting, shown):
    store = open_store(setting)

    assert isinstance(store, RedisReplayStore)
    assert repr(store) == f"RedisReplayStore({shown})"


@pytest.mark.parametrize(
    "setting",
    ["", "memroy", "Memory", "postgres://hunter2@host", "http://hunter2@host", "/seen.db"],
)
def test_an_unknown_store_is_an_error_that_says_what_to_write(setting):
    with pytest.raises(ConfigurationError, match="is no replay store; write 'memory'") as caught:
        open_store(setting)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "setting", ["sqlite:", "sqlite:seen.db", "sqlite://host/seen.db", "sqlite:/var/", "sqlite:/"]
)
def test_a_file_without_its_whole_path_is_an_error(setting):
    with pytest.raises(ConfigurationError, match="sqlite:/path/to/file"):
        open_store(setting)


def test_a_path_that_no_system_has_is_an_error():
    with pytest.raises(ConfigurationError, match="is no path of a file"):
        open_store("sqlite:/var/\0")


@pytest.mark.parametrize(
    "setting",
    [
        "redis://:hunter2@host:port",
        "redis://:hunter2@host?socket_timeout=60",
        "redis://:hunter2@host?socket_timeout=x",
        "redis://:hunter2@host?connection_class=x",
        "unix://:hunter2@",
        "redis:hunter2",
    ],
)
def test_an_unusable_url_is_an_error_without_the_url(setting):
    with pytest.raises(
        ConfigurationError, match=r"must be redis://\[\[user\]:password@\]"
    ) as caught:
        open_store(setting)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_without_the_redis_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "edgeauth.replay.redis")

    with pytest.raises(ConfigurationError, match=r"pip install 'edgeauth\[redis\]'"):
        open_store("redis://host")


def test_another_missing_module_is_not_taken_for_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis.backoff", None)
    monkeypatch.delitem(sys.modules, "edgeauth.replay.redis")

    with pytest.raises(ModuleNotFoundError, match="backoff"):
        open_store("redis://host")


@pytest.mark.parametrize(
    "code", ["import edgeauth.replay", "from edgeauth.replay import *; open_store('memory')"]
)
def test_redis_and_sqlite_are_imported_only_where_used(code):
    show = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", f"{code}; {show}"], capture_output=True, text=True, check=True
    )

    assert not {"redis", "sqlite3", "_sqlite3", "asyncio", "ssl"} & set(ran.stdout.split())


def test_sqlite_is_imported_without_redis():
    show = "import sys; print('redis' in sys.modules, 'sqlite3' in sys.modules)"
    code = f"from edgeauth.replay import open_store; open_store('sqlite:/nowhere/db'); {show}"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )

    assert ran.stdout.split() == ["False", "True"]


def test_nothing_is_opened_before_the_store_is_asked(tmp_path):
    open_store(f"sqlite:{tmp_path}/seen.db")
    open_store("redis://127.0.0.1:1")

    assert not list(tmp_path.iterdir())

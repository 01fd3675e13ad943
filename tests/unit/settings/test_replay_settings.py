"""The replay store as a setting: where it may be written, what is said of it, how long it lasts."""

from __future__ import annotations

import gc
import os
import time

import pytest
from support.files import replace
from support.processes import wait_until
from support.signed_requests import KEY, NOW, SECRET, signed

from edgeauth import ConfigurationError, Guard, Key, Settings
from edgeauth.replay import store_of, without_password

ONCE = {"scheme": "message-signatures", "secret": SECRET}
KEYS = f"{KEY.id}:{SECRET}\n"


@pytest.fixture
def keys(tmp_path):
    file = tmp_path / "keys"
    file.write_text(KEYS)
    return file


@pytest.fixture
def once(keys):
    """Settings of a scheme whose credentials are good once."""
    return {"scheme": "message-signatures", "secrets_file": str(keys)}


def test_it_can_be_set_in_a_mapping_a_file_and_the_environment(tmp_path):
    written = {"replay": "sqlite:/var/seen.db", "replay_methods": "unsafe"}
    (tmp_path / "edgeauth.toml").write_text(
        "\n".join(f'{name} = "{value}"' for name, value in written.items())
    )
    environ = {f"EDGEAUTH_{name.upper()}": value for name, value in written.items()}

    found = [
        Settings.from_mapping(written),
        Settings.from_toml(tmp_path / "edgeauth.toml"),
        Settings.from_environ(environ),
    ]

    assert len(set(found)) == 1
    assert (found[0].replay, found[0].replay_methods, found[0].replay_failure) == (
        "sqlite:/var/seen.db",
        "unsafe",
        "refuse",
    )


def test_the_environment_can_turn_off_what_a_file_names():
    settings = Settings.from_mapping({"replay": "memory"})

    assert settings.with_environ({"EDGEAUTH_REPLAY": "off"}).replay is None
    assert settings.with_environ({"EDGEAUTH_REPLAY": ""}).replay == "memory"
    assert Settings().replay is None


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"replay_methods": "safe"}, "replay_methods is 'safe'; write 'all' or 'unsafe'"),
        ({"replay_failure": "off"}, "replay_failure is 'off'; write 'refuse' or 'accept'"),
        ({"replay": ""}, "replay is empty or not text"),
        ({"replay": ["redis://:hunter2@host"]}, "replay is empty or not text"),
        ({"replay_method": "all"}, "did you mean 'replay_methods'?"),
    ],
)
def test_what_is_no_value_of_it_is_an_error_that_repeats_no_password(written, told):
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_mapping(written)
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("memory", "memory"),
        ("sqlite:/var/lib/shop/seen.db", "sqlite:/var/lib/shop/seen.db"),
        ("redis://cache", "redis://cache:6379"),
        ("redis://", "redis://localhost:6379"),
        ("redis://:hunter2@cache:7000/3", "redis://cache:7000"),
        ("rediss://app:hunter2@cache?ssl_ca_certs=/ca.pem", "rediss://cache:6379"),
        ("redis://cache?password=hunter2", "redis://cache:6379"),
        ("redis://cache?password=h@hunter2", "redis://..."),
        ("redis://:hunt?er2@cache", "redis://..."),
        ("redis://:hunt/er2@cache", "redis://..."),
        ("redis://:hunter2#@cache", "redis://..."),
        ("redis://:hunter2", "redis://..."),
        ("redis://[hunter2", "redis://..."),
        ("unix://app:hunter2@/run/redis.sock?db=2", "unix:///run/redis.sock"),
        ("unix://app:hunt/er2@/run/redis.sock", "unix://..."),
        ("postgres://:hunter2@host", "..."),
        ("hunter2", "..."),
    ],
)
def test_people_see_which_store_it_is_and_where_and_no_password(setting, shown):
    assert without_password(setting) == shown
    assert "hunter2" not in repr(Settings(replay=setting))


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("memroy", "is no replay store; write 'memory'"),
        ("sqlite:seen.db", "must name a file with its whole path"),
        ("sqlite:/nowhere/at/all/seen.db", "the folder '/nowhere/at/all' cannot be used: No such"),
        ("sqlite:/dev/null/seen.db", "'/dev/null/seen.db' is no file in a folder"),
        ("sqlite:/usr/bin", "'/usr/bin' is no file in a folder"),
        ("redis://:hunter2@host:port", "must be redis://[[user]:password@]"),
    ],
)
def test_a_store_that_cannot_be_used_is_an_error_at_the_start(once, setting, told):
    with pytest.raises(ConfigurationError) as caught:
        Guard.from_settings({**once, "replay": setting})
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("which", ["folder", "file"])
def test_a_file_that_may_not_be_written_to_is_an_error_at_the_start(
    once, which, tmp_path, monkeypatch
):
    file = tmp_path / "seen.db"
    file.touch()
    # Root may write to anything, whatever its mode.
    refused = tmp_path if which == "folder" else file
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(refused) and may(path, mode))

    with pytest.raises(ConfigurationError, match="may not write to") as caught:
        Guard.from_settings({**once, "replay": f"sqlite:{file}"})
    assert repr(str(refused)) in str(caught.value)


def test_nothing_is_made_and_nobody_is_called_at_the_start(once, tmp_path):
    file = tmp_path / "seen.db"

    Guard.from_settings({**once, "replay": f"sqlite:{file}"})
    Guard.from_settings({**once, "replay": "redis://127.0.0.1:1"})

    assert not file.exists()


def test_a_store_beside_credentials_that_are_never_good_once_is_an_error_at_the_start():
    with pytest.raises(ConfigurationError, match="'edge-auth' does not say which request"):
        Guard.from_settings({"secret": SECRET, "replay": "memory"})
    with pytest.raises(ConfigurationError, match="'any-of' does not say which request"):
        Guard.from_settings(
            {
                "schemes": [{"secret": SECRET}, {"secret": SECRET * 2, "header": "X-Other"}],
                "replay": "memory",
            }
        )
    Guard.from_settings({"schemes": [{"secret": SECRET * 2}, ONCE], "replay": "memory"})


def test_a_guard_of_settings_admits_once(once):
    guard = Guard.from_settings({**once, "replay": "memory"})
    request = signed(created=int(time.time()))

    assert [guard.check(request).reason for _ in "12"] == ["ok", "replayed"]


def test_the_settings_reach_the_guard(once):
    unsafe = Guard.from_settings({**once, "replay": "memory", "replay_methods": "unsafe"})
    request = signed(created=int(time.time()))
    assert [unsafe.check(request).reason for _ in "12"] == ["ok", "ok"]

    accepting = Guard.from_settings(
        {**once, "replay": "redis://127.0.0.1:1", "replay_failure": "accept"}
    )
    assert accepting.waits
    assert accepting.check(request).reason == "ok"
    refusing = Guard.from_settings({**once, "replay": "redis://127.0.0.1:1"})
    assert refusing.check(request).reason == "replay-store"


def test_guards_of_one_process_with_one_setting_share_the_store(once):
    first = Guard.from_settings({**once, "replay": "memory"})
    second = Guard.from_settings({**once, "replay": "memory", "mode": "report-only"})
    request = signed(created=int(time.time()))

    assert first.check(request).reason == "ok"
    assert second.check(request).reason == "replayed"


def test_a_guard_that_takes_the_place_of_another_keeps_its_store(once):
    guard = Guard.from_settings({**once, "replay": "memory"})
    request = signed(created=int(time.time()))
    assert guard.check(request).reason == "ok"

    guard = Guard.from_settings({**once, "replay": "memory", "max_age": 30})

    assert guard.check(request).reason == "replayed"


def test_a_store_goes_with_the_last_guard_that_asks_it():
    store = id(store_of("memory"))
    gc.collect()
    kept = store_of("memory")

    assert store_of("memory") is kept
    assert store_of("redis://127.0.0.1:1") is not store_of("redis://127.0.0.1:2")
    assert kept.remember(b"one", NOW + 1, now=NOW), store


def test_keys_that_change_leave_what_was_admitted(once, keys):
    guard = Guard.from_settings({**once, "replay": "memory", "watch_interval": 0.01})
    request = signed(created=int(time.time()))
    assert guard.check(request).reason == "ok"
    newer = Key("edge-2", "another-secret-of-the-edge")

    replace(keys, f"{KEYS}{newer.id}:another-secret-of-the-edge\n")

    wait_until(
        lambda: guard.check(signed(key=newer, created=int(time.time()))).allowed,
        what="the new key in force",
    )
    assert guard.check(request).reason == "replayed"

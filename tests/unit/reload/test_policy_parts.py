"""The parts of a watched policy, each by its file: what is read, what stays, what is said."""

from __future__ import annotations

import json
import logging
import math
from dataclasses import FrozenInstanceError

import pytest
from support.token_keys import ISSUER, jwks
from support.vectors import OLDER_SECRET, SECRET
from support.watching import stop_the_clock

from edgeauth import ConfigurationError, Passes, SchemeSettings, Settings
from edgeauth._reload import watched_policy
from edgeauth._reload.watched_policy import WatchedPolicy, policy_source
from edgeauth.passes import NoPasses
from edgeauth.policy import FixedPolicy

INTERVAL = 10.0
NEWER_SECRET = "the-secret-that-comes-after-them"
PASS_SECRET = "a-secret-that-signs-passes-only"
OTHER_PASS_SECRET = "another-secret-that-signs-passes"
LIST = {"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2026-10"}
TOKEN = {"scheme": "signed-token", "header": "X-Token", "algorithm": "EdDSA", "issuer": ISSUER}


@pytest.fixture
def clock(monkeypatch):
    return stop_the_clock(monkeypatch)


@pytest.fixture
def source_of(clock, caplog):
    """What settings decide by, looked at every ten seconds."""

    def made(told_as=None, **settings):
        told = {} if told_as is None else {"told_as": told_as}
        read = Settings.from_mapping({"watch_interval": INTERVAL, **settings})
        source = WatchedPolicy(read, **told)
        settle(source)
        caplog.clear()
        return source

    def settle(source):
        for seconds in (INTERVAL, INTERVAL):
            clock.passes(seconds)
            source.current(clock.now)

    caplog.set_level(logging.INFO, "edgeauth")
    made.settle = settle
    return made


def ids(policy, place=0):
    return [key.id for key in policy.keys[place]]


@pytest.fixture
def keys(tmp_path):
    file = tmp_path / "keys"
    file.write_text(f"old:{OLDER_SECRET}\nnow:{SECRET}\n")
    return file


@pytest.fixture
def listed(tmp_path):
    file = tmp_path / "list.json"
    file.write_text(json.dumps(LIST))
    return file


# --- when it is looked


def test_settings_without_a_file_decide_alike_for_ever():
    source = policy_source(Settings(secret=SECRET, addresses="fastly"))
    assert isinstance(source, FixedPolicy)
    assert (source.policy.since, source.policy.until) == (-math.inf, math.inf)
    assert not WatchedPolicy(Settings(secret=SECRET)).active


def test_settings_with_a_file_are_watched_and_told_of_as_somebody_wants_it(keys, clock):
    source = policy_source(Settings(secrets_file=str(keys), watch_interval=INTERVAL))
    assert isinstance(source, WatchedPolicy)
    assert source.active is True
    assert [watched.told_as for watched in source._files] == ["in force"]
    told = policy_source(Settings(secrets_file=str(keys)), told_as="read")
    assert [watched.told_as for watched in told._files] == ["read"]
    assert (source.policy.since, source.policy.until) == (clock.now, clock.now + INTERVAL)


def test_a_policy_is_good_for_an_interval_and_a_clock_set_back_ends_it(keys, source_of, clock):
    source = source_of(secrets_file=str(keys))
    policy = source.policy
    assert (policy.since, policy.until) == (clock.now, clock.now + INTERVAL)
    assert source.current(clock.now) is policy
    assert source.current(clock.now + INTERVAL - 0.1) is policy
    after = source.current(clock.now + INTERVAL)
    assert after is not policy
    assert after.scheme is policy.scheme
    earlier = source.current(after.since - 0.1)
    assert (earlier.since, earlier.until) == (after.since - 0.1, after.since - 0.1 + INTERVAL)
    keys.write_text(f"new:{NEWER_SECRET}\n")
    clock.passes(INTERVAL + 1)
    # It had not stood still, so it is read once more a second later.
    assert source.current(earlier.until).until == earlier.until + 1


def test_what_another_thread_found_meanwhile_stays(keys, source_of, clock):
    source = source_of(secrets_file=str(keys))
    other = source_of(secret=NEWER_SECRET)._seen

    def look(seen):
        source._seen = other
        return seen

    source._look = look
    clock.passes(INTERVAL)
    assert source.current(clock.now).scheme is other.policy.scheme


def test_what_was_read_while_another_thread_read_is_followed_to_the_last(
    keys, source_of, clock, monkeypatch
):
    source = source_of(secrets_file=str(keys))
    newer = source_of(secret=NEWER_SECRET)._seen
    good, turns = source._good_from, []

    def late(policy, now):
        turns.append(policy)
        if len(turns) == 1:
            source._seen = newer
        return good(policy, now)

    monkeypatch.setattr(source, "_good_from", late)
    clock.passes(INTERVAL)
    assert source.current(clock.now).scheme is newer.policy.scheme
    assert len(turns) == 2


# --- keys


def test_keys_of_a_file_are_read_anew_with_a_scheme_for_them(keys, source_of, caplog):
    source = source_of(secrets_file=str(keys), addresses="fastly", pass_secret=PASS_SECRET)
    before = source.policy
    keys.write_text(f"now:{SECRET}\nnew:{NEWER_SECRET}\n")
    source_of.settle(source)

    assert ids(source.policy) == ["now", "new"]
    assert source.policy.scheme.keys is source.policy.keys[0]
    assert (source.policy.addresses, source.policy.passes) == (before.addresses, before.passes)
    assert caplog.messages == [f"secrets_file {str(keys)!r} was read; in force: the keys now, new"]
    assert source._keys[0]._interval == INTERVAL
    assert source._keys[0]._depends(source.policy) == (source.policy.keys, source.policy.passes)
    # What was seen is not read again.
    after = source.policy
    source_of.settle(source)
    assert source.policy.keys is after.keys
    assert source._seen.keys[0] is not None


def test_the_same_keys_leave_the_scheme_and_other_dates_do_not(keys, source_of):
    source = source_of(secrets_file=str(keys))
    scheme = source.policy.scheme
    keys.write_text(f"# a word\nold:{OLDER_SECRET}\nnow:{SECRET}\n")
    source_of.settle(source)
    assert source.policy.scheme is scheme
    for dates in ("not_before=1600000000", "not_after=1900000000", ""):
        written = f"now[{dates}]" if dates else "now"
        keys.write_text(f"old:{OLDER_SECRET}\n{written}:{SECRET}\n")
        source_of.settle(source)
        assert source.policy.scheme is not scheme
        scheme = source.policy.scheme
    keys.write_text(f"other:{OLDER_SECRET}\nnow:{SECRET}\n")
    source_of.settle(source)
    assert ids(source.policy) == ["other", "now"]


def test_keys_of_a_directory_are_its_files(tmp_path, source_of, caplog):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "1").write_text(OLDER_SECRET)
    source = source_of(secrets_dir=str(tmp_path / "keys"))
    (tmp_path / "keys" / "2").write_text(SECRET)
    source_of.settle(source)
    assert ids(source.policy) == ["1", "2"]
    told = f"secrets_dir {str(tmp_path / 'keys')!r} was read; in force: the keys 1, 2"
    assert caplog.messages == [told]


def test_keys_that_are_cut_off_are_refused_and_the_others_stay(keys, source_of, caplog):
    source = source_of(secrets_file=str(keys))
    keys.write_text(f"old:{OLDER_SECRET}\nnow:{SECRET[:20]}\n")
    source_of.settle(source)
    assert ids(source.policy) == ["old", "now"]
    told = (
        f"secrets_file {str(keys)!r} CANNOT BE USED, the keys old, now stay in force: the secret "
        "of key now is cut off: is the file still being written? A new secret needs a new id"
    )
    assert caplog.messages == [told]
    # Another secret, a longer one, or the same beginning by another name are none of this.
    for content in (f"now:{SECRET[::-1]}\n", f"now:{SECRET[::-1]}{SECRET}\n"):
        keys.write_text(f"{content}new:{SECRET[:18]}\n")
        source_of.settle(source)
        assert ids(source.policy) == ["now", "new"]


def test_a_secret_of_passes_is_no_new_key(keys, source_of, caplog):
    source = source_of(secrets_file=str(keys), pass_secret=PASS_SECRET)
    keys.write_text(f"new:{PASS_SECRET}\n")
    source_of.settle(source)
    assert ids(source.policy) == ["old", "now"]
    assert "pass_secret is also a secret of the edge" in caplog.text


def test_each_scheme_has_its_own_keys(tmp_path, keys, source_of):
    other = tmp_path / "other"
    other.write_text(f"sent:{NEWER_SECRET}\n")
    tables = [
        {"secrets_file": str(keys)},
        {"scheme": "shared-secret", "secret": OLDER_SECRET[::-1], "header": "X-One"},
        {"scheme": "shared-secret", "secrets_file": str(other), "header": "X-Two"},
    ]
    source = source_of(schemes=tables)
    assert [watched is None for watched in source._keys] == [False, True, False]
    before = source.policy
    other.write_text(f"newer:{SECRET[::-1]}\n")
    source_of.settle(source)
    assert [ids(source.policy, place) for place in range(3)] == [
        ["old", "now"],
        ["default"],
        ["newer"],
    ]
    assert source.policy.keys[:2] == before.keys[:2]
    assert [one.keys for one in source.policy.scheme.schemes] == list(source.policy.keys)


# --- options that name a file


def test_a_file_that_an_option_names_is_read_anew_with_a_scheme_for_it(tmp_path, source_of, caplog):
    file = tmp_path / "jwks"
    file.write_text(json.dumps(jwks("EdDSA", "one")))
    tables = [{"secret": SECRET}, {**TOKEN, "jwks": str(file)}]
    source = source_of(schemes=tables)
    before = source.policy
    file.write_text(json.dumps(jwks("EdDSA", "one", "two")))
    source_of.settle(source)

    assert caplog.messages == [f"jwks {str(file)!r} was read; in force: the keys one, two"]
    assert source.policy.scheme is not before.scheme
    assert source.policy.files[0] == before.files[0] == {}
    assert source.policy.files[1]["jwks"] != before.files[1]["jwks"]
    assert source.policy.keys is before.keys
    watched = source._options[1, "jwks"]
    assert list(source._options) == [(1, "jwks")]
    assert watched._interval == INTERVAL
    assert watched._depends(source.policy) == (source.policy.keys, source.policy.files)
    assert source._seen.files[1, "jwks"] is not None
    after = source.policy
    file.write_text(json.dumps(jwks("EdDSA", "one", "two"), indent=1))
    source_of.settle(source)
    assert source.policy.scheme is after.scheme


def test_what_a_scheme_cannot_use_of_such_a_file_is_refused(tmp_path, source_of, caplog):
    file = tmp_path / "jwks"
    file.write_text(json.dumps(jwks("EdDSA", "one")))
    source = source_of(**TOKEN, jwks=str(file))
    before = source.policy
    for content, why in (("{", "jwks"), (json.dumps({"keys": []}), "jwks")):
        caplog.clear()
        file.write_text(content)
        source_of.settle(source)
        (line,) = caplog.messages
        assert line.startswith(f"jwks {str(file)!r} CANNOT BE USED, the keys one stay in force: ")
        # The name of the setting again, by what read it.
        assert line.partition(" stay in force: ")[2].startswith(why)
    assert source.policy.scheme is before.scheme


# --- addresses


def test_addresses_are_read_anew_and_leave_the_scheme(keys, listed, source_of, caplog):
    source = source_of(secrets_file=str(keys), addresses=str(listed))
    before = source.policy
    listed.write_text(json.dumps({**LIST, "addresses": ["192.0.2.0/24", "198.51.100.0/24"]}))
    source_of.settle(source)

    assert len(source.policy.addresses) == 2
    assert source.policy.scheme is before.scheme
    assert caplog.messages == [
        f"addresses {str(listed)!r} was read; in force: the 2 networks as of 2026-10"
    ]
    assert source._seen.addresses is not None
    assert source._addresses._interval == INTERVAL
    assert source._addresses._depends(source.policy) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"as_of": "2026-11"},
        {"retiring": {"198.51.100.0/24": "2099-10-31"}},
        {"retiring": {"198.51.100.0/24": "2099-11-30"}},
    ],
)
def test_a_list_with_other_dates_is_another_list(listed, source_of, change):
    source = source_of(secret=SECRET, addresses=str(listed))
    if change == {"retiring": {"198.51.100.0/24": "2099-11-30"}}:
        listed.write_text(json.dumps({**LIST, "retiring": {"198.51.100.0/24": "2099-10-31"}}))
        source_of.settle(source)
    before = source.policy.addresses
    listed.write_text(json.dumps({**LIST, **change}))
    source_of.settle(source)
    assert source.policy.addresses is not before
    assert source._addresses._ends(source.policy.addresses) == (
        source.policy.addresses.next_retirement
    )
    before = source.policy.addresses
    listed.write_text(json.dumps({**LIST, **change}, indent=1))
    source_of.settle(source)
    assert source.policy.addresses is before


def test_what_has_retired_is_told_by_the_clock(listed, source_of, clock):
    listed.write_text(json.dumps({**LIST, "retiring": {"198.51.100.0/24": "2023-12-31"}}))
    source = source_of(secret=SECRET, addresses=str(listed))
    assert "198.51.100.1" in source.policy.addresses
    clock.passes(365 * 86_400)
    source.current(clock.now)
    assert "198.51.100.1" not in source.policy.addresses


# --- passes


@pytest.fixture
def pass_files(tmp_path):
    secret, revoked = tmp_path / "pass", tmp_path / "revoked"
    secret.write_text(PASS_SECRET)
    revoked.write_text("0a\n")
    return secret, revoked


def test_passes_are_read_anew_from_both_of_their_files(keys, pass_files, source_of, caplog):
    secret, revoked = pass_files
    source = source_of(
        secrets_file=str(keys), pass_secret_file=str(secret), revoked_passes_file=str(revoked)
    )
    before = source.policy
    revoked.write_text("0a\n0b\n")
    source_of.settle(source)
    assert set(source.policy.passes.revoked) == {"0a", "0b"}
    secret.write_text(OTHER_PASS_SECRET)
    source_of.settle(source)
    assert source.policy.passes.secret == OTHER_PASS_SECRET.encode()
    assert source.policy.scheme is before.scheme
    name = f"pass_secret_file {str(secret)!r}, revoked_passes_file {str(revoked)!r}"
    told = f"{name} was read; in force: the pass secret, 2 ids revoked"
    assert caplog.messages == [told] * 2
    assert source._passes._interval == INTERVAL
    assert source._passes._depends(source.policy) == (source.policy.keys,)
    assert source._seen.passes is not None
    after = source.policy.passes
    revoked.write_text("# the same\n0a\n0b\n")
    source_of.settle(source)
    assert source.policy.passes is after


def test_without_passes_that_can_be_used_none_is_accepted(pass_files, source_of, caplog):
    secret, _ = pass_files
    source = source_of(secret=SECRET, pass_secret_file=str(secret))
    for content in ("", SECRET):
        caplog.clear()
        secret.write_text(content)
        source_of.settle(source)
        assert isinstance(source.policy.passes, NoPasses)
        (line,) = caplog.messages
        start = f"pass_secret_file {str(secret)!r} CANNOT BE USED, no pass is accepted: "
        assert line.startswith(start)
    assert "also a secret of the edge" in line
    secret.write_text(PASS_SECRET)
    source_of.settle(source)
    assert isinstance(source.policy.passes, Passes)


def test_the_secret_of_passes_may_stand_in_the_settings_beside_a_file(pass_files, source_of):
    _, revoked = pass_files
    source = source_of(secret=SECRET, pass_secret=PASS_SECRET, revoked_passes_file=str(revoked))
    assert [watched._name for watched in source._files] == [f"revoked_passes_file {str(revoked)!r}"]
    revoked.write_text("0b\n")
    source_of.settle(source)
    assert set(source.policy.passes.revoked) == {"0b"}


# --- what is not read again


@pytest.fixture
def all_of_it(tmp_path, keys, listed, pass_files, source_of, monkeypatch):
    """A source with a file of each sort, and what was built of them again and again."""
    (tmp_path / "jwks").write_text(json.dumps(jwks("EdDSA", "one")))
    built = []

    def note(name):
        really = getattr(SchemeSettings, name)

        def noted(scheme):
            built.append((name, scheme.kind))
            return really(scheme)

        monkeypatch.setattr(SchemeSettings, name, noted)

    note("build_keys")
    note("read_files")
    secret, revoked = pass_files
    source = source_of(
        schemes=[{"secrets_file": str(keys)}, {**TOKEN, "jwks": str(tmp_path / "jwks")}],
        addresses=str(listed),
        pass_secret_file=str(secret),
        revoked_passes_file=str(revoked),
    )
    return source, built


def test_at_the_start_each_file_is_read_once(all_of_it):
    source, built = all_of_it
    built.clear()
    made = WatchedPolicy(source._settings)

    assert made.policy.scheme.schemes[0].keys is made.policy.keys[0]
    # A scheme without keys is asked for them, to say so.
    assert built.count(("build_keys", "edge-auth")) == 1
    assert [one for one in built if one[0] == "read_files"] == [
        ("read_files", "edge-auth"),
        ("read_files", "signed-token"),
    ]


def test_a_file_that_stands_still_is_not_read_again(all_of_it, source_of):
    source, _ = all_of_it
    read = []
    for watched in source._files:
        watched._read = lambda policy, watched=watched, really=watched._read: (
            read.append(watched._name) or really(policy)
        )
    for _ in range(3):
        source_of.settle(source)
    assert read == []
    assert len(source._files) == 4


def test_what_changes_is_read_and_nothing_else(tmp_path, keys, pass_files, all_of_it, source_of):
    source, built = all_of_it
    built.clear()
    (tmp_path / "jwks").write_text(json.dumps(jwks("EdDSA", "one", "two")))
    source_of.settle(source)
    assert set(source.policy.files[1]["jwks"]) != set()
    assert {one for one in built if one[1] == "edge-auth" or one[0] == "read_files"} == set()
    pass_files[1].write_text("0a\n0b\n")
    source_of.settle(source)
    assert set(source.policy.passes.revoked) == {"0a", "0b"}
    assert {one for one in built if one[1] == "edge-auth" or one[0] == "read_files"} == set()
    keys.write_text(f"new:{NEWER_SECRET}\n")
    source_of.settle(source)
    assert ids(source.policy) == ["new"]
    assert {one for one in built if one[0] == "read_files"} == set()


def test_what_a_look_found_is_replaced_and_never_changed(keys, source_of):
    seen = source_of(secrets_file=str(keys))._seen
    with pytest.raises(FrozenInstanceError):
        seen.keys = ()
    assert not hasattr(seen, "__dict__")


# --- what is not watched


def test_what_can_be_read_but_once_is_read_once(tmp_path, keys, listed, pass_files, monkeypatch):
    (tmp_path / "jwks").write_text(json.dumps(jwks("EdDSA", "one")))
    secret, revoked = pass_files
    files = {
        "addresses": str(listed),
        "pass_secret_file": str(secret),
        "revoked_passes_file": str(revoked),
        "schemes": [
            {"secrets_file": str(keys)},
            {**TOKEN, "jwks": str(tmp_path / "jwks")},
        ],
    }
    settings = Settings.from_mapping(files)
    assert len(WatchedPolicy(settings)._files) == 4
    for once, watched in (
        (secret, 3),
        (revoked, 3),
        (keys, 3),
        (listed, 3),
        (tmp_path / "jwks", 3),
    ):
        monkeypatch.setattr(
            watched_policy, "can_be_watched", lambda path, once=once: path != str(once)
        )
        assert len(WatchedPolicy(settings)._files) == watched
    monkeypatch.setattr(watched_policy, "can_be_watched", lambda _path: False)
    source = WatchedPolicy(settings)
    assert (source._files, source.active) == ([], False)
    assert source.current(0).until == settings.watch_interval
    assert isinstance(policy_source(settings), FixedPolicy)


def test_files_that_cannot_be_used_at_the_start_are_an_error(tmp_path):
    for settings in (
        {"secrets_file": "absent"},
        {"secret": SECRET, "addresses": "absent"},
        {"secret": SECRET, "pass_secret_file": "absent"},
        {**TOKEN, "jwks": "absent"},
    ):
        named = {
            name: f"{tmp_path}/{value}" if value == "absent" else value
            for name, value in settings.items()
        }
        with pytest.raises(ConfigurationError, match="absent' cannot be read"):
            WatchedPolicy(Settings.from_mapping(named))

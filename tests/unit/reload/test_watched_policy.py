"""Keys, addresses and passes that change while the application runs."""

from __future__ import annotations

import calendar
import logging
import os
import pathlib
import tempfile
import threading

import pytest
from support.files import Mount, not_as_root, replace
from support.processes import wait_until
from support.requests import PlainRequest
from support.vectors import OLDER_SECRET, SECRET
from support.watching import (
    LONGEST,
    SETTLE,
    decides_by,
    logged,
    reason,
    stop_the_clock,
)

from edgeauth import ConfigurationError, EdgeAuthScheme, Guard, KeyRing, Passes, Settings, sign
from edgeauth._reload.watched_policy import WatchedPolicy
from edgeauth.outer import Terms
from edgeauth.policy import FixedPolicy, Policy

NEWER_SECRET = "the-secret-that-comes-after-them"

OLD = f"old:{OLDER_SECRET}\n"
NOW = f"now:{SECRET}\n"
NEW = f"new:{NEWER_SECRET}\n"

SHORTEST = 0.01


@pytest.fixture
def clock(monkeypatch):
    return stop_the_clock(monkeypatch)


@pytest.fixture
def secrets(tmp_path):
    file = tmp_path / "secrets"
    file.write_text(OLD + NOW)
    return file


def guard(secrets, **settings):
    # A secret in a header has no window.
    has_none = settings.get("scheme") == "shared-secret"
    window = {} if has_none else {"max_age": 1e9, "max_future": 1e9}
    return Guard.from_settings(
        {"secrets_file": secrets, "watch_interval": SHORTEST, **window, **settings}
    )


def accepts(guard, *secrets):
    """Whether exactly *secrets* of the three are accepted."""
    accepted = {
        secret for secret in (OLDER_SECRET, SECRET, NEWER_SECRET) if reason(guard, secret) == "ok"
    }
    return accepted == set(secrets)


def becomes(guard, *secrets):
    wait_until(lambda: accepts(guard, *secrets), what=f"{len(secrets)} keys in force")


# --- what is seen


def test_a_key_that_is_added_is_accepted_and_one_that_is_removed_is_not(secrets):
    live_guard = guard(secrets)
    assert accepts(live_guard, OLDER_SECRET, SECRET)
    replace(secrets, NOW + NEW)
    becomes(live_guard, SECRET, NEWER_SECRET)
    replace(secrets, NEW)
    becomes(live_guard, NEWER_SECRET)


def test_a_mounted_file_whose_link_is_swapped_is_seen(tmp_path):
    mount = Mount(tmp_path / "mount", {"secrets": OLD + NOW})
    live_guard = guard(mount.folder / "secrets")
    mount.swap({"secrets": NOW + NEW})
    becomes(live_guard, SECRET, NEWER_SECRET)


def test_a_mounted_directory_of_secrets_is_seen_to_gain_and_lose_keys(tmp_path):
    mount = Mount(tmp_path / "mount", {"1": OLDER_SECRET, "2": SECRET})
    live_guard = Guard.from_settings(
        {"secrets_dir": mount.folder, "watch_interval": SHORTEST, "max_age": 1e9}
    )
    assert accepts(live_guard, OLDER_SECRET, SECRET)
    mount.swap({"2": SECRET, "3": NEWER_SECRET})
    becomes(live_guard, SECRET, NEWER_SECRET)
    mount.swap({"3": NEWER_SECRET})
    becomes(live_guard, NEWER_SECRET)
    assert live_guard.scheme.keys.signing_key().id == "3"


def test_a_directory_that_was_emptied_keeps_its_keys(tmp_path, caplog):
    (tmp_path / "1").write_text(SECRET)
    live_guard = Guard.from_settings(
        {"secrets_dir": tmp_path, "watch_interval": SHORTEST, "max_age": 1e9}
    )
    (tmp_path / "1").unlink()
    wait_until(lambda: accepts(live_guard, SECRET) and logged(caplog, "CANNOT BE USED"))


@pytest.mark.parametrize("scheme", ["edge-auth", "shared-secret"])
def test_what_was_remembered_goes_with_its_key(secrets, scheme):
    live_guard = guard(secrets, scheme=scheme)

    def outcome(secret):
        if scheme == "edge-auth":
            return reason(live_guard, secret)
        return live_guard.check(PlainRequest(fields=[("Edge-Auth", secret.encode())])).reason

    for _ in range(2):
        assert outcome(OLDER_SECRET) == "ok"
    replace(secrets, NOW)
    wait_until(lambda: outcome(OLDER_SECRET) == "bad-signature")
    assert outcome(SECRET) == "ok"


def test_the_address_list_is_watched_too_and_apart_from_the_keys(secrets, tmp_path):
    file = tmp_path / "list.json"
    form = '{"addresses": ["%s"], "ipv6_addresses": []}'
    file.write_text(form % "192.0.2.0/24")
    live_guard = guard(secrets, addresses=file)
    assert reason(live_guard, SECRET) == "ok"
    keys = live_guard.scheme
    replace(file, form % "198.51.100.0/24")
    wait_until(lambda: reason(live_guard, SECRET) == "address")
    assert reason(live_guard, SECRET, peer="198.51.100.7") == "ok"
    replace(file, form % "0.0.0.0/0")
    wait_until(lambda: len(live_guard.addresses) == 1 and reason(live_guard, SECRET) == "address")
    assert live_guard.scheme is keys
    replace(secrets, NEW)
    wait_until(lambda: reason(live_guard, NEWER_SECRET, peer="198.51.100.7") == "ok")
    assert live_guard.scheme is not keys


def test_a_list_that_grows_old_in_a_running_process_is_told_of_once_a_day(tmp_path, caplog):
    file = tmp_path / "list.json"
    file.write_text('{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2026-01-01"}')
    live_guard = Guard.from_settings(
        {"secret": SECRET, "addresses": file, "watch_interval": SHORTEST}
    )
    caplog.clear()
    first = live_guard._policy.until + 400 * 86_400
    for later in (0, 3600, 86_400):
        live_guard.check(PlainRequest(), now=first + later)
    told = [line for line in caplog.messages if line.startswith("the address list is as of")]
    assert len(told) == 2


def test_only_the_address_list_may_be_a_file(tmp_path):
    file = tmp_path / "list.json"
    file.write_text('{"addresses": ["192.0.2.0/24"], "ipv6_addresses": []}')
    live_guard = Guard.from_settings(
        {"secret": SECRET, "addresses": file, "watch_interval": SHORTEST, "max_age": 1e9}
    )
    assert reason(live_guard, SECRET) == "ok"
    replace(file, '{"addresses": ["198.51.100.0/24"], "ipv6_addresses": []}')
    wait_until(lambda: reason(live_guard, SECRET) == "address")


def test_without_files_there_is_nothing_to_look_at():
    assert not WatchedPolicy(Settings(secret=SECRET)).active
    assert not WatchedPolicy(Settings(secret=SECRET, addresses="fastly")).active


def test_a_pipe_is_read_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(NOW,))
    writer.start()
    live_guard = guard(pipe)
    writer.join()
    assert all(reason(live_guard, SECRET, now=1.7e9 + 60 * hour) == "ok" for hour in range(3))


@pytest.mark.parametrize("interval", [0, -1, 0.009, 3601, float("nan"), float("inf"), "5", True])
def test_an_interval_that_cannot_be_meant_is_refused(interval):
    with pytest.raises(ConfigurationError, match=r"write 0.01 to 3600 seconds"):
        WatchedPolicy(Settings(secret=SECRET, watch_interval=interval))


# --- when it is seen


@pytest.fixture
def watched(secrets, clock):
    """A guard that looks once in LONGEST seconds and knows that its file stands still."""
    live_guard = guard(secrets, watch_interval=LONGEST)
    for _ in range(2):
        clock.passes(LONGEST)
        assert reason(live_guard, SECRET, now=clock.now) == "ok"
    return live_guard


def test_a_file_is_looked_at_once_an_interval_and_read_only_if_it_changed(watched, secrets, clock):
    scheme = watched.scheme
    clock.passes(LONGEST)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    assert watched.scheme is scheme
    replace(secrets, NEW)
    clock.passes(LONGEST - 0.1)
    assert reason(watched, SECRET, now=clock.now) == "ok"


@pytest.fixture
def looks(monkeypatch):
    """What was in force at each look from here on."""
    look, told = WatchedPolicy._look, []
    monkeypatch.setattr(
        WatchedPolicy, "_look", lambda self, seen: told.append(seen) or look(self, seen)
    )
    return told


def test_requests_of_one_instant_look_once(watched, clock, looks):
    clock.passes(LONGEST)
    for _ in range(3):
        assert reason(watched, SECRET, now=clock.now) == "ok"
    assert len(looks) == 1


def test_what_is_known_already_looks_no_more_and_no_less_often(watched, clock, looks):
    value = sign(SECRET, pop="LHR", timestamp=1_700_000_000).encode()
    seen = []
    for seconds in (0, 0, LONGEST, 0, LONGEST):
        clock.passes(seconds)
        assert watched.recall(value, "GET", "/", now=clock.now).reason == "ok"
        seen.append(len(looks))
    assert seen == [0, 0, 1, 1, 2]


def test_a_change_counts_when_it_has_stood_still(watched, secrets, clock):
    replace(secrets, NEW)
    clock.passes(LONGEST)  # seen
    assert reason(watched, SECRET, now=clock.now) == "ok"
    clock.passes(SETTLE - 0.1)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    clock.passes(0.1)
    assert reason(watched, SECRET, now=clock.now) == "bad-signature"


def test_an_edit_in_place_that_keeps_size_and_time_is_seen(watched, secrets, clock):
    before = secrets.stat()
    other = SECRET[::-1]
    secrets.write_text(OLD + NOW.replace(SECRET, other))
    os.utime(secrets, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = secrets.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (
        before.st_size,
        before.st_mtime_ns,
        before.st_ino,
    )
    for passes in (LONGEST, SETTLE):
        clock.passes(passes)
        outcome = reason(watched, other, now=clock.now)
    assert outcome == "ok"
    assert reason(watched, SECRET, now=clock.now) == "bad-signature"


def test_a_file_that_changes_again_is_given_no_more_time_than_the_grace(watched, secrets, clock):
    replace(secrets, NEW)
    clock.passes(LONGEST + 0.5)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    replace(secrets, OLD + NEW)
    clock.passes(0.4)
    assert reason(watched, SECRET, now=clock.now) == "ok"
    clock.passes(0.1)
    assert reason(watched, SECRET, now=clock.now) == "bad-signature"
    assert reason(watched, OLDER_SECRET, now=clock.now) == "ok"


def test_a_process_that_was_idle_decides_by_what_the_file_holds_now(watched, secrets, clock):
    clock.passes(10 * LONGEST)
    replace(secrets, NEW)
    assert reason(watched, SECRET, now=clock.now) == "bad-signature"


def test_what_had_not_stood_still_is_read_once_more(watched, secrets, clock, monkeypatch):
    read, times = KeyRing.from_file, []
    monkeypatch.setattr(KeyRing, "from_file", lambda path: times.append(path) or read(path))
    clock.passes(10 * LONGEST)
    replace(secrets, NEW)
    assert reason(watched, NEWER_SECRET, now=clock.now) == "ok"
    scheme = watched.scheme
    counts = []
    for passes in (0, SETTLE, LONGEST):
        clock.passes(passes)
        assert reason(watched, NEWER_SECRET, now=clock.now) == "ok"
        counts.append(len(times))
    assert counts == [1, 2, 2]
    # What was remembered stays where nothing is new.
    assert watched.scheme is scheme


def test_a_process_that_was_idle_waits_for_a_file_that_is_half_written(
    watched, secrets, clock, caplog
):
    clock.passes(10 * LONGEST)
    secrets.write_text("")
    assert reason(watched, SECRET, now=clock.now) == "ok"
    assert not caplog.records
    secrets.write_text(NEW)
    clock.passes(SETTLE)
    assert reason(watched, NEWER_SECRET, now=clock.now) == "ok"


@pytest.mark.parametrize("seconds", [-86_400, 86_400])
def test_a_clock_that_is_set_does_not_stop_the_watch(watched, secrets, clock, seconds):
    replace(secrets, NEW)
    clock.is_set(seconds)
    assert reason(watched, SECRET, now=clock.now) == "ok"  # looks, and sees it
    clock.passes(SETTLE)
    assert reason(watched, SECRET, now=clock.now) == "bad-signature"


@pytest.mark.parametrize("times", [1, 100])
def test_what_changes_while_it_is_read_is_read_again(watched, secrets, clock, monkeypatch, times):
    read = KeyRing.from_file
    changes = iter(range(times))

    def read_slowly(path):
        keys = read(path)
        if next(changes, None) is not None:
            replace(secrets, NEW)
        return keys

    monkeypatch.setattr(KeyRing, "from_file", read_slowly)
    clock.passes(2 * LONGEST)
    replace(secrets, OLD)
    # A file that never stands still: what was in force stays.
    expected = NEWER_SECRET if times == 1 else SECRET
    assert reason(watched, expected, now=clock.now) == "ok"
    assert reason(watched, OLDER_SECRET, now=clock.now) == ("ok", "bad-signature")[times == 1]


def test_threads_that_look_at_once_agree(secrets):
    live_guard = guard(secrets)
    wrong, done = [], threading.Event()

    def ask():
        while not done.is_set():
            outcome = reason(live_guard, SECRET)
            if outcome != "ok":
                wrong.append(outcome)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for content, kept in [(NOW + NEW, NEWER_SECRET), (OLD + NOW, OLDER_SECRET)] * 5:
            replace(secrets, content)
            becomes(live_guard, SECRET, kept)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not wrong


# --- networks that retire

FIRST_OF_NOVEMBER = calendar.timegm((2099, 11, 1, 0, 0, 0))


def test_a_network_that_retires_is_refused_when_its_last_day_is_over_though_the_file_is_the_same(
    tmp_path, clock
):
    file = tmp_path / "list.json"
    file.write_text(
        '{"addresses": ["198.51.100.0/24"], "ipv6_addresses": [],'
        ' "retiring": {"192.0.2.0/24": "2099-10-31", "203.0.113.0/24": "2099-11-30"}}'
    )
    clock.is_set(FIRST_OF_NOVEMBER - 20 - clock.now)
    live_guard = Guard.from_settings(
        {"secret": SECRET, "addresses": file, "watch_interval": 5, "max_age": 1e10}
    )

    def seen(peer):
        return reason(live_guard, SECRET, now=clock.now, peer=peer)

    for _ in range(3):
        clock.passes(5)
        assert seen("192.0.2.1") == "ok"
    listed = live_guard.addresses
    clock.passes(4)
    assert seen("192.0.2.1") == "ok"
    assert live_guard.addresses is listed
    clock.passes(5)  # looks, and reads when the file has stood still
    seen("192.0.2.1")
    clock.passes(SETTLE)
    assert seen("192.0.2.1") == "address"
    assert seen("203.0.113.1") == seen("198.51.100.1") == "ok"

    # Nothing is read again before the next of them is due.
    listed = live_guard.addresses
    for _ in range(3):
        clock.passes(5)
        assert seen("192.0.2.1") == "address"
    assert live_guard.addresses is listed
    clock.passes(30 * 86_400)
    assert seen("203.0.113.1") == "address"
    assert seen("198.51.100.1") == "ok"


# --- passes

PASS_SECRET = "a-secret-that-signs-passes-only"
OTHER_PASS_SECRET = "another-secret-that-signs-passes"


@pytest.fixture
def pass_file(tmp_path):
    file = tmp_path / "pass"
    file.write_text(PASS_SECRET)
    return file


def lets_in(guard, value, *, now=None):
    request = PlainRequest(fields=[("Edge-Auth-Pass", value.encode())])
    return guard.check(request, now=now).reason == "pass"


def test_a_changed_pass_secret_revokes_every_pass_in_a_running_process(secrets, pass_file):
    old, _ = Passes(PASS_SECRET).issue("alice", ttl=3600)
    new, _ = Passes(OTHER_PASS_SECRET).issue("alice", ttl=3600)
    live_guard = guard(secrets, pass_secret_file=pass_file)
    assert lets_in(live_guard, old)
    replace(pass_file, OTHER_PASS_SECRET)
    wait_until(lambda: not lets_in(live_guard, old) and lets_in(live_guard, new))
    assert accepts(live_guard, OLDER_SECRET, SECRET)


@pytest.mark.parametrize("given", ["pass_secret", "pass_secret_file"])
def test_an_id_in_the_file_revokes_one_pass_in_a_running_process(
    tmp_path, pass_file, given, caplog
):
    revoked = tmp_path / "revoked"
    revoked.write_text("")
    passes = Passes(PASS_SECRET)
    lost, named = passes.issue("alice", ttl=3600)
    other, _ = passes.issue("bob", ttl=3600)
    live_guard = Guard.from_settings(
        {
            "secret": SECRET,
            given: PASS_SECRET if given == "pass_secret" else pass_file,
            "revoked_passes_file": revoked,
            "watch_interval": SHORTEST,
        }
    )
    assert lets_in(live_guard, lost)
    caplog.set_level(logging.INFO)
    with revoked.open("a") as file:
        file.write(f"{named.id}\n")
    wait_until(lambda: not lets_in(live_guard, lost))
    assert lets_in(live_guard, other)
    assert logged(caplog, f"revoked_passes_file {str(revoked)!r} was read; in force: the pass")
    assert PASS_SECRET not in caplog.text


@pytest.mark.parametrize("setting", ["pass_secret_file", "revoked_passes_file"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.unlink(),
        lambda file: replace(file, "not: an id\nnor a secret\n"),
        lambda file: replace(file, OLD + NOW),
        lambda file: (file.unlink(), os.mkfifo(file)),
    ],
    ids=["removed", "mistyped", "a file of something else", "a pipe"],
)
def test_no_pass_is_accepted_while_a_file_they_are_judged_by_cannot_be_used(
    tmp_path, secrets, pass_file, caplog, setting, spoil
):
    files = {"pass_secret_file": pass_file, "revoked_passes_file": tmp_path / "revoked"}
    good = {"pass_secret_file": PASS_SECRET, "revoked_passes_file": "# none\n0a\n"}
    files["revoked_passes_file"].write_text(good["revoked_passes_file"])
    value, _ = Passes(PASS_SECRET).issue("alice", ttl=3600)
    live_guard = guard(secrets, **files)
    assert lets_in(live_guard, value)
    spoil(files[setting])
    wait_until(lambda: not lets_in(live_guard, value) and logged(caplog, "CANNOT BE USED"))
    (record,) = logged(caplog, "CANNOT BE USED")
    assert record.levelno == logging.ERROR
    assert "CANNOT BE USED, no pass is accepted: " in record.getMessage()
    assert PASS_SECRET not in caplog.text
    # The edge is not shut out, and the header is kept from the application as before.
    assert accepts(live_guard, OLDER_SECRET, SECRET)
    assert "Edge-Auth-Pass" in live_guard.stripped_headers
    replace(files[setting], good[setting])
    wait_until(lambda: lets_in(live_guard, value))


def test_a_pass_secret_that_is_emptied_ends_passes_at_once_in_a_process_that_was_idle(
    secrets, pass_file, clock
):
    value, _ = Passes(PASS_SECRET).issue("alice", ttl=3600, now=clock.now + 10 * LONGEST)
    live_guard = guard(secrets, pass_secret_file=pass_file, watch_interval=LONGEST)
    clock.passes(10 * LONGEST)
    assert lets_in(live_guard, value, now=clock.now)
    clock.passes(SETTLE)
    assert lets_in(live_guard, value, now=clock.now)
    clock.passes(LONGEST / 2)
    pass_file.write_text("")
    clock.passes(LONGEST / 2 + SETTLE)
    assert not lets_in(live_guard, value, now=clock.now)


def test_a_secret_for_both_is_refused_whichever_of_the_files_changes(secrets, pass_file, caplog):
    value, _ = Passes(PASS_SECRET).issue("alice", ttl=3600)
    live_guard = guard(secrets, pass_secret_file=pass_file)
    replace(secrets, f"new:{PASS_SECRET}\n")
    wait_until(
        lambda: accepts(live_guard, OLDER_SECRET, SECRET) and logged(caplog, "also a secret of")
    )
    assert lets_in(live_guard, value)
    replace(secrets, OLD)
    becomes(live_guard, OLDER_SECRET)
    caplog.clear()
    replace(pass_file, OLDER_SECRET)
    wait_until(lambda: not lets_in(live_guard, value) and logged(caplog, "also a secret of"))


def test_a_pass_secret_from_a_pipe_is_read_once(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(PASS_SECRET,))
    writer.start()
    live_guard = Guard.from_settings({"secret": SECRET, "pass_secret_file": pipe})
    writer.join()
    value, _ = Passes(PASS_SECRET).issue("alice", ttl=3600)
    assert isinstance(live_guard._source, FixedPolicy)
    assert lets_in(live_guard, value)


# --- what cannot be used


def _nothing(path):
    path.write_bytes(b"")


def _comments(path):
    path.write_text("# to be written\n")


def _cut_in_a_secret(path):
    path.write_text(OLD + NOW[:22])


def _cut_in_an_id(path):
    path.write_text(OLD + "no")


def _cut_below_the_length_of_a_secret(path):
    path.write_text(OLD + NOW[:10])


def _mistyped(path):
    path.write_text(f"{SECRET}\n{OLDER_SECRET}\n")


def _not_text(path):
    path.write_bytes(OLD.encode() + b"new:" + b"\xff" * 32)


def _removed(path):
    path.unlink()


def _a_directory(path):
    path.unlink()
    path.mkdir()


def _a_dangling_link(path):
    path.unlink()
    path.symlink_to("nowhere")


def _a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def _huge(path):
    path.write_bytes(b"#" * (1 << 21))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_nothing, "no key: at least one"),
        (_comments, "no key: at least one"),
        (_cut_in_a_secret, "the secret of key now is cut off"),
        (_cut_in_an_id, "line 2: expected id:secret"),
        (_cut_below_the_length_of_a_secret, "line 2: the secret of key 'now' has 6 bytes"),
        (_mistyped, "line 1: expected id:secret"),
        (_not_text, "is not UTF-8"),
        (_removed, "No such file"),
        (_a_directory, "not a regular file"),
        (_a_dangling_link, "No such file"),
        (_a_pipe, "not a regular file"),
        (_huge, "is over 1048576 bytes"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_used_is_refused_loudly_and_the_last_good_keys_stay(
    secrets, caplog, spoil, why
):
    live_guard = guard(secrets)
    spoil(secrets)
    wait_until(lambda: accepts(live_guard, OLDER_SECRET, SECRET) and logged(caplog, why))
    (record,) = logged(caplog, why)
    assert record.levelno == logging.ERROR
    text = record.getMessage()
    assert f"secrets_file {str(secrets)!r} CANNOT BE USED" in text
    assert "the keys old, now stay in force" in text
    assert not any(secret[:8] in caplog.text for secret in (SECRET, OLDER_SECRET))

    caplog.clear()
    caplog.set_level(logging.INFO)
    if secrets.is_dir():
        secrets.rmdir()
    replace(secrets, NEW)
    becomes(live_guard, NEWER_SECRET)
    # It may be read twice: if nobody looked for a while, also before it stands still.
    record, *_ = logged(caplog, "was read; in force: the keys new")
    assert record.levelno == logging.WARNING


@pytest.fixture
def open_folder():
    """A folder that every user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        pathlib.Path(name).chmod(0o755)
        yield pathlib.Path(name)


def test_a_permission_that_is_taken_away_leaves_the_last_good_keys(open_folder, caplog):
    secrets = open_folder / "secrets"
    secrets.write_text(NOW)
    live_guard = guard(secrets)
    secrets.chmod(0)
    with not_as_root():
        wait_until(
            lambda: accepts(live_guard, SECRET) and logged(caplog, "be read: Permission denied")
        )
    replace(secrets, NEW)
    becomes(live_guard, NEWER_SECRET)


def test_a_change_without_trouble_is_a_line_at_info(secrets, caplog):
    caplog.set_level(logging.INFO)
    live_guard = guard(secrets)
    replace(secrets, NEW)
    becomes(live_guard, NEWER_SECRET)
    record, *_ = logged(caplog, "was read; in force: the keys new")
    assert record.levelno == logging.INFO


def test_a_link_that_points_back_to_what_is_in_force_ends_the_alarm(
    watched, secrets, clock, caplog
):
    # What an app set for the log before this test would show more lines.
    caplog.set_level(logging.WARNING, "edgeauth")
    good, bad = secrets.with_name("good"), secrets.with_name("bad")
    bad.write_text("")
    good.write_text(NOW)
    for target, line in [
        (good, None),
        (bad, "CANNOT BE USED, the keys now stay in force"),
        (good, "is as it was; in force: the keys now"),
    ]:
        secrets.with_name("link").symlink_to(target)
        secrets.with_name("link").replace(secrets)
        for passes in (LONGEST, SETTLE):
            clock.passes(passes)
            assert reason(watched, SECRET, now=clock.now) == "ok"
        assert len(caplog.records) == (line is not None)
        assert line is None or logged(caplog, line)
        caplog.clear()


def test_a_file_that_stays_wrong_is_a_line_a_minute_and_read_no_more_often(
    watched, secrets, clock, caplog
):
    replace(secrets, "")
    lines = []
    for passes in (LONGEST, SETTLE, 40, 40, 40):
        clock.passes(passes)
        clock.is_set(86_400)  # so that it looks
        assert reason(watched, SECRET, now=clock.now) == "ok"
        lines.append(len(logged(caplog, "CANNOT BE USED")))
    assert lines == [0, 1, 1, 2, 2]


def test_a_failure_that_does_not_lie_in_the_file_ends_within_a_minute(
    watched, secrets, clock, caplog, monkeypatch
):
    read = KeyRing.from_file

    def fail(_path):
        raise RuntimeError(NEWER_SECRET)

    monkeypatch.setattr(KeyRing, "from_file", fail)
    replace(secrets, NEW)
    for passes in (LONGEST, SETTLE):
        clock.passes(passes)
        assert reason(watched, SECRET, now=clock.now) == "ok"
    assert logged(caplog, "reading it failed with RuntimeError")
    assert NEWER_SECRET not in caplog.text
    monkeypatch.setattr(KeyRing, "from_file", read)
    clock.passes(LONGEST)
    assert reason(watched, NEWER_SECRET, now=clock.now) == "ok"


def test_an_address_file_that_cannot_be_used_leaves_the_last_good_list(secrets, tmp_path, caplog):
    file = tmp_path / "list.json"
    good = '{"addresses": ["192.0.2.0/24"], "ipv6_addresses": [], "as_of": "2026-10"}'
    file.write_text(good)
    live_guard = guard(secrets, addresses=file)
    for content, why in [
        (good[:40], "is not JSON"),
        ("", "is not JSON"),
        ('{"addresses": [], "ipv6_addresses": []}', "the address list is empty"),
        (good.replace("192.0.2.0/24", "x" * 5000), "'xxxx"),
    ]:
        replace(file, content)
        wait_until(lambda why=why: reason(live_guard, SECRET) == "ok" and logged(caplog, why))
        (record,) = logged(caplog, why)
        assert "the 1 networks as of 2026-10 stay in force" in record.getMessage()
        assert len(record.getMessage()) < 1000
        assert reason(live_guard, SECRET, peer="198.51.100.7") == "address"
        caplog.clear()


def test_a_log_that_fails_does_not_refuse_the_request_that_looked(secrets):
    def explode(_):
        raise RuntimeError

    logger = logging.getLogger("edgeauth")
    live_guard = guard(secrets)
    logger.addFilter(explode)
    try:
        secrets.write_text("")
        wait_until(
            lambda: (
                live_guard._source._keys[0]._refused is not None
                or reason(live_guard, SECRET) != "ok"
            )
        )
        assert reason(live_guard, SECRET) == "ok"
    finally:
        logger.removeFilter(explode)


def test_what_a_thread_found_is_not_undone_by_one_that_found_nothing(secrets):
    live_guard = guard(secrets)
    newer = Policy(EdgeAuthScheme([NEWER_SECRET]))

    def look(seen):
        decides_by(live_guard, newer)
        return seen

    live_guard._source._look = look
    live_guard.check(PlainRequest(), now=0)
    assert live_guard.scheme is newer.scheme


def test_what_a_thread_stored_is_not_undone_by_one_that_asked_before(secrets):
    live_guard = guard(secrets)
    newer = Policy(EdgeAuthScheme([NEWER_SECRET]))

    class Source:
        policy = newer

        def current(self, now):
            return Policy(EdgeAuthScheme([OLDER_SECRET]))

    live_guard.follow(Source(), Terms((), ()))
    live_guard.check(PlainRequest())
    assert live_guard.scheme is newer.scheme


@pytest.mark.parametrize("setting", ["secrets_file", "addresses"])
def test_a_file_that_is_not_there_at_the_start_stops_it(tmp_path, secrets, setting):
    with pytest.raises(ConfigurationError, match="absent' cannot be read"):
        guard(**{"secrets": secrets, setting: tmp_path / "absent"})


def test_the_keys_of_each_of_several_schemes_are_watched(tmp_path, secrets):
    sent = tmp_path / "sent"
    sent.write_text(f"sent:{OLDER_SECRET}\n")
    tables = [
        {"secrets_file": secrets, "max_age": 1e9, "max_future": 1e9},
        {"scheme": "shared-secret", "secrets_file": sent, "header": "X-Proof"},
    ]
    live_guard = Guard.from_settings({"schemes": tables, "watch_interval": SHORTEST})

    def by_secret(secret):
        request = PlainRequest(fields=[("X-Proof", secret.encode())])
        return live_guard.check(request).reason

    signed, _ = live_guard.scheme.schemes
    assert reason(live_guard, OLDER_SECRET) == by_secret(OLDER_SECRET) == "ok"
    replace(sent, f"new:{NEWER_SECRET}\n")
    wait_until(lambda: by_secret(NEWER_SECRET) == "ok")
    assert by_secret(OLDER_SECRET) == "bad-signature"
    assert reason(live_guard, OLDER_SECRET) == "ok"
    replace(secrets, NEW)
    wait_until(lambda: reason(live_guard, NEWER_SECRET) == "ok")
    assert reason(live_guard, OLDER_SECRET) == "bad-signature"
    assert by_secret(NEWER_SECRET) == "ok"
    assert live_guard.scheme.schemes[0] is not signed


def test_no_new_key_of_any_scheme_signs_passes_too(tmp_path, caplog):
    files = [tmp_path / "one", tmp_path / "two"]
    for file, secret in zip(files, (SECRET, OLDER_SECRET), strict=True):
        file.write_text(f"key:{secret}\n")
    live_guard = Guard.from_settings(
        {
            "schemes": [{"secrets_file": file, "header": f"X-{file.name}"} for file in files],
            "pass_secret": NEWER_SECRET,
            "watch_interval": SHORTEST,
        }
    )
    for file in files:
        caplog.clear()
        replace(file, NEW)
        wait_until(lambda: live_guard.check(PlainRequest()) or "CANNOT BE USED" in caplog.text)
        assert "pass_secret is also a secret of the edge" in caplog.text

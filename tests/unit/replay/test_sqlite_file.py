"""The file of a SQLite replay store, by itself: what is in it, and what is taken for one."""

from __future__ import annotations

import math
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from edgeauth.replay import sqlite_file
from edgeauth.replay.sqlite_file import NotOurs

NOW = 1_700_000_000.0


# Each of these characters means something in a URL.
@pytest.fixture(params=["seen.db", "se en?mode=ro&x=%41#.db"])
def path(request, tmp_path):
    return str(tmp_path / request.param)


def query(connection, text):
    return connection.execute(text).fetchall()


@pytest.fixture
def made(path):
    sqlite_file.make(path, since=NOW)
    return path


@pytest.fixture
def connection(made):
    connection = sqlite_file.connect(made)
    yield connection
    connection.close()


def test_a_file_is_this_users_alone_and_says_whose_it_is(made):
    assert stat.S_IMODE(Path(made).stat().st_mode) == 0o600
    # Where SQLite has a place for it, from byte 68 on.
    assert Path(made).read_bytes()[68:72] == b"edge"
    assert [file.name for file in Path(made).parent.iterdir()] == [Path(made).name]


def test_a_new_file_says_since_when_it_remembers_and_in_which_boot(connection):
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()

    assert query(connection, "SELECT * FROM about") == [(NOW, boot, -math.inf)]
    assert query(connection, "SELECT * FROM seen") == []
    assert sqlite_file.boot() == boot
    assert sqlite_file.began(connection) == NOW


def test_nothing_of_it_is_forced_to_the_disk_and_readers_wait_for_no_writer(connection):
    assert query(connection, "PRAGMA synchronous") == [(0,)]
    assert query(connection, "PRAGMA journal_mode") == [("wal",)]


def test_where_no_boot_has_a_name_the_disk_is_written_to_at_times(made, monkeypatch):
    monkeypatch.setattr(sqlite_file, "boot", lambda: "")
    connection = sqlite_file.connect(made)
    assert query(connection, "PRAGMA synchronous") == [(1,)]
    connection.close()


def test_a_draft_that_somebody_else_puts_there_meanwhile_is_not_written_to(path, monkeypatch):
    Path(f"{path}.new").write_text("not ours")
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(FileExistsError):
        sqlite_file.make(path, since=NOW)
    assert Path(f"{path}.new").read_text() == "not ours"


def test_a_draft_and_a_log_of_an_earlier_one_are_no_part_of_the_new_file(path):
    for junk in (".new", ".new-wal", ".new-shm", "-wal", "-shm"):
        Path(f"{path}{junk}").write_bytes(b"junk" * 1000)
    sqlite_file.make(path, since=NOW)

    assert [file.name for file in Path(path).parent.iterdir()] == [Path(path).name]
    connection = sqlite_file.connect(path)
    assert sqlite_file.began(connection) == NOW
    connection.close()


def test_a_file_of_another_boot_began_at_no_time(made, monkeypatch):
    monkeypatch.setattr(sqlite_file, "boot", lambda: "another")
    connection = sqlite_file.connect(made)
    assert sqlite_file.began(connection) is None
    connection.close()


def is_closed(connection):
    try:
        connection.total_changes  # noqa: B018 - an open one tells
    except sqlite3.ProgrammingError:
        return True
    return False


@pytest.fixture
def opened(monkeypatch):
    """The connections that are made from here on."""
    connections, connect = [], sqlite3.connect

    def note(*arguments, **options):
        connections.append(connect(*arguments, **options))
        return connections[-1]

    monkeypatch.setattr(sqlite3, "connect", note)
    return connections


@pytest.mark.parametrize("content", [b"", b"a note\n" * 100, "another database", b"SQLite format"])
def test_what_no_store_made_is_not_ours_and_no_connection_to_it_is_left(path, content, opened):
    if isinstance(content, str):
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE theirs (key)")
        other.close()
    else:
        Path(path).write_bytes(content)
    before = Path(path).read_bytes()

    with pytest.raises(NotOurs):
        sqlite_file.connect(path)

    assert all(map(is_closed, opened))
    assert Path(path).read_bytes() == before


def test_a_file_that_cannot_be_opened_is_another_failure(path, opened):
    with pytest.raises(sqlite3.OperationalError):
        sqlite_file.connect(path)
    assert all(map(is_closed, opened))
    assert not Path(path).exists()


def test_an_error_that_says_nothing_of_the_file_goes_on_and_leaves_no_connection(
    made, monkeypatch, opened
):
    def fail():
        raise busy

    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    monkeypatch.setattr(sqlite_file, "boot", fail)

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite_file.connect(made)
    assert list(map(is_closed, opened)) == [True]


def test_a_file_without_what_it_says_of_itself_leaves_no_connection(made):
    connection = sqlite_file.connect(made)
    connection.execute("DROP TABLE about")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        sqlite_file.began(connection)
    assert is_closed(connection)


def test_a_connection_waits_for_nobody_begins_nothing_and_is_of_all_threads(made, connection):
    holder = sqlite_file.connect(made)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        connection.execute("DELETE FROM seen")
    holder.execute("ROLLBACK")
    holder.close()
    assert query(connection, "PRAGMA busy_timeout") == [(0,)]
    connection.execute("DELETE FROM seen")
    assert not connection.in_transaction
    answers = []
    thread = threading.Thread(target=lambda: answers.append(sqlite_file.began(connection)))
    thread.start()
    thread.join()
    assert answers == [NOW]


def test_a_key_was_seen_when_it_was_and_to_look_makes_no_file(path, opened):
    assert sqlite_file.seen_at(path, b"one") is None
    assert not Path(path).exists()
    sqlite_file.make(path, since=NOW)
    connection = sqlite_file.connect(path)
    connection.execute("INSERT INTO seen VALUES (?, ?, ?, ?)", (b"one", NOW + 60, 7, b""))

    found = sqlite_file.seen_at(path, b"one")

    assert (found, type(found)) == (7.0, float)
    assert sqlite_file.seen_at(path, b"two") is None
    connection.close()
    assert all(map(is_closed, opened))


def test_whoever_looks_may_not_write(made, monkeypatch):
    asked = []
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda url, **how: asked.append(url) or connect(url, **how)
    )
    sqlite_file.seen_at(made, b"one")
    sqlite_file.connect(made).close()
    assert [url.rpartition("=")[2] for url in asked] == ["ro", "rw"]


def test_a_file_is_put_aside_beside_itself(made):
    Path(f"{made}.old").write_text("an earlier one")
    sqlite_file.put_aside(made)
    assert [file.name for file in Path(made).parent.iterdir()] == [f"{Path(made).name}.old"]
    assert Path(f"{made}.old").read_bytes()[68:72] == b"edge"


def test_a_path_names_a_file_by_its_disk_and_inode(made):
    found = Path(made).stat()
    assert sqlite_file.where(made) == (found.st_dev, found.st_ino)
    assert sqlite_file.where(f"{made}/below") is None
    assert sqlite_file.where(f"{made}.absent") is None


def test_the_lock_of_a_folder_is_held_once_at_a_time(path):
    with sqlite_file.locked_folder(path) as first:
        with sqlite_file.locked_folder(path) as second:
            assert (first, second) == (True, False)
        with sqlite_file.locked_folder(path) as third:
            assert third is False
    with sqlite_file.locked_folder(path) as fourth:
        assert fourth is True

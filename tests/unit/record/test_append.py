"""Where lines are appended, by itself: names of streams, how a file is opened, half lines."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import signal
import socket
import stat
from pathlib import Path

import pytest

from edgeauth._record import append
from edgeauth._record.append import target


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/dev/stdout", 1),
        ("/dev/stderr", 2),
        ("/dev/fd/0", 0),
        ("/dev/fd/7", 7),
        ("/dev/fd/123456789", 123_456_789),
        ("/dev/fd/1234567890", None),
        ("/dev/fd/x", None),
        ("/dev/fd/", None),
        ("/dev//./fd/../fd/7", 7),
        ("/dev/stdout/x", None),
        ("/x/dev/stdout", None),
        ("/proc/self/fd/7", 7),
        ("/proc/thread-self/fd/7", 7),
        ("/proc/{own}/fd/7", 7),
        ("/proc/{other}/fd/7", None),
        ("/proc/self/stdout", 1),
        ("/var/log/decisions", None),
    ],
)
def test_the_names_of_a_stream_are_those_that_the_system_has(path, number):
    own = os.getpid()
    assert append._stream_number(path.format(own=own, other=own + 1)) == number


def test_a_link_to_a_stream_is_one_and_so_is_a_chain_of_links_that_the_system_would_follow(
    tmp_path,
):
    before = "/dev/stderr"
    found = []
    for number in range(41):
        link = tmp_path / str(number)
        link.symlink_to(before)
        # Relative to the folder of the link.
        before = link.name
        found.append(append._stream_number(str(link)))

    assert found == [2] * 39 + [None] * 2


def flags(fd):
    return fcntl.fcntl(fd, fcntl.F_GETFL)


def test_a_file_is_opened_to_append_to_never_to_wait_and_for_no_child(tmp_path):
    (tmp_path / "file").write_bytes(b"before\n")
    file = target(str(tmp_path / "file"))

    assert flags(file._fd) & (os.O_APPEND | os.O_NONBLOCK) == os.O_APPEND | os.O_NONBLOCK
    assert flags(file._fd) & os.O_ACCMODE == os.O_RDWR
    assert not os.get_inheritable(file._fd)
    assert file.write(b"line\n", look=False) == 5
    assert (tmp_path / "file").read_bytes() == b"before\nline\n"


def test_a_pipe_is_opened_to_write_to_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    pipe = target(str(tmp_path / "pipe"))

    assert flags(pipe._fd) & os.O_ACCMODE == os.O_WRONLY
    assert pipe.write(b"half", look=False) == 4
    assert pipe.write(b" a line\n", look=True) == 8
    assert os.read(reader, 100) == b"half a line\n"
    os.close(reader)


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_is_left_open_by_whoever_is_gone(tmp_path):
    (tmp_path / "file").touch()
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe()
    paths = [str(tmp_path / "file"), str(tmp_path / "new")]
    paths += [f"/dev/fd/{fd}" for fd in (theirs.fileno(), writer)]
    before = open_files()
    for path in paths:
        made = target(path)
        for _ in range(2):
            assert made.write(b"line\n", look=True) == 5
        if path.startswith(str(tmp_path)):
            Path(path).rename(f"{path}.old")
            assert made.write(b"line\n", look=True) == 5
        del made
    assert open_files() == before
    for fd in (reader, writer):
        os.close(fd)
    ours.close()
    theirs.close()


def test_a_pipe_that_is_descriptor_zero_is_one_like_others(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    kept = os.dup(0)
    try:
        os.close(0)
        pipe = target(str(tmp_path / "pipe"))
        (tmp_path / "pipe").rename(tmp_path / "moved")
        assert (pipe._fd, pipe.write(b"one\n", look=False)) == (0, 4)
        assert pipe._fd == 0
        # Where the path leads to another one, it is closed like others.
        os.mkfifo(tmp_path / "pipe")
        other = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        assert pipe.write(b"two\n", look=True) == 4
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(0)
        assert os.read(other, 100) == b"two\n"
        os.close(other)
        (tmp_path / "pipe").unlink()
        pipe = target(str(tmp_path / "moved"))
        assert pipe._fd == 0
        del pipe
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(0)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
    assert os.read(reader, 100) == b"one\n"
    assert not (tmp_path / "pipe").exists()
    os.close(reader)


def test_a_new_file_has_its_mode_whatever_is_taken_away_for_others(tmp_path):
    umask = os.umask(0)
    try:
        target(str(tmp_path / "file")).write(b"line\n", look=False)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.fixture
def moments(monkeypatch):
    """How long somebody slept, each time."""
    slept = []
    monkeypatch.setattr("edgeauth._record.append.time.sleep", slept.append)
    return slept


def test_half_a_line_must_stand_still_for_five_milliseconds(tmp_path, moments):
    (tmp_path / "file").write_bytes(b"half")
    file = target(str(tmp_path / "file"))

    # A line end of ours is no part of what was asked for.
    assert file.write(b"line\n", look=False) == 5
    assert file.write(b"line\n", look=False) == 5

    assert moments == [0.001] * 5
    assert (tmp_path / "file").read_bytes() == b"half\nline\nline\n"


def test_half_a_line_that_goes_on_is_left_to_whoever_writes_it(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"half")
    file = target(str(tmp_path / "file"))
    slept = []

    def goes_on(_seconds):
        slept.append(1)
        with (tmp_path / "file").open("ab") as other:
            other.write(b" a line\n")

    monkeypatch.setattr("edgeauth._record.append.time.sleep", goes_on)
    assert file.write(b"line\n", look=False) == 5
    assert slept == [1]
    assert (tmp_path / "file").read_bytes() == b"half a line\nline\n"


def test_a_file_that_was_emptied_begins_anew(tmp_path, moments):
    (tmp_path / "file").write_bytes(b"half")
    file = target(str(tmp_path / "file"))
    (tmp_path / "file").write_bytes(b"")

    assert file.write(b"line\n", look=False) == 5
    assert (moments, (tmp_path / "file").read_bytes()) == ([], b"line\n")


def test_a_file_that_may_not_be_read_is_written_as_it_is(tmp_path, monkeypatch, moments):
    (tmp_path / "file").write_bytes(b"line\n")
    really_open = os.open

    def refuse(path, how, *mode):
        if how & os.O_ACCMODE == os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_open(path, how, *mode)

    monkeypatch.setattr(os, "open", refuse)
    file = target(str(tmp_path / "file"))
    assert flags(file._fd) & os.O_ACCMODE == os.O_WRONLY
    for _ in range(2):
        assert file.write(b"line\n", look=False) == 5
    assert ((tmp_path / "file").read_bytes(), moments) == (b"line\n" * 3, [])


@pytest.mark.parametrize("torn", [False, True])
def test_what_cannot_be_read_is_torn_where_a_write_of_ours_went_in_part(
    tmp_path, moments, monkeypatch, torn
):
    file = target(str(tmp_path / "file"))
    write = os.write

    def fail(*_arguments):
        raise OSError(errno.EBADF, "not open for reading")

    if torn:
        monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    assert file.write(b"line\n", look=False) == (3 if torn else 5)
    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "pread", fail)
    for _ in range(2):
        assert file.write(b"line\n", look=False) == 5

    assert moments == []
    first = b"lin\n" if torn else b"line\n"
    assert (tmp_path / "file").read_bytes() == first + b"line\n" * 2


def test_what_went_of_a_line_after_half_a_line_is_told_without_our_line_end(
    tmp_path, moments, monkeypatch
):
    write = os.write
    for room, went in ((0, 0), (1, 0), (2, 1), (6, 5)):
        (tmp_path / "file").write_bytes(b"half")
        file = target(str(tmp_path / "file"))
        monkeypatch.setattr(os, "write", lambda fd, data, room=room: write(fd, data[:room]))
        assert file.write(b"line\n", look=False) == went
        monkeypatch.setattr(os, "write", write)
    assert len(moments) == 20


def test_a_path_is_followed_where_somebody_looks_and_at_once_where_its_file_is_gone(tmp_path):
    path = tmp_path / "file"
    file = target(str(path))
    file.write(b"one\n", look=True)
    path.rename(tmp_path / "old")
    file.write(b"two\n", look=False)
    file.write(b"three\n", look=True)
    path.unlink()
    file.write(b"four\n", look=False)

    assert (tmp_path / "old").read_bytes() == b"one\ntwo\n"
    assert path.read_bytes() == b"four\n"


def test_a_pipe_in_the_place_of_a_file_is_followed_and_a_file_in_that_of_a_pipe(tmp_path, moments):
    path = tmp_path / "file"
    path.write_bytes(b"half")
    file = target(str(path))
    path.unlink()
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert file.write(b"one\n", look=True) == 4
    assert os.read(reader, 100) == b"one\n"
    os.close(reader)
    path.unlink()
    path.write_bytes(b"half")
    assert file.write(b"two\n", look=True) == 4
    assert path.read_bytes() == b"half\ntwo\n"
    assert len(moments) == 5


def test_lines_go_on_where_the_path_leads_to_nothing_that_can_be_opened(tmp_path):
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    file = target(str(path))
    file.write(b"one\n", look=True)
    path.parent.rename(tmp_path / "moved")
    assert file.write(b"two\n", look=True) == 4
    assert (tmp_path / "moved" / "file").read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("path", "kind", "number", "why"),
    [
        ("new/", IsADirectoryError, errno.EISDIR, "Is a directory"),
        ("absent/file", FileNotFoundError, errno.ENOENT, "No such file or directory"),
        ("a file/file", NotADirectoryError, errno.ENOTDIR, "Not a directory"),
        ("dangling", FileNotFoundError, errno.ENOENT, "No such file or directory"),
    ],
)
def test_what_cannot_be_made_is_an_error_of_the_system_and_makes_nothing(
    tmp_path, path, kind, number, why
):
    (tmp_path / "a file").touch()
    (tmp_path / "dangling").symlink_to("absent/file")
    with pytest.raises(kind) as caught:
        target(f"{tmp_path}/{path}")
    assert (caught.value.errno, caught.value.strerror) == (number, why)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a file", "dangling"]


def test_whether_a_file_can_be_made_is_asked_for_the_user_that_this_process_acts_as(
    tmp_path, monkeypatch
):
    asked = []
    monkeypatch.setattr(
        "edgeauth._record.append.os.access",
        stand_in := lambda path, mode, **how: asked.append((str(path), mode, how)) or False,
    )
    monkeypatch.setattr(os, "supports_effective_ids", {stand_in})
    with pytest.raises(PermissionError) as caught:
        target(f"{tmp_path}/new")
    assert (caught.value.errno, caught.value.strerror) == (
        errno.EACCES,
        "its folder cannot be written to",
    )
    assert asked == [(str(tmp_path), os.W_OK | os.X_OK, {"effective_ids": True})]


def test_a_stream_that_is_only_read_is_refused_and_one_that_is_both_is_not(tmp_path):
    (tmp_path / "file").touch()
    for how in (os.O_WRONLY, os.O_RDWR):
        fd = os.open(tmp_path / "file", how)
        assert target(f"/dev/fd/{fd}").write(b"x\n", look=False) == 2
        os.close(fd)
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    with pytest.raises(OSError, match="it is open for reading only") as caught:
        target(f"/dev/fd/{fd}")
    assert caught.value.errno == errno.EBADF
    os.close(fd)


def test_the_flags_of_a_stream_stay_as_they_are_and_a_pipe_has_some_of_its_own(tmp_path):
    reader, writer = os.pipe()
    before = flags(writer)
    pipe = target(f"/dev/fd/{writer}")
    assert flags(writer) == before
    assert flags(pipe._fd) & (os.O_NONBLOCK | os.O_ACCMODE) == os.O_NONBLOCK | os.O_WRONLY
    for fd in (reader, writer):
        os.close(fd)
    fd = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    copy = target(f"/dev/fd/{fd}")
    assert os.path.sameopenfile(copy._fd, fd)
    assert not flags(copy._fd) & os.O_NONBLOCK
    os.close(fd)
    assert copy.write(b"x\n", look=False) == 2


def test_a_pipe_of_another_user_is_used_as_it_is(monkeypatch):
    reader, writer = os.pipe()
    really_open = os.open

    def refuse(path, *how):
        if str(path).startswith("/dev/fd/"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_open(path, *how)

    monkeypatch.setattr(os, "open", refuse)
    pipe = target(f"/dev/fd/{writer}")
    assert not flags(pipe._fd) & os.O_NONBLOCK
    assert pipe.write(b"line\n", look=False) == 5
    assert os.read(reader, 100) == b"line\n"
    for fd in (reader, writer):
        os.close(fd)


def test_a_stream_without_room_is_told_at_once():
    reader, writer = os.pipe()
    pipe = target(f"/dev/fd/{writer}")
    went = []

    def fill():
        went.extend(pipe.write(b"x" * 4096, look=False) for _ in range(1000))

    with pytest.raises(BlockingIOError) as caught:
        fill()
    assert set(went) == {4096}
    assert (caught.value.errno, caught.value.strerror) == (
        errno.EAGAIN,
        os.strerror(errno.EAGAIN),
    )
    for fd in (reader, writer):
        os.close(fd)


def test_whether_there_is_room_is_asked_without_waiting_for_it(monkeypatch):
    asked = []

    class Poll:
        def register(self, *what):
            asked.append(what)

        def poll(self, seconds):
            asked.append(seconds)
            return []

    reader, writer = os.pipe()
    pipe = target(f"/dev/fd/{writer}")
    monkeypatch.setattr("edgeauth._record.append.select.poll", Poll)
    with pytest.raises(BlockingIOError) as caught:
        pipe.write(b"line\n", look=False)
    assert asked == [(pipe._fd, select.POLLOUT), 0]
    assert (caught.value.errno, caught.value.strerror) == (errno.EAGAIN, os.strerror(errno.EAGAIN))
    for fd in (reader, writer):
        os.close(fd)


def test_half_a_line_in_a_socket_is_ended_before_the_next_one():
    ours, theirs = socket.socketpair()
    stream = target(f"/dev/fd/{theirs.fileno()}")

    class Narrow:
        """Takes so many bytes."""

        def __init__(self, *rooms):
            self.rooms = list(rooms)

        def send(self, data, how):
            assert how == socket.MSG_DONTWAIT
            return theirs.send(data[: self.rooms.pop(0)])

        def close(self):
            pass

    kept, stream._socket = stream._socket, Narrow(99, 3, 1, 3, 99, 99)
    went = [stream.write(b"line\n", look=False) for _ in range(6)]
    stream._socket = kept

    assert went == [5, 3, 0, 2, 5, 5]
    assert ours.recv(100) == b"line\nlin\n\nli\nline\nline\n"
    ours.close()
    theirs.close()


def test_a_terminal_that_is_written_to_is_not_taken_for_that_of_the_process():
    ours, theirs = pty.openpty()
    name = os.ttyname(theirs)
    child = os.fork()
    if not child:  # pragma: no cover - another process
        signal.alarm(20)
        os.setsid()  # so that it has none
        target(name).write(b"line\n", look=False)
        try:
            os.open("/dev/tty", os.O_RDWR)
        except OSError:
            os._exit(0)
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    os.close(ours)
    os.close(theirs)
    assert status == 0

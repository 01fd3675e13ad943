"""Where lines are appended: a file, a pipe, or a stream that the process was started with.

Nothing here is ever waited for, and nothing is made before the first line: a check of the
settings by another user than the app's leaves no file behind that the app cannot write to.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import select
import socket
import stat
import time
from pathlib import Path
from typing import Protocol

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_NOCTTY
# Without O_NONBLOCK, a named pipe that nobody reads would stop the app.
_APPEND |= os.O_NONBLOCK
_NEW_FILE_MODE = 0o640

_STREAM = re.compile(r"(?:/dev|/proc/(?:self|thread-self|[0-9]+))/(stdout|stderr|fd/([0-9]{1,9}))")
_MAX_LINKS = 40

# How long half a line must have stood still to be one.
_MOMENTS, _MOMENT_SECONDS = 5, 0.001


class Target(Protocol):
    """What takes lines."""

    def write(self, data: bytes, *, look: bool) -> int:
        """Append *data* in one piece as far as it goes; how many bytes went.

        *look* asks to see whether the path leads elsewhere by now.

        Raises:
            OSError: nothing was written.
        """


def target(path: str) -> Target:
    """What *path* leads to, as far as it can be opened without making a file.

    Raises:
        OSError: lines could not be appended there.
        ValueError: it is no path.
    """
    number = _stream_number(path)
    return FileAt(path) if number is None else _stream(number)


class FileAt:
    """A file or a named pipe, by its path: opened again where that leads elsewhere.

    Args:
        path: opened if it is there; otherwise it must be possible to make it, which the first
            line does.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._regular = self._torn = False
        try:
            self._open(make=False)
        except FileNotFoundError:
            _refuse_what_cannot_be_made(path)

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def write(self, data: bytes, *, look: bool) -> int:
        """As of :class:`Target`; after half a line of anybody, *data* begins on a new one."""
        if self._fd < 0:
            self._open()
        elif look:
            self._follow()
        if self._regular:
            state = os.fstat(self._fd)
            if state.st_nlink == 0:
                # What is written to it now, nobody will ever read.
                self._open()
                state = os.fstat(self._fd)
            if state.st_size and self._is_torn(state.st_size):
                return max(0, self._append(b"\n" + data) - 1)
        return self._append(data)

    def _append(self, data: bytes) -> int:
        written = os.write(self._fd, data)
        self._torn = written < len(data)
        return written

    def _is_torn(self, size: int) -> bool:
        """Whether the file ends, at *size* bytes, with half a line that nobody goes on with."""
        try:
            if os.pread(self._fd, 1, size - 1) in {b"\n", b""}:
                return False
        except OSError:  # it may be written and not read
            return self._torn
        # A write of another process is seen in parts, a page each.
        for _ in range(_MOMENTS):
            time.sleep(_MOMENT_SECONDS)
            if os.fstat(self._fd).st_size != size:
                return False
        return True

    def _follow(self) -> None:
        """Open the path again where it no longer leads to the open file."""
        try:
            there = Path(self._path).stat()
            if os.path.samestat(there, os.fstat(self._fd)):
                return
        except OSError:
            pass
        # Else lines go on into what was moved away, where they can be read.
        with contextlib.suppress(OSError):
            self._open()

    def _open(self, *, make: bool = True) -> None:
        if make:
            fd = os.open(self._path, _APPEND | os.O_CREAT, _NEW_FILE_MODE)
        else:
            fd = os.open(self._path, _APPEND)
        regular = stat.S_ISREG(os.fstat(fd).st_mode)
        if regular:
            # To see half a line of another process. Not at once: O_RDWR opens a pipe without
            # a reader too.
            with contextlib.suppress(OSError):
                readable = os.open(self._path, _APPEND & ~os.O_WRONLY | os.O_RDWR)
                os.close(fd)
                fd = readable
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._regular = fd, regular


class _Stream:
    """A descriptor that the process was started with, by a copy of it.

    The flags of a copy belong to everybody who has the stream, so they stay as they are, and it
    is asked first whether there is room.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __del__(self) -> None:
        os.close(self._fd)

    def write(self, data: bytes, *, look: bool) -> int:  # noqa: ARG002 - it leads nowhere else
        # What can be written to takes 4096 bytes at once, and no line is longer.
        waiting = select.poll()
        waiting.register(self._fd, select.POLLOUT)
        if not waiting.poll(0):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return os.write(self._fd, data)


class _Socket:
    """A socket, which cannot be opened by a name: systemd gives one to a service."""

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._torn = False

    def __del__(self) -> None:
        self._socket.close()

    def write(self, data: bytes, *, look: bool) -> int:  # noqa: ARG002 - it leads nowhere else
        gap = b"\n" if self._torn else b""
        written = self._socket.send(gap + data, socket.MSG_DONTWAIT)
        self._torn = written < len(gap + data)
        return max(0, written - len(gap))


def _stream_number(path: str) -> int | None:
    """The descriptor that *path* stands for, through links too; None if it is a path."""
    for _ in range(_MAX_LINKS):
        match = _STREAM.fullmatch(os.path.normpath(path))
        if match and (not path.startswith("/proc/") or _is_own(path)):
            return {"stdout": 1, "stderr": 2}.get(match[1]) or int(match[2])
        try:
            path = os.path.join(os.path.dirname(path), os.readlink(path))  # noqa: PTH115, PTH118, PTH120 - a link of pathlib is normalised
        except OSError:
            return None
    return None


def _is_own(path: str) -> bool:
    process = path.split("/")[2]
    return process in {"self", "thread-self", str(os.getpid())}


def _stream(number: int) -> Target:
    mode = os.fstat(number).st_mode
    if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "it is open for reading only")
    if stat.S_ISSOCK(mode):
        return _Socket(os.dup(number))
    if stat.S_ISFIFO(mode):
        # A pipe can be opened anew, with flags of its own; not always by this user.
        with contextlib.suppress(OSError):
            return _Stream(os.open(f"/dev/fd/{number}", _APPEND))
    return _Stream(os.dup(number))


def _refuse_what_cannot_be_made(path: str) -> None:
    """Raise the OSError that making *path* would raise, without making it."""
    if path.endswith("/"):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    # Where a link leads that dangles.
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if not os.access(
        folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids
    ):
        raise PermissionError(errno.EACCES, "its folder cannot be written to")

"""Replaces a file in one step."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

_NEW_FILE_MODE = 0o644


def replace_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Put *content* at *path*: a reader sees the old file or the new one, whole.

    A symbolic link stays, and what it leads to is replaced. Mode and owner stay too; a new
    file can be read by everybody, since the app seldom runs as the user who writes.

    Raises:
        OSError: the file is as it was.
    """
    target = Path(path).resolve()
    before = target.stat() if target.exists() else None
    # In the same folder: only within a file system is a rename one step.
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(content)
            file.flush()
            _set_rights(file.fileno(), before)
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _set_rights(descriptor: int, before: os.stat_result | None) -> None:
    if not hasattr(os, "fchown"):
        return  # Windows: a file has the rights that its folder gives
    if before is not None:
        _keep_owner(descriptor, before)
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode) if before else _NEW_FILE_MODE)


def _keep_owner(descriptor: int, before: os.stat_result) -> None:
    # Else a file of the app that root replaces could no longer be read by the app.
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        os.fchown(descriptor, before.st_uid, before.st_gid)


def _sync_folder(folder: Path) -> None:
    # So that the new name survives a power cut. Not every file system can, and Windows cannot.
    if not hasattr(os, "O_DIRECTORY"):
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Files as operators and orchestrators change them."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def replace(path: Path, content: str | bytes) -> None:
    """Replace *path* by renaming: whoever opens it sees all of the old or all of the new."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content.encode() if isinstance(content, str) else content)
    new.replace(path)


class Mount:
    """A directory of files as Kubernetes mounts it.

    Each file is a link to ``..data/NAME``, and ``..data`` is a link that is swapped.
    """

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self._versions = 0
        folder.mkdir()
        self.swap(files)

    def swap(self, files: Mapping[str, str]) -> None:
        """Put *files* in the place of all that are there, as the kubelet does."""
        self._versions += 1
        version = self.folder / f"..2026_11_22.{self._versions}"
        version.mkdir()
        for name, content in files.items():
            (version / name).write_text(content)
        before = (self.folder / "..data").resolve()
        link = self.folder / "..data_tmp"
        link.symlink_to(version.name)
        link.replace(self.folder / "..data")
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(os.path.join("..data", name))  # noqa: PTH118
        for path in self.folder.iterdir():
            if not path.name.startswith("..") and path.name not in files:
                path.unlink()
        if before.is_dir() and before != version and self._versions > 1:
            for path in before.iterdir():
                path.unlink()
            before.rmdir()


@contextlib.contextmanager
def not_as_root() -> Iterator[None]:
    """Root may read everything, so be nobody for a while."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)

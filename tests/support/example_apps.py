"""The example apps, started as their READMEs say."""

from __future__ import annotations

import contextlib
import shlex
import sys
from typing import TYPE_CHECKING, NamedTuple

from support.edge_tools import REPOSITORY
from support.processes import HOST, free_port, running
from support.vectors import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Start(NamedTuple):
    """A command of a README, and the folder that it is in."""

    folder: str
    command: str

    def __str__(self) -> str:
        return f"{self.folder}-{self.command.split()[0]}"


def _documented() -> Iterator[Start]:
    for readme in sorted(REPOSITORY.glob("example_apps/*/README.md")):
        for line in readme.read_text().splitlines():
            if line.startswith(("    uvicorn ", "    gunicorn ")):
                yield Start(readme.parent.name, line.strip())


STARTS = list(_documented())
UNDER_ASGI = [start for start in STARTS if start.command.startswith("uvicorn ")]


@contextlib.contextmanager
def serving(start: Start, folder: Path) -> Iterator[int]:
    """Run it until the block ends, with its log in *folder*; gives its port."""
    port = free_port()
    with running(
        # All say port 8000.
        [sys.executable, "-m", *shlex.split(start.command.replace("8000", str(port)))],
        address=(HOST, port),
        log=folder / "server.log",
        cwd=REPOSITORY,
        env={"EDGEAUTH_SECRET": SECRET},
    ):
        yield port

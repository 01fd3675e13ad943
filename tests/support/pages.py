"""A page as a reader follows it: the files that it shows and the commands, in their order."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support.processes import stop

if TYPE_CHECKING:
    from collections.abc import Mapping

# A file is a block whose first line is a comment with nothing but its name.
_BLOCK = re.compile(
    r"^```(?:console\n(?P<console>.*?)|\w+\n(?P<file>(?:#|//) (?P<name>[\w./-]+\.\w+)\n.*?))^```$",
    re.DOTALL | re.MULTILINE,
)
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)
_MARK = "\x1e"
# Leaves $? as the command before it left it.
_MARKER = f"mark() {{ status=$?; printf '{_MARK}'; return $status; }}\n"


class File(NamedTuple):
    """A file that a page shows."""

    name: str
    text: str


class Command(NamedTuple):
    """A command of a page, and what the page says that it prints."""

    line: str
    said: str

    def printed(self, what: str) -> bool:
        """Whether *what* is as the page says.

        "..." stands for anything, lines included, as in doctest; at the end for nothing too.
        """
        said = re.sub(r"\.\.\.\n\Z", "...", self.said)
        pattern = ".*".join(re.escape(part) for part in said.split("..."))
        return re.fullmatch(pattern, what, re.DOTALL) is not None


def steps(text: str) -> list[File | Command]:
    """The files and the commands of a page, in order."""
    found: list[File | Command] = []
    for block in _BLOCK.finditer(text):
        if block["console"] is None:
            found.append(File(block["name"], block["file"]))
        else:
            parts = (part.partition("\n") for part in _PROMPT.split(block["console"])[1:])
            found += [Command(line, said) for line, _, said in parts]
    return found


def follow(
    given: list[File | Command],
    folder: Path,
    env: Mapping[str, str],
    instead: Mapping[str, str],
) -> list[str]:
    """Do *given* in one shell, in *folder*; what each of the commands printed.

    Args:
        instead: what stands in the page, and what takes its place here, such as a port.
    """
    script = _MARKER + "".join(map(_as_typed, given))
    for written, here in instead.items():
        script = script.replace(written, here)
    shell = subprocess.Popen(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = shell.communicate(timeout=300)
    finally:
        # What it left in the background, too.
        stop(shell)
    for written, here in instead.items():
        output = output.replace(here, written)
    return output.split(_MARK)[1:]


def without_settings() -> dict[str, str]:
    """The variables of this process, but for those that edgeauth reads."""
    return {name: value for name, value in os.environ.items() if not name.startswith("EDGEAUTH_")}


def _as_typed(step: File | Command) -> str:
    if isinstance(step, Command):
        return f"mark\n{step.line}\n"
    made = f"mkdir -p {Path(step.name).parent}\n" if "/" in step.name else ""
    return f"{made}cat > {step.name} <<'END-OF-THE-FILE'\n{step.text}END-OF-THE-FILE\n"

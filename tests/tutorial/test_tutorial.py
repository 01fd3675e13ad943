"""docs/tutorial.md as a new colleague follows it: from the wheel to an origin that is closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.pages import Command, File, follow, steps, without_settings
from support.processes import free_port
from support.programs import program

ROOT = Path(__file__).parents[2]
PAGE = steps((ROOT / "docs" / "tutorial.md").read_text("utf-8"))
COMMANDS = [step for step in PAGE if isinstance(step, Command)]
WHICH = "python -c 'import edgeauth; print(edgeauth.__file__)'; command -v edgeauth"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """What each command of the page printed; and the package and the program that ran."""
    program("curl")
    lab, folder = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("colleague")
    after_install = next(i for i, step in enumerate(PAGE) if step[0] == "edgeauth --version")
    given = [*PAGE[:after_install], Command(WHICH, ""), *PAGE[after_install:]]
    instead = {"8000": str(free_port()), "7070": str(free_port())}

    said = follow(given, folder, _new_machine(lab), instead)

    which = said.pop(sum(isinstance(step, Command) for step in PAGE[:after_install]))
    return said, [str(Path(line).relative_to(folder)) for line in which.split()]


def _new_machine(lab: Path) -> dict[str, str]:
    """Variables of a shell for which an index has the wheel, and what it needs is there.

    No network is asked: what others publish is that of this environment, without edgeauth.
    """
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    subprocess.run([*build, "--outdir", lab / "index", ROOT], check=True, capture_output=True)
    others = lab / "others"
    others.mkdir()
    for entry in Path(pytest.__file__).parents[1].iterdir():
        if not entry.name.startswith(("pip", "edgeauth", "_edgeauth")) and entry.suffix != ".pth":
            (others / entry.name).symlink_to(entry)
    uvicorn = lab / "bin" / "uvicorn"
    uvicorn.parent.mkdir()
    uvicorn.write_text('#!/bin/sh\nexec python -m uvicorn "$@"\n')
    uvicorn.chmod(0o755)
    path = [uvicorn.parent, Path(sys.executable).parent]
    return without_settings() | {
        "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
        "PYTHONPATH": str(others),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(lab / "index"),
    }


def test_what_runs_is_the_wheel(printed):
    package, script = printed[1]

    assert package.startswith(".venv/lib/")
    assert script == ".venv/bin/edgeauth"


def test_each_command_was_run(printed):
    assert len(printed[0]) == len(COMMANDS) > 30


@pytest.mark.parametrize("place", range(len(COMMANDS)), ids=lambda i: COMMANDS[i].line)
def test_each_command_prints_what_the_page_says(printed, place):
    assert COMMANDS[place].printed(printed[0][place]), printed[0][place]


def test_it_ends_with_an_origin_that_the_probe_calls_closed(printed):
    probes = [i for i, command in enumerate(COMMANDS) if " probe " in command.line]
    exits = [printed[0][i + 1].strip() for i in probes]

    assert exits == ["1", "0"]
    assert " 0 fail" in printed[0][probes[-1]]


def test_the_app_differs_in_the_gate_alone():
    before, after = (step.text.splitlines() for step in PAGE if step[0] == "app.py")

    assert [line for line in after if line not in before] == [
        "from edgeauth import Guard",
        "from edgeauth.asgi import EdgeAuthMiddleware",
        "app.add_middleware(EdgeAuthMiddleware, guard=Guard.from_settings())",
    ]
    assert set(before) <= set(after)
    assert all(isinstance(step, File | Command) for step in PAGE)

"""The group: its help, its exit status, and what it imports."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from click import Context
from click.shell_completion import ShellComplete

from edgeauth import __version__
from edgeauth.ops.cli import COMMANDS, main

_MODULES = """
import sys
from edgeauth.ops.cli import main
try:
    main(sys.argv[1:], prog_name="edgeauth")
finally:
    room = "edgeauth.ops.cli."
    names = [name.removeprefix(room) for name in sys.modules if name.startswith(room)]
    print("imported:", *sorted(names))
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_found_and_its_help_begins_with_its_line_in_the_list(name):
    command = main.get_command(Context(main), name)
    assert command.name == name
    assert command.help.splitlines()[0] == COMMANDS[name]


def test_the_help_lists_every_command(edgeauth):
    listed = edgeauth("--help").stdout
    assert all(f"\n  {name} " in listed for name in COMMANDS)


def test_a_shell_can_complete_the_commands():
    found = ShellComplete(main, {}, "edgeauth", "_EDGEAUTH_COMPLETE").get_completions([], "")
    assert [item.value for item in found] == list(COMMANDS)


def test_the_package_is_run_as_the_command():
    # In a process of its own: pytest reads the modules of a package that ships a plugin
    # through its own loader, and runpy cannot.
    shown = subprocess.run(
        [sys.executable, "-m", "edgeauth", "--version"], capture_output=True, text=True, check=True
    )
    assert shown.stdout == f"edgeauth, version {__version__}\n"


def test_importing_the_entry_point_runs_nothing(capsys):
    importlib.import_module("edgeauth.__main__")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("args", [["--help"], ["--version"]])
def test_the_help_and_the_version_import_no_command(args):
    assert imported(*args) == set()


def test_a_command_imports_none_of_the_others():
    assert imported("keygen") == {"keygen"}


def test_the_version_is_that_of_the_package(edgeauth):
    assert __version__ in edgeauth("--version").stdout


@pytest.mark.parametrize("args", [["vrify"], ["verify", "--nothing"], ["sign", "x"]])
def test_wrong_usage_is_exit_status_2(edgeauth, args):
    result = edgeauth(*args)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("command", ["sign", "verify", "check-config"])
def test_a_configuration_error_is_one_line_on_stderr_and_exit_status_2(edgeauth, command):
    result = edgeauth(command, env={"EDGEAUTH_SECRT": "x"})
    assert (result.exit_code, result.stdout) == (2, "")
    assert (
        result.stderr
        == "Error: unknown setting 'EDGEAUTH_SECRT': did you mean 'EDGEAUTH_SECRET'?\n"
    )


def imported(*args: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _MODULES, *args], capture_output=True, text=True, check=True
    )
    # What they share is no command.
    files = {"passes", *(name.replace("-", "_") for name in COMMANDS)}
    return set(done.stdout.splitlines()[-1].split()[1:]) & files


@pytest.mark.parametrize("args", [(), ("sign",), ("keys",), ("keys", "rotate"), ("keys", "status")])
def test_h_is_help_everywhere(edgeauth, args):
    shown = edgeauth(*args, "-h")
    assert (shown.exit_code, shown.stdout) == (0, edgeauth(*args, "--help").stdout)
    assert "-h, --help" in shown.stdout


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (["vrify"], "verify"),
        (["Verify"], "verify"),
        (["check_config"], "check-config"),
        (["check"], "check-config"),
        (["adresses", "show"], "addresses"),
        (["keys", "rotat"], "rotate"),
        (["keys", "rotate", "fnish"], "finish"),
        (["pass", "isue"], "issue"),
        (["verify", "--jsn"], "--json"),
        (["--versoin"], "--version"),
    ],
    ids=str,
)
def test_a_mistyped_command_or_option_gets_a_suggestion(edgeauth, args, meant):
    result = edgeauth(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Did you mean" in result.stderr
    assert meant in result.stderr.partition("Did you mean")[2]


def test_what_is_near_nothing_gets_no_suggestion(edgeauth):
    error = edgeauth("xyzzy").stderr
    assert "No such command 'xyzzy'." in error
    assert "Did you mean" not in error

"""docs/command-line.md has what the commands say of themselves, and they do what they say."""

from __future__ import annotations

import ast
import inspect

import click
import pytest
from command_tables import PAGE, ROWS, TABLES, all_commands

from edgeauth.ops.cli.help import exit_statuses

TEXT = PAGE.read_text("utf-8")
COMMANDS = dict(all_commands())


def test_the_page_has_each_table_as_the_commands_have_it():
    assert TABLES.of(TEXT) == list(ROWS)
    assert TABLES.written_into(TEXT) == TEXT, "run make options"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_1_means_if_it_can_end_with_it_and_only_then(name):
    body = ast.parse(inspect.getsource(inspect.getmodule(COMMANDS[name].callback))).body
    functions = {one.name: one for one in body if isinstance(one, ast.FunctionDef)}
    called = {COMMANDS[name].callback.__name__}
    for _ in functions:  # what is called by what is called, and so on
        called |= {
            node.func.id
            for function in called & functions.keys()
            for node in ast.walk(functions[function])
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
    parts = [functions[function] for function in called & functions.keys()]

    ends_with_1 = any(_ends_with_1(node) for part in parts for node in ast.walk(part))

    assert ends_with_1 is (1 in exit_statuses(COMMANDS[name]))


def _ends_with_1(node: ast.AST) -> bool:
    """Whether it is ``ctx.exit(...)`` with a 1 in it, or raises the error of a refused step."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id == "_Refusal"
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr == "exit"
        and any(isinstance(one, ast.Constant) and one.value == 1 for one in ast.walk(node))
    )


def test_the_statuses_are_read_off_the_help():
    @click.command()
    def judge() -> None:
        """Judge.

        Exit status: 0 good, or as good
        as that; 1 bad, 2 wrong usage.
        """

    assert exit_statuses(judge) == {0: "good, or as good as that", 1: "bad"}

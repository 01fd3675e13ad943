"""Mutants of a source file: the file again, each time with one small mistake in it.

The mistakes are mutmut's. Its own run changes the bodies of undecorated functions alone; here
they are made in the whole file, so that the patterns, limits and constants at its head, its
properties and its dataclasses are held by tests too. A few more mistakes are of the kind that
opens a gate: a condition turned round, a refusal left out.
"""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, CodeSpan, MetadataWrapper
from mutmut.mutation.mutators import mutation_operators

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    Attributes:
        place: the function it is in, with its class; empty outside of functions.
        before, after: the lines that differ, without the white space around them.
        source: the whole file with the mistake in it.
    """

    place: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    source: str


def mutants_of(source: str) -> Iterator[Mutant]:
    """Every mutant of *source* that is another program and can be compiled."""
    raw = source.encode()
    changes = _Changes()
    MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True).visit(changes)
    seen = {ast.dump(ast.parse(source))}
    for place, span, code in changes.found:
        start, end = span.start, span.start + span.length
        # The white space around an operator belongs to it here and not there.
        new = code if raw[start:end].startswith(b" ") else code.strip()
        mutated = (raw[:start] + new.encode() + raw[end:]).decode()
        try:
            program = ast.dump(ast.parse(mutated))
            compile(mutated, "a mutant", "exec", dont_inherit=True)
        except SyntaxError:
            continue
        if program not in seen:
            seen.add(program)
            yield Mutant(place, *_difference(source, mutated), mutated)


class _Changes(cst.CSTVisitor):
    """Collects (place, where in the bytes of the file, what stands there instead)."""

    METADATA_DEPENDENCIES = (ByteSpanPositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, CodeSpan, str]] = []
        self._names: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _means_nothing_at_run_time(node):
            return False
        if isinstance(node, (cst.ClassDef, cst.FunctionDef)):
            self._names.append(node.name.value)
        if not _is_prose(node):
            for original, changed in _changes(node):
                span = self.get_metadata(ByteSpanPositionProvider, original)
                code = cst.Module([]).code_for_node(changed)
                self.found.append((".".join(self._names), span, code))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, (cst.ClassDef, cst.FunctionDef)):
            self._names.pop()


def _means_nothing_at_run_time(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.If):
        return isinstance(node.test, cst.Name) and node.test.value == "TYPE_CHECKING"
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
        # As in mutmut: an argument less is a TypeError, which any test sees.
        return node.func.value in {"len", "isinstance"}
    return isinstance(node, cst.Annotation)


def _is_prose(node: cst.CSTNode) -> bool:
    """Whether *node* is a text for people: tests hold what it says, not its every letter."""
    return isinstance(node, cst.SimpleString) and " " in node.value and "r" not in node.prefix


def _changes(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            for changed in operator(node):
                yield node, changed
    if isinstance(node, (cst.If, cst.CompIf)):
        condition = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.test, cst.UnaryOperation(cst.Not(), condition)
    if isinstance(node, cst.Return) and not _is_none(node.value):
        yield node, node.with_changes(value=None)
    if isinstance(node, cst.Raise) or (
        isinstance(node, cst.Expr) and isinstance(node.value, cst.Call)
    ):
        yield node, cst.Pass()


def _is_none(value: cst.BaseExpression | None) -> bool:
    return value is None or (isinstance(value, cst.Name) and value.value == "None")


def _difference(source: str, mutated: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    files = ([line.strip() for line in text.splitlines()] for text in (source, mutated))
    lines = difflib.unified_diff(*files, n=0, lineterm="")
    changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    before = tuple(line[1:] for line in changed if line.startswith("-"))
    return before, tuple(line[1:] for line in changed if line.startswith("+"))

"""Imports run down the shelves of ARCHITECTURE.md, in no circle, as each folder says of itself."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import count_lines
import pytest
from support.import_graph import arrows, circle, imported_by, modules

import edgeauth

PACKAGE = Path(edgeauth.__file__).parent
MODULES = modules(PACKAGE)
ARROWS = arrows(PACKAGE)
SHELVES = count_lines.shelves(count_lines.PAGE.read_text("utf-8"))
PROOF, *_, TOOLS = SHELVES
FOLDERS = sorted(name for name, path in MODULES.items() if path.name == "__init__.py")

# The guard's door to what builds one.
DOOR = {("edgeauth.guard", "edgeauth.build")}

# Arrows that still run where none may. An entry that is needed no more fails.
TO_GO: set[tuple[str, str]] = set()
DRAWN = ARROWS - TO_GO - DOOR


def shelf(module: str) -> int:
    """The number of the shelf of *module*, the lowest is 0."""
    file = MODULES[module].relative_to(PACKAGE).as_posix()
    return list(SHELVES).index(count_lines.shelf_of(file, SHELVES))


def room(module: str) -> str:
    """The folder of *module*, or the module itself where it lies at the top."""
    parts = module.split(".")
    return ".".join(parts[: 3 if parts[1:2] == ["ops"] else 2])


def faults(drawn: set[tuple[str, str]]) -> list[str]:
    """What is wrong with a drawing of the imports."""
    up = [f"{low} imports {high}" for low, high in sorted(drawn) if shelf(low) < shelf(high)]
    between = {(room(low), room(high)) for low, high in drawn if room(low) != room(high)}
    rounds = [" -> ".join(found) for found in (circle(drawn), circle(between)) if found]
    return up + rounds


def test_imports_run_down_the_shelves_and_in_no_circle():
    assert faults(DRAWN) == []


def test_the_door_is_opened_when_it_is_called_and_not_before():
    top = ast.parse(MODULES["edgeauth.guard"].read_text("utf-8")).body

    assert DOOR <= ARROWS
    assert "edgeauth.build" not in {p.module for p in top if isinstance(p, ast.ImportFrom)}


def test_an_arrow_that_may_stay_for_now_is_there_and_is_a_fault():
    assert [arrow for arrow in TO_GO if not faults(DRAWN | {arrow})] == []
    assert TO_GO <= ARROWS


def test_the_tools_are_imported_by_the_command_alone():
    into = {(low, high) for low, high in DRAWN if high.startswith("edgeauth.ops")}

    assert {low for low, _ in into if not low.startswith("edgeauth.ops")} == {"edgeauth.__main__"}


def test_the_proof_imports_the_standard_library_itsdangerous_and_what_extras_bring():
    names = {
        name
        for module in MODULES
        if shelf(module) == list(SHELVES).index(PROOF)
        for name in imported_by(MODULES[module].read_text("utf-8"))
    }
    packages = {name.partition(".")[0] for name in names}

    # cryptography is imported with the first public or private key, PyJWT with the first scheme
    # for tokens, and extras bring them.
    extras = {"cryptography", "jwt"}
    assert packages - sys.stdlib_module_names == {"edgeauth", "itsdangerous", *extras}
    assert not packages & {"asyncio", "http", "smtplib", "ssl", "subprocess"}
    assert not {name for name in names if name.startswith("urllib") and "urllib.parse" not in name}


def named(sentence: str) -> set[str]:
    """The modules that *sentence* names: shelves, ``folders``, and everything or everybody."""
    named_rooms = {
        module
        for name in re.findall(r"``([\w/]+)``", sentence)
        for module in MODULES
        if _is_in(module, f"edgeauth.{name.replace('/', '.')}")
        and (name != "ops" or room(module).count(".") == 2)
    }
    words = ("the proof", "the plumbing", "the adapters", "the service", "the tools")
    shelves = {place for place, word in enumerate(words) if word in sentence.lower()}
    if re.search("every(thing|body)", sentence, re.IGNORECASE):
        but_the_proof = "above the proof" in sentence
        every = {module for module in MODULES if shelf(module) or not but_the_proof}
        return every - named_rooms if " but " in sentence else every
    return named_rooms | {module for module in MODULES if shelf(module) in shelves}


def _is_in(module: str, folder: str) -> bool:
    # The face of the package is a room of its own, beside what it publishes.
    if folder == "edgeauth":
        return module in {"edgeauth", "edgeauth.public"}
    return module == folder or module.startswith(f"{folder}.")


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_says_what_it_is_for_what_it_may_import_and_who_may_import_it(folder):
    text = " ".join(
        (ast.get_docstring(ast.parse(MODULES[folder].read_text("utf-8"))) or "").split()
    )
    (out,) = re.findall(r"It may import (.*?)[.:;]", text)
    (into,) = re.findall(r"(?:^|[.:;] )([^.:;]*?) may import it\b", text)

    crossing = {a for a in DRAWN if _is_in(a[0], folder) != _is_in(a[1], folder)}
    outward = {high for low, high in crossing if _is_in(low, folder)}
    inward = {low for low, high in crossing if _is_in(high, folder)}
    assert outward - named(out) == set()
    assert inward - named(into) == set()


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ({("edgeauth.errors", "edgeauth.asgi")}, "edgeauth.errors imports edgeauth.asgi"),
        ({("edgeauth.wsgi", "edgeauth.ops.text")}, "edgeauth.wsgi imports edgeauth.ops.text"),
        ({("edgeauth.request", "edgeauth.guard")}, "edgeauth.request -> "),
    ],
)
def test_a_planted_arrow_is_found(added, told):
    assert any(fault.startswith(told) or told in fault for fault in faults(DRAWN | added))


def test_imports_are_seen_wherever_they_stand(tmp_path):
    package = tmp_path / "edgeauth"
    package.mkdir()
    for name, source in {
        "__init__": "",
        "a": "if TYPE_CHECKING:\n    from edgeauth.b import B",
        "b": "def f():\n    import edgeauth.c",
        "c": "from edgeauth import a",
        "ops": "",
        "d": "_LAZY = {'x': 'edgeauth.ops:main'}",
    }.items():
        (package / f"{name}.py").write_text(source)

    found = arrows(package)

    assert found == {
        ("edgeauth.a", "edgeauth.b"),
        ("edgeauth.b", "edgeauth.c"),
        ("edgeauth.c", "edgeauth.a"),
        ("edgeauth.d", "edgeauth.ops"),
    }
    assert circle(found)[0] == circle(found)[-1]

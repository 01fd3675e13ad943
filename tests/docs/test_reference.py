"""The reference has all that is public, and says of it what the code does."""

from __future__ import annotations

import ast
import html
import json
import pkgutil
import re
import textwrap
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest
from sphinx.util.inventory import InventoryFile
from support.requests import PlainRequest

import edgeauth
from edgeauth.ops.cli import COMMANDS
from edgeauth.reasons import REASONS
from edgeauth.schemes.registry import built_in_kinds, scheme_class
from edgeauth.service.settings import ServiceSettings
from edgeauth.settings import OPTIONS
from edgeauth.settings.scheme import SCHEME_OPTIONS
from edgeauth.settings.table import options_in

ROOT = Path(__file__).parents[2]
CALLED = (FunctionType, property, classmethod, staticmethod)


def public_modules():
    """Those that say what of them is public; ``edgeauth.public`` is ``edgeauth`` itself."""
    for found in pkgutil.walk_packages(edgeauth.__path__, "edgeauth."):
        # Tools have no API; what begins with an underscore is nobody's business.
        if not re.search(r"\._|\.ops\b|\.public$|\.__main__$", found.name):
            source = Path(found.module_finder.path, *found.name.split(".")[-1:])
            file = source / "__init__.py" if found.ispkg else source.with_suffix(".py")
            if re.search(r"^__all__ = ", file.read_text("utf-8"), re.MULTILINE):
                yield found.name


def taught():
    """The names that the pages import, in Python of theirs."""
    for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))):
        text = page.read_text("utf-8")
        for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for node in ast.walk(ast.parse(textwrap.dedent(block))):
                module = node.module if isinstance(node, ast.ImportFrom) else None
                if module is not None and module.split(".")[0] == "edgeauth":
                    yield from ((module, alias.name) for alias in node.names)


def public_names():
    return [
        *(("edgeauth", name) for name in edgeauth.__all__),
        *((module, name) for module in public_modules() for name in import_module(module).__all__),
    ]


@pytest.fixture(scope="module")
def entries(site):
    """By kind, the names that have an entry."""
    return InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data


@pytest.fixture(scope="module")
def names(entries):
    return {name for kind, found in entries.items() if kind.startswith("py:") for name in found}


@pytest.fixture
def text(site):
    """What a page of the reference says."""

    def read(name):
        page = (site / "reference" / f"{name}.html").read_text("utf-8")
        article = page[page.index("<article") : page.index("</article>")]
        return html.unescape(re.sub(r"<[^>]+>", "", article))

    return read


def is_documented(names, module, name):
    """Whether the object has an entry, by this name or by another one that is public too."""
    if f"{module}.{name}" in names:
        return True
    thing = getattr(import_module(module), name)
    return any(
        vars(import_module(public)).get(other) is thing and f"{public}.{other}" in names
        for public, other in public_names()
        if other == name
    )


def test_every_public_name_has_an_entry(names):
    assert len(public_names()) > 70
    assert [each for each in public_names() if not is_documented(names, *each)] == []


def test_every_name_that_a_page_imports_has_an_entry(names):
    found = sorted(set(taught()))
    assert ("edgeauth.asgi", "EdgeAuthMiddleware") in found
    # A module that is imported from its package.
    modules = {each for each in found if ".".join(each) in {*public_modules()}}
    assert [each for each in found if each not in modules and not is_documented(names, *each)] == []


@pytest.mark.parametrize("kind", built_in_kinds())
def test_the_class_of_every_kind_has_an_entry(names, kind):
    found = scheme_class(kind)
    assert (
        is_documented(names, found.__module__, found.__name__)
        or {f"{found.__module__.rpartition('.')[0]}.{found.__name__}"} & names
    )


def test_every_public_method_of_a_class_has_an_entry(entries, names):
    classes = {}
    for entry, found in (entries["py:class"] | entries["py:exception"]).items():
        module, _, name = entry.rpartition(".")
        if found.uri.endswith(f"#{entry}"):  # and no other name of one that has an entry
            classes[entry] = getattr(import_module(module), name)
    members = {
        f"{entry}.{member}"
        for entry, cls in classes.items()
        for base in cls.__mro__
        # What comes from a class with an entry is told there.
        if base.__module__.startswith("edgeauth") and (base is cls or base not in classes.values())
        for member, value in vars(base).items()
        if isinstance(value, CALLED) and not member.startswith("_")
    }
    assert len(members) > 50
    assert members - names == set()


def test_every_setting_has_an_entry_with_its_variable(entries, text):
    own = [option.name for option in (*OPTIONS.values(), *SCHEME_OPTIONS)]
    service = [option.name for option in options_in(ServiceSettings)]
    listed = [*own, *(f"service.{name}" for name in service), "schemes"]
    assert set(entries["std:confval"]) == set(listed)
    page = text("settings")
    for variable in (
        *(f"EDGEAUTH_{name.upper()}" for name in own),
        *(f"EDGEAUTH_SERVICE_{name.upper()}" for name in service),
    ):
        assert re.search(rf"\b{variable}\b", page), variable
    for kind in built_in_kinds():
        after = page[page.index(f"\n{kind}\u00b6") :]
        assert all(option.name in after for option in scheme_class(kind).OPTIONS), kind


def test_every_reason_is_told(text):
    page = text("reasons")
    assert [code for code in REASONS if f"\n{code}\n" not in page] == []


def test_the_fields_of_a_decision_are_those_that_are_written(text, tmp_path):
    file = tmp_path / "decisions"
    guard = edgeauth.Guard(edgeauth.EdgeAuthScheme(["a secret of the test"]), decisions=str(file))
    guard.check(PlainRequest(), now=0)
    fields = list(json.loads(file.read_text()))
    assert re.findall(r"\n([a-z]+)\n(?:number|text|whole|true)", text("decision-line")) == [
        *fields,
        "time",
        "lost",
    ]


def test_every_command_is_told_with_its_options(entries):
    options = "\n".join(entries["std:cmdoption"])
    assert [name for name in COMMANDS if f"edgeauth-{name}" not in options] == []

"""Our docstrings as autodoc wants them: attributes have their types, references find their names.

Docstrings name things as code does that imports them, by their short names. A name in a docstring
that leads nowhere is a warning; one in a signature may be of a library, and is then mere text.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_ROOT = Path(__file__).parents[2]
_ATTRIBUTE = re.compile(r"(    )(\w+)(: .*)")


def setup(app: Sphinx) -> dict[str, bool]:
    """Read by Sphinx."""
    # Before napoleon, which takes these lines for its own.
    app.connect("autodoc-process-docstring", _prepare, priority=400)
    app.connect("autodoc-skip-member", _skip)
    app.connect("missing-reference", _find)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _prepare(
    _app: Sphinx, what: str, _name: str, thing: object, _options: object, lines: list[str]
) -> None:
    if what == "property":
        # Napoleon reads "The path: as sent" as a type and what it means, in the first line alone.
        lines.insert(0, "")
    if "Attributes:" not in lines or not inspect.isclass(thing):
        return
    types = {name: kind for each in reversed(thing.__mro__) for name, kind in _types(each)}
    for number in range(lines.index("Attributes:") + 1, len(lines)):
        if lines[number] and not lines[number].startswith(" "):
            return
        found = _ATTRIBUTE.fullmatch(lines[number])
        if found and found[2] in types:
            lines[number] = f"{found[1]}{found[2]} ({types[found[2]]}){found[3]}"


def _types(cls: type) -> list[tuple[str, str]]:
    """The types of attributes, as they were written."""
    return [
        (name, kind if isinstance(kind, str) else inspect.formatannotation(kind))
        for name, kind in inspect.get_annotations(cls).items()
    ]


def _skip(
    _app: Sphinx, _what: str, _name: str, member: object, _skip: object, _options: object
) -> bool | None:
    """Leave out the fields of named tuples: the docstring of the class has them."""
    return True if type(member).__name__ == "_tuplegetter" else None


def _find(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.TextElement
) -> nodes.Node | None:
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    entries = {
        (entry.docname, entry.node_id)
        for name, entry in env.domains.python_domain.objects.items()
        if name == target or name.endswith(f".{target}")
    }
    if len(entries) == 1:
        return make_refnode(app.builder, node["refdoc"], *entries.pop(), shown)
    # A module that is not public: its source.
    for module in (target, f"{node.get('py:module')}.{target}"):
        path = module.replace(".", "/")
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if file.startswith("edgeauth/") and (_ROOT / file).is_file():
                address = f"{app.config.repository}/blob/main/{file}"
                return nodes.reference("", "", shown, internal=False, refuri=address)
    of_a_library = "." in target and not target.startswith("edgeauth.")
    return None if isinstance(shown, nodes.literal) and not of_a_library else shown

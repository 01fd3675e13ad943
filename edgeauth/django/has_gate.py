"""Finds out whether an application has a gate around it, without importing it.

Importing ``asgi.py`` would build the guard, which needs the secret and opens files; a check runs
where images are built, and perhaps as another user. So the source is read. If the module has been
imported already, the application itself is examined.
"""

from __future__ import annotations

import ast
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from edgeauth.asgi import EdgeAuthMiddleware as ASGIGate
from edgeauth.wsgi import EdgeAuthMiddleware as WSGIGate

_MODULES = frozenset(
    {"edgeauth.django.asgi", "edgeauth.django.wsgi", "edgeauth.asgi", "edgeauth.wsgi"}
)
_MAKERS = frozenset({"guarded", "EdgeAuthMiddleware"})


def has_gate(path: str) -> bool:
    """Whether the application at a dotted *path*, such as ``site.asgi.application``, has one."""
    module, _, name = path.rpartition(".")
    imported = sys.modules.get(module)
    if hasattr(imported, name):
        return isinstance(getattr(imported, name), (ASGIGate, WSGIGate))
    # Django reports a module that cannot be found or read, and better, when it starts.
    with suppress(ImportError, OSError, ValueError, SyntaxError):
        spec = find_spec(module)
        source = None if spec is None else spec.origin
        return source is not None and _is_made_in(Path(source).read_text("utf-8"), name)
    return False


def _is_made_in(source: str, name: str) -> bool:
    """Whether *source* assigns the result of a gate's maker to *name*."""
    tree = ast.parse(source)
    makers = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in _MODULES:
            makers |= {each.asname or each.name for each in node.names if each.name in _MAKERS}
        elif isinstance(node, ast.Import):
            modules = [each.asname or each.name for each in node.names if each.name in _MODULES]
            makers |= {f"{module}.{maker}" for module in modules for maker in _MAKERS}
    values = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]
    # The last one counts, and the gate must be the outermost call.
    if not values or not isinstance(values[-1], ast.Call):
        return False
    return ast.unparse(values[-1].func) in makers

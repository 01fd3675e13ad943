"""The signed header ``Edge-Auth``, as the operator's tools see it."""

from __future__ import annotations

from edgeauth.ops.schemes.edge_auth.attacks import attacks, genuine
from edgeauth.ops.schemes.edge_auth.explain import explain
from edgeauth.ops.schemes.edge_auth.snippets import SNIPPETS
from edgeauth.ops.schemes.tools import Tools

TOOLS = Tools(
    explain=explain,
    wishes=frozenset({"pop", "encoding"}),
    attacks=attacks,
    genuine=genuine,
    snippets=SNIPPETS,
)

"""What an operator's tools know of each scheme: one folder a kind, and what holds for all.

A folder says why a credential is refused, how the edge makes one, how an attacker would, and
which file an edge runs. It may import the scheme that it is about; every other room of ``ops``
asks :func:`tools_of` and names no kind.
"""

from __future__ import annotations

from importlib import import_module

from edgeauth.ops.schemes.tools import Tools

__all__ = ["Tools", "kinds", "tools_of"]


def tools_of(kind: str) -> Tools:
    """The tools of the scheme *kind*: ``TOOLS`` of a module that belongs to its class.

    For a kind of edgeauth that is the folder here. For a class in a module ``acme`` it is
    ``acme_ops``, and for one in a package ``acme.edge`` it may be ``acme.edge.ops``: whichever
    is there. Without one, each tool does what can be done for any scheme.

    Raises:
        ConfigurationError: there is no such kind, or its ``TOOLS`` are none.
    """
    module = import_module(_PLACES[kind])
    tools: Tools = module.TOOLS
    return tools


def kinds() -> tuple[str, ...]:
    """The kinds that there are."""
    return tuple(_PLACES)


_PLACES = {
    "edge-auth": "edgeauth.ops.schemes.edge_auth",
    "shared-secret": "edgeauth.ops.schemes.shared_secret",
}

"""What an operator's tools know of each scheme: one folder a kind, and what holds for all.

A folder says why a credential is refused, how an attacker would make one, and which file an
edge runs. It may import the proof, the plumbing and the shared files of ``ops``. The tools may
import it: they ask :func:`tools_of` and name no kind.
"""

from __future__ import annotations

import sys
from importlib import import_module

from edgeauth.errors import ConfigurationError
from edgeauth.ops.schemes.credential import Credential, credential
from edgeauth.ops.schemes.diagnosis import Diagnosis, Field, Finding
from edgeauth.ops.schemes.probe_rows import Plan, Row, bad, good
from edgeauth.ops.schemes.tools import Tools
from edgeauth.schemes.base import Outgoing
from edgeauth.schemes.registry import built_in_kinds, scheme_class

# What a package that brings a kind needs to write its own TOOLS.
__all__ = [
    "Credential",
    "Diagnosis",
    "Field",
    "Finding",
    "Outgoing",
    "Plan",
    "Row",
    "Tools",
    "bad",
    "credential",
    "good",
    "tools_of",
]


def tools_of(kind: str) -> Tools:
    """The tools of the scheme *kind*: ``TOOLS`` of the module that stands beside its class.

    For a kind of edgeauth that is the folder here. For a class in a module ``acme`` it is
    ``acme_ops``; for one in a package it is ``ops`` of the package. Without such a module each
    tool does what can be done for any scheme.

    Raises:
        ConfigurationError: there is no such kind, or its tools cannot be loaded.
    """
    if kind in built_in_kinds():
        return _tools_in(f"{__name__}.{kind.replace('-', '_')}")
    # Here, since few use a kind of another package.
    from importlib.util import find_spec  # noqa: PLC0415

    home = scheme_class(kind).__module__
    package = sys.modules[home].__package__
    for place in (f"{home}_ops", f"{package}.ops" if package else ""):
        if place and find_spec(place) is not None:
            return _tools_in(place)
    return Tools()


def _tools_in(place: str) -> Tools:
    try:
        found = getattr(import_module(place), "TOOLS", None)
    except Exception as error:
        raise ConfigurationError(
            f"the tools in {place} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, Tools):
        raise ConfigurationError(f"{place} has no TOOLS: write TOOLS = Tools(...)")
    return found

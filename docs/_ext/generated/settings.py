"""The settings: of the guard, of a scheme, of the options of each kind, of the service."""

from __future__ import annotations

import inspect
import types
import typing
from typing import TYPE_CHECKING, Any

from edgeauth.schemes.registry import built_in_kinds, scheme_class
from edgeauth.service.settings import ServiceSettings
from edgeauth.settings.schema import OPTIONS
from edgeauth.settings.scheme import SCHEME_OPTIONS
from edgeauth.settings.sources import PREFIX, SERVICE_PREFIX
from edgeauth.settings.table import options_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgeauth.schemes.options import Option

_WORDS = {bool: "`true` or `false`", int: "whole number", float: "number", str: "text"}

_HERE = "file, mapping, variable"


def markdown(part: str) -> str:
    """One part of the page."""
    return _PARTS[part]()


def _guard() -> str:
    return _entries(OPTIONS.values(), PREFIX, _HERE)


def _scheme() -> str:
    return _entries(SCHEME_OPTIONS, PREFIX, f"{_HERE}; and a table `[[schemes]]`")


def _service() -> str:
    return _entries(options_in(ServiceSettings), SERVICE_PREFIX, "table `[service]`, variable", "service.")


def _kinds() -> str:
    return "\n".join(f"### {kind}\n\n{_table(scheme_class(kind).OPTIONS)}\n" for kind in built_in_kinds())


_PARTS: dict[str, Callable[[], str]] = {
    "guard": _guard,
    "scheme": _scheme,
    "service": _service,
    "kinds": _kinds,
}


def _entries(options: Iterable[Option], prefix: str, where: str, table: str = "") -> str:
    return "\n".join(
        f"""
```{{confval}} {table}{option.name}
:type: {type_of(option)}
:default: {shown(option.default)}

{option.doc[0].upper()}{option.doc[1:]}.

Variable: `{prefix}{option.name.upper()}`. Where: {where}.
```
"""
        for option in options
    )


def _table(options: Iterable[Option]) -> str:
    rows = [
        f"| `{option.name}` | {type_of(option)} | {shown(option.default)} | {option.doc} |"
        for option in options
    ]
    return "\n".join(["| name | type | default | meaning |", "|---|---|---|---|", *rows])


def type_of(option: Option) -> str:
    """What may be written, in words."""
    known = inspect.getclosurevars(option.read).nonlocals
    if "choices" in known:
        return " or ".join(f"`{choice}`" for choice in known["choices"])
    words = _words(typing.get_type_hints(option.read)["return"])
    limits = inspect.getclosurevars(option.check).nonlocals if option.check else {}
    if {"least", "most", "unit"} <= limits.keys():
        return f"{words} of {limits['unit']}, {limits['least']} to {limits['most']}"
    return f"{words} of {known['unit']}" if "unit" in known else words


def _words(kind: Any) -> str:  # noqa: ANN401 - of whatever a reader returns
    if kind in _WORDS:
        return _WORDS[kind]
    if isinstance(kind, types.UnionType):
        return " or ".join("`off`" if one is type(None) else _words(one) for one in kind.__args__)
    return {tuple: "list"}.get(typing.get_origin(kind), "table")


def shown(default: object) -> str:
    """A default as somebody would write it."""
    if default is None or default in ((), {}):
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, (tuple, list)):
        return ", ".join(f"`{item}`" for item in default)
    return f"`{default}`"

"""The settings: of the guard, of a scheme, of the options of each kind, of the service."""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING

from edgeauth.schemes.registry import built_in_kinds, scheme_class
from edgeauth.service.settings import ServiceSettings
from edgeauth.settings.reading import SEVERAL
from edgeauth.settings.schema import OPTIONS
from edgeauth.settings.scheme import SCHEME_OPTIONS
from edgeauth.settings.sources import PREFIX, SERVICE_PREFIX
from edgeauth.settings.table import options_in
from generated.words import shown, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth.schemes.options import Option

_ENTRY = """
```{{confval}} {name}

{meaning}.

:Type: {type}
:Default: {default}
:Variable: {variable}
:Stands in: {place}
```
"""


def markdown(part: str) -> str:
    """One part of the page."""
    if part == "guard":
        return _entries(OPTIONS.values(), PREFIX, "file, mapping")
    if part == "scheme":
        one = _entries(SCHEME_OPTIONS, PREFIX, "file, mapping, each table `[[schemes]]`")
        return one + _entries(SEVERAL.values(), "", "file, mapping")
    if part == "service":
        table = "the table `[service]` of a file"
        return _entries(options_in(ServiceSettings), SERVICE_PREFIX, table, "service.")
    return "\n".join(f"### {kind}\n\n{_table(kind)}\n" for kind in built_in_kinds())


def _entries(options: Iterable[Option], prefix: str, place: str, table: str = "") -> str:
    return "".join(
        _ENTRY.format(
            name=table + option.name,
            type=type_of(option),
            default=default_of(option),
            meaning=option.doc[0].upper() + option.doc[1:],
            variable=f"`{prefix}{option.name.upper()}`" if prefix else "none",
            place=place,
        )
        for option in options
    )


def _table(kind: str) -> str:
    rows = [
        f"| `{option.name}` | {type_of(option)} | {default_of(option)} | {option.doc} |"
        for option in scheme_class(kind).OPTIONS
    ]
    return "\n".join(["| name | type | default | meaning |", "|---|---|---|---|", *rows])


def type_of(option: Option) -> str:
    """What may be written, in words."""
    reader = inspect.getclosurevars(option.read).nonlocals
    if "choices" in reader:
        return " or ".join(f"`{choice}`" for choice in reader["choices"])
    kind = words(typing.get_type_hints(option.read)["return"], none="off")
    if option.secret:
        return f"{kind} that is never shown"
    check = inspect.getclosurevars(option.check).nonlocals if option.check else {}
    if {"least", "most", "unit"} <= check.keys():
        return f"{kind} of {check['unit']}, {check['least']} to {check['most']}"
    return f"{kind} of {reader['unit']}" if "unit" in reader else kind


def default_of(option: Option) -> str:
    """What it is where nobody sets it, as somebody would write it."""
    off = option.default is None and "`off`" in type_of(option)
    return "`off`" if off else shown(option.default)

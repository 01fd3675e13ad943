"""A table of options as the fields of a dataclass, and reading what somebody wrote by it."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError
from edgeauth.schemes.options import Option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from edgeauth.schemes.options import Reader
    from edgeauth.settings.sources import Layer

Table = dict[str, Option]


def setting(
    read: Reader,
    default: object,
    doc: str,
    *,
    secret: bool = False,
    check: Callable[[str, Any], object] | None = None,
    show: Callable[[Any], str] | None = None,
) -> Any:  # noqa: ANN401 - as dataclasses.field
    """A field of a dataclass that is an :class:`Option`; the arguments are those."""
    # The field knows its name, once there is a class.
    named = partial(
        Option, read=read, default=default, doc=doc, secret=secret, check=check, show=show
    )
    hidden = secret or show is not None
    return dataclasses.field(default=default, repr=not hidden, metadata={Option: named})


def options_in(cls: type) -> tuple[Option, ...]:
    """The options that are fields of the dataclass *cls*."""
    return tuple(
        field.metadata[Option](field.name)
        for field in dataclasses.fields(cls)
        if Option in field.metadata
    )


def table_of(options: Iterable[Option]) -> Table:
    """*options* by name."""
    return {option.name: option for option in options}


def read_layer(layer: Layer, table: Mapping[str, Option]) -> dict[str, Any]:
    """The values in *layer*, each as its option reads it.

    Raises:
        ConfigurationError: an unknown name, or a value of the wrong kind.
    """
    found = {}
    for name, written in layer.items():
        option = table.get(name)
        if option is None:
            raise unknown(table, name, written.label)
        found[name] = (
            written.value if written.is_read else option.read(written.label, written.value)
        )
    return found


def unknown(known: Iterable[str], name: object, label: object) -> ConfigurationError:
    """The error for a setting that there is not, with the near one that there is."""
    # Here, since only a mistake needs it.
    import difflib  # noqa: PLC0415

    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    if not near:
        return ConfigurationError(f"unknown setting {label!r}; known are {', '.join(known)}")
    # A variable is the setting in upper case behind a prefix.
    prefix = str(label).removesuffix(str(name).upper())
    (nearest,) = near
    right = nearest if label == name else prefix + nearest.upper()
    return ConfigurationError(f"unknown setting {label!r}: did you mean {right!r}?")

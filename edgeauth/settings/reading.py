"""What somebody wrote, as the arguments of :class:`edgeauth.Settings`.

Flat names describe the guard and its one scheme; the options of the scheme are those of its
kind, so the kind is looked for first. Where there is ``schemes``, no flat name describes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError
from edgeauth.schemes.options import Option
from edgeauth.settings.cdns import read_cdn
from edgeauth.settings.scheme import (
    CDN,
    KIND,
    SCHEME_OPTIONS,
    SchemeSettings,
    default_kind,
    kinds_with,
    make_scheme,
    no_such_option,
    options_of,
)
from edgeauth.settings.sources import Layer, Written, of_mapping, that_are_set
from edgeauth.settings.table import read_layer, table_of, unknown

if TYPE_CHECKING:
    from edgeauth.settings.table import Table

SCHEMES = "schemes"

_OF_EACH = table_of(SCHEME_OPTIONS)


def read_settings(
    options: Table,
    lower: Layer,
    upper: Layer | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The arguments of :class:`edgeauth.Settings` that somebody wrote.

    Args:
        options: those beside the schemes.
        lower: what a mapping and a file set.
        upper: what variables set, which win; an empty one is not set, but for a secret.
        environ: all variables; None is ``os.environ``.

    Raises:
        ConfigurationError: an unknown name, or a value of the wrong kind.
    """
    upper = {} if upper is None else upper
    kind = None if SCHEMES in lower else _kind(lower, upper)
    own = SEVERAL if kind is None else options_of(kind.value, kind.label)
    if kind is not None:
        for name in own.keys() & options.keys():
            raise ConfigurationError(
                f"the scheme {kind.value!r} has an option {name}, which is a setting of the guard: "
                f"write the scheme as a table [[{SCHEMES}]]"
            )
    table = {**own, **options}
    # What is empty is not set, even where it would mean nothing.
    upper = {name: one for name, one in upper.items() if one.value or not _is_of_some_kind(name)}
    layer = {**lower, **that_are_set(upper, {**_OF_EACH, **table}, environ)}
    for name, written in layer.items():
        if name not in table:
            raise _misplaced(name, written.label, kind, table)
    return read_layer(layer, table)


def _kind(lower: Layer, upper: Layer) -> Written:
    named = _named(KIND, lower, upper)
    if named is not None:
        return named
    cdn = _named(CDN, lower, upper)
    if cdn is None:
        return Written(KIND, default_kind(None))
    name = cdn.value if cdn.is_read else read_cdn(cdn.label, cdn.value)
    return Written(cdn.label, default_kind(str(name)))


def _named(name: str, lower: Layer, upper: Layer) -> Written | None:
    named = upper.get(name)
    return lower.get(name) if named is None or not named.value else named


def _is_of_some_kind(name: object) -> bool:
    return name == SCHEMES or (name not in _OF_EACH and bool(kinds_with(name)))


def _misplaced(name: object, label: str, kind: Written | None, table: Table) -> ConfigurationError:
    """The error for a setting that there is not; *kind* is None where there are [[schemes]]."""
    if name == SCHEMES:
        return ConfigurationError(f"{label} cannot be a variable: {_TABLES}")
    if kind is not None and kinds_with(name):
        return no_such_option(label, str(name), str(kind.value))
    if kind is None and (name in _OF_EACH or kinds_with(name)):
        return ConfigurationError(
            f"{label} describes the scheme where there is one, and here each has a table "
            f"[[{SCHEMES}]]: write {name} into its table"
        )
    return unknown(table, name, label)


_TABLES = (
    f"write each scheme as a table [[{SCHEMES}]] of a TOML file, or as a mapping in a list of them"
)


def _read_schemes(label: str, value: object) -> tuple[SchemeSettings, ...]:
    # Nothing of the value is shown: there may be secrets in it.
    if not isinstance(value, (list, tuple)) or not value:
        raise ConfigurationError(f"{label} is no list of tables, or empty; {_TABLES}")
    return tuple(_read_scheme(f"{label}, table {place}", one) for place, one in enumerate(value, 1))


def _read_scheme(where: str, value: object) -> SchemeSettings:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{where} is no table; {_TABLES}")
    try:
        layer = of_mapping(value)
        kind = _kind(layer, {})
        table = options_of(kind.value)
        for name, written in layer.items():
            if name not in table and kinds_with(name):
                raise no_such_option(written.label, str(name), str(kind.value))
        return make_scheme(read_layer(layer, table))
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None


SEVERAL = table_of(
    [Option(SCHEMES, _read_schemes, (), "a table for each of several schemes, any may accept")]
)

"""Where settings are written: a mapping, a TOML file, the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from edgeauth.errors import ConfigurationError, explain

if TYPE_CHECKING:
    from edgeauth.schemes.options import Option

PREFIX = "EDGEAUTH_"

# The decision service has options of its own beside those of its guard. Everybody who reads
# a file or the environment for a guard leaves them alone; edgeauth.service.settings reads them.
SERVICE_TABLE = "service"
SERVICE_PREFIX = f"{PREFIX}SERVICE_"

# Names a TOML file, for every adapter and command.
CONFIG_VARIABLE = f"{PREFIX}CONFIG"


class Written(NamedTuple):
    """A value as a user wrote it, or one that was read already.

    Attributes:
        label: the name of the setting, as the user wrote it.
        value: what was written.
        is_read: whether it has its type already.
    """

    label: str
    value: object
    is_read: bool = False


# By the name of the setting, which a mistake may make anything.
Layer = dict[Any, Written]


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tables and values of a TOML file.

    Raises:
        ConfigurationError: unreadable or not TOML. The message has the place of the
            mistake and never the line, which may hold a secret.
    """
    # Here, since most set-ups have no file, and start-up should not pay for a parser.
    import tomllib  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    try:
        with Path(path).open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(f"config {str(path)!r} cannot be read: {explain(error)}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"config {str(path)!r} is not TOML: {error}") from None
    except ValueError:
        raise ConfigurationError(f"config {str(path)!r} is not UTF-8 text") from None


def config_path(
    config: str | os.PathLike[str] | None, environ: Mapping[str, str] | None = None
) -> str | os.PathLike[str] | None:
    """The TOML file: *config*, or else what ``EDGEAUTH_CONFIG`` names, or None.

    Args:
        config: the file that an argument named, if one did.
        environ: the variables; None is ``os.environ``.
    """
    if config is not None:
        return config
    return variables(environ).get(CONFIG_VARIABLE) or None


def read_document(
    config: str | os.PathLike[str] | None, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The tables and values of the file that :func:`config_path` finds; none without one.

    Raises:
        ConfigurationError: unreadable, or not TOML.
    """
    path = config_path(config, environ)
    return {} if path is None else read_toml(path)


def variables(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    """*environ*, or ``os.environ`` if it is None."""
    return os.environ if environ is None else environ


def of_document(document: Mapping[str, Any]) -> Layer:
    """What a TOML file sets of a guard."""
    return of_mapping({name: one for name, one in document.items() if name != SERVICE_TABLE})


def of_mapping(mapping: Mapping[str, Any]) -> Layer:
    """What a mapping sets.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(mapping, Mapping):
        raise ConfigurationError(
            f"the settings are a {type(mapping).__name__}; write a mapping of names to values"
        )
    return {name: Written(name, value) for name, value in mapping.items()}


def of_environ(
    environ: Mapping[str, str] | None,
    prefix: str = PREFIX,
    not_these: tuple[str, ...] = (SERVICE_PREFIX, CONFIG_VARIABLE),
) -> Layer:
    """What the variables set whose names begin with *prefix*.

    Args:
        environ: the variables; None is ``os.environ``.
        prefix: what comes before the names of the settings.
        not_these: names, and prefixes that end with ``_``, which are somebody else's.
    """
    return {
        label.removeprefix(prefix).lower(): Written(label, text)
        for label, text in variables(environ).items()
        if label.startswith(prefix) and not _is_one_of(label, not_these)
    }


def named_by_variables(environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """The names of the settings that variables set."""
    return frozenset(name for name, written in of_environ(environ).items() if written.value)


def _is_one_of(label: str, names: tuple[str, ...]) -> bool:
    return any(label == name or (name[-1] == "_" and label.startswith(name)) for name in names)


def that_are_set(
    layer: Layer, known: Mapping[str, Option], environ: Mapping[str, str] | None
) -> Layer:
    """The variables of *layer* that set something.

    An empty one does not (Compose writes ``${NAME:-}`` so), but for a secret. Nor does one that
    a cluster sets by itself (:mod:`edgeauth.settings.injected`).

    Args:
        layer: of :func:`of_environ`.
        known: the options that there are; an empty variable of another name stays, as a mistake.
        environ: all variables; None is ``os.environ``.
    """
    kept: Layer = {}
    for name, written in layer.items():
        option = known.get(name)
        if option is None:
            # Here, since few have such a variable.
            from edgeauth.settings.injected import injected  # noqa: PLC0415

            is_set = written.label not in injected(variables(environ))
        else:
            is_set = bool(written.value) or option.secret
        if is_set:
            kept[name] = written
    return kept

"""What there is to set, of a scheme or of the guard: one table each of these.

How a value is read, what it is by default, its range, its place in the documentation and
whether it may be printed all come from its :class:`Option`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from edgeauth.errors import ConfigurationError

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})

# Reads a value: given the name as the user wrote it, and the value.
Reader = Callable[[str, object], Any]


class FileOf(NamedTuple):
    """What an option says that may name a file: the file is read, and watched while an app runs.

    Attributes:
        read: reads it, given the name of the setting and the path. What it returns takes the
            place of the path when a scheme is made: plain values, since it goes to other
            processes.
        describe: what was read in a few words, for the log.
    """

    read: Callable[[str, str], Any]
    describe: Callable[[Any], str]


class Option(NamedTuple):
    """One thing to set.

    Attributes:
        name: in lower case, as in a TOML file.
        read: makes the right type of what a user wrote, or raises ConfigurationError.
        default: what it is where nobody sets it.
        doc: what it means, for the documentation.
        secret: whether its value must never be shown.
        check: raises ConfigurationError for a value that is out of range. It is given the
            name and the value, of whatever origin; None where any value of the type is good.
        show: makes of the value what people may see of it, where a part of it may be secret.
        file: set where a value that is a text is the path of a file. The file is read when the
            scheme is made, and watched; nothing else is needed for that.
    """

    name: str
    read: Reader
    default: Any
    doc: str
    secret: bool = False
    check: Callable[[str, Any], object] | None = None
    show: Callable[[Any], str] | None = None
    file: FileOf | None = None

    def refuse_bad(self, value: object) -> None:
        """Hold *value* against the range.

        Raises:
            ConfigurationError: it is out of it.
        """
        if self.check is not None:
            self.check(self.name, value)


def wrong_value(label: str, value: object, expected: str) -> NoReturn:
    """Refuse the value of a setting, in the words that all of them use."""
    raise ConfigurationError(f"{label} is {value!r}; write {expected}")


def between(least: float, most: float, unit: str) -> Callable[[str, Any], None]:
    """A check that a number of *unit* is from *least* to *most*, inclusive."""

    def check(name: str, value: Any) -> None:  # noqa: ANN401 - this is what finds out
        if not _is_number(value) or not least <= value <= most:
            wrong_value(name, value, f"{least} to {most} {unit}")

    return check


def read_secret(label: str, value: object) -> str:
    """A secret; the one reader whose error does not repeat what it read."""
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{label} is empty or not text; write a secret (edgeauth keygen)")
    return value


def read_text(label: str, value: object) -> str:
    """A text that is not empty."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str) or not value:
        wrong_value(label, value, "a text that is not empty")
    return value


def read_text_or_off(label: str, value: object) -> str | None:
    """A text that is not empty; None for ``off``."""
    return None if value == "off" else read_text(label, value)


def read_private_text_or_off(label: str, value: object) -> str | None:
    """As :func:`read_text_or_off`, where a part may be secret: an error repeats nothing of it."""
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{label} is empty or not text; write a text, or 'off'")
    return None if value == "off" else value


def read_number(unit: str) -> Callable[[str, object], float]:
    """A reader of a number of *unit*."""

    def read(label: str, value: object) -> float:
        if isinstance(value, str):
            try:
                return float(value) if "." in value else int(value)
            except ValueError:
                wrong_value(label, value, f"a number of {unit}")
        if not _is_number(value):
            wrong_value(label, value, f"a number of {unit}")
        return value  # type: ignore[return-value]

    return read


def read_whole_number(label: str, value: object) -> int:
    """A whole number, in digits where it is text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        wrong_value(label, value, "a whole number")
    return value


def _is_number(value: object) -> bool:
    # bool is an int in Python, and "max_age = true" is no length of time.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def read_flag(label: str, value: object) -> bool:
    """True or false, or a word for it."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else None
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    wrong_value(label, value, "true or false")


def read_list(label: str, value: object) -> tuple[str, ...]:
    """A list of texts, or one text with commas."""
    if isinstance(value, str):
        items: list[Any] = [item.strip() for item in value.split(",")]
    elif isinstance(value, (list, tuple, set, frozenset)):
        items = list(value)
    else:
        wrong_value(label, value, "a list")
    # An empty list is never what was meant: to allow any, or none, the setting is left out.
    if not items or not all(isinstance(item, str) and item for item in items):
        wrong_value(label, value, "a list of texts that is not empty, or leave it out")
    return tuple(items)


def read_list_of(read: Reader) -> Reader:
    """A reader of a list, or of one text with commas, of which *read* reads each item."""

    def read_each(label: str, value: object) -> tuple[Any, ...]:
        if isinstance(value, str):
            items: list[Any] = [item.strip() for item in value.split(",")]
        elif isinstance(value, (list, tuple)):
            items = list(value)
        else:
            wrong_value(label, value, "a list")
        if not items:
            wrong_value(label, value, "a list that is not empty, or leave it out")
        return tuple(read(f"{label}, item {place},", item) for place, item in enumerate(items, 1))

    return read_each


def read_one_of(*choices: str) -> Callable[[str, object], str]:
    """A reader of one word out of several."""

    def read(label: str, value: object) -> str:
        if value not in choices:
            wrong_value(label, value, " or ".join(repr(choice) for choice in choices))
        return str(value)

    return read


def window(name: str, value: float) -> float:
    """*value* as a length of time, in seconds, that a value may be old or early.

    Raises:
        ConfigurationError: it is none.
    """
    # bool is an int in Python, and "max_age = true" is no length of time.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigurationError(f"{name} must be a number of seconds, not {value!r}")
    if not 0 <= value <= sys.float_info.max:
        raise ConfigurationError(f"{name} must be 0 seconds or more, not {value!r}")
    # As the clock is: comparing floats with integers takes three times as long.
    return float(value)

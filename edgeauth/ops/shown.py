"""Every setting with its value, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edgeauth.settings import OPTIONS
from edgeauth.settings.scheme import options_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.schemes.options import Option
    from edgeauth.settings import Settings


class Shown(NamedTuple):
    """One setting and its value.

    Attributes:
        name: as it is written where there is one scheme; of several, ``schemes[0].header``.
        option: what it is.
        value: what it is set to, or its default. A secret must not be shown.
    """

    name: str
    option: Option
    value: Any


def shown_settings(settings: Settings) -> Iterator[Shown]:
    """Every setting with its value; those of the schemes come first."""
    several = len(settings.schemes) > 1
    for place, scheme in enumerate(settings.schemes):
        where = f"schemes[{place}]." if several else ""
        for name, option in options_of(scheme.kind).items():
            yield Shown(f"{where}{name}", option, scheme.value(name))
    for name, option in OPTIONS.items():
        yield Shown(name, option, getattr(settings, name))

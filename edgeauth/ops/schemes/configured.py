"""The schemes of the settings, built, as commands ask for them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError
from edgeauth.keys import Key, KeyRing
from edgeauth.schemes.needs import behind, needs_proxy
from edgeauth.schemes.registry import scheme_class

if TYPE_CHECKING:
    from edgeauth.private_keys import PrivateKey
    from edgeauth.request import Request
    from edgeauth.settings import SchemeSettings, Settings


def configured(settings: Settings, *, without_secret: bool = False) -> list[Any]:
    """The schemes of *settings*. What each can do beyond verifying is for its kind to say.

    Args:
        settings: of the gate.
        without_secret: whether any key will do, since nothing is signed or verified.

    Raises:
        ConfigurationError: a setting or a file of secrets cannot be used.
    """
    return [
        behind(one.build_scheme(_any_keys() if without_secret else _keys(one)), _Everybody())
        for one in settings.schemes
    ]


def signing(
    settings: Settings,
    kind: str | None,
    private: PrivateKey | None = None,
) -> Any:  # noqa: ANN401 - of any kind
    """The scheme that signs: the first of *kind*, or the first of all.

    Args:
        settings: of the gate.
        kind: of the scheme.
        private: what will sign, so that the settings need no key. The first then is the first
            that can use it.

    Raises:
        ConfigurationError: as :func:`configured`; or there is none of *kind*.
    """
    able = [one for one in settings.schemes if private is None or _takes_pairs(one.kind)]
    for one in able or settings.schemes:
        if kind in {None, one.kind}:
            if private is not None and not one.has_secret:
                return one.build_scheme(KeyRing([private.public]))
            return one.build_scheme(_keys(one))
    known = ", ".join(one.kind for one in settings.schemes)
    raise ConfigurationError(f"no scheme of the settings is {kind!r}; they have {known}")


def _takes_pairs(kind: str) -> bool:
    return bool(getattr(scheme_class(kind), "public_keys", False))


def believing_proxies(settings: Settings) -> list[str]:
    """The kinds of *settings* that believe what a proxy says."""
    return [one.kind for one in settings.schemes if needs_proxy(scheme_class(one.kind))]


def widest(settings: Settings, option: str) -> float | None:
    """The greatest value of *option*, a number, in *settings*; None where no scheme has it."""
    values = [one.options[option] for one in settings.schemes if option in one.options]
    return max(values, default=None)


def _keys(one: SchemeSettings) -> KeyRing | None:
    return one.read_keys() if one.needs_keys else None


class _Everybody:
    """Stands for the proxies of a guard: a command looks at the credential alone."""

    def vouch_for(self, _request: Request) -> bool:
        return True


def _any_keys() -> KeyRing:
    return KeyRing([Key("unknown", os.urandom(32).hex())])

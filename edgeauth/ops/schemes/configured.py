"""The schemes of the settings, each with its kind, as tools ask for them."""

from __future__ import annotations

import secrets as random
from typing import TYPE_CHECKING, Any

from edgeauth.keys import Key, KeyRing

if TYPE_CHECKING:
    from edgeauth.settings import Settings


def configured(settings: Settings, *, without_secret: bool = False) -> list[Any]:
    """The schemes of *settings*, built. What each can do beyond verifying is for its kind to say.

    Args:
        settings: of the gate.
        without_secret: whether any key will do, since nothing is signed or verified.

    Raises:
        ConfigurationError: a setting or a file of secrets cannot be used.
    """
    keys = KeyRing([Key("unknown", random.token_hex())]) if without_secret else settings.read_keys()
    return [settings.build_scheme(keys)]

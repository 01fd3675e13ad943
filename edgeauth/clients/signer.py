"""What the clients share: the header of one request, made when it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from edgeauth.errors import ConfigurationError
from edgeauth.keys import Key, KeyRing
from edgeauth.schemes import sign
from edgeauth.schemes.base import field_name
from edgeauth.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

# What simulators of the edge call themselves.
SIMULATED_POP = "XXX"


class Signer:
    """Makes credentials as the edge does, each for the present moment.

    Args:
        secret: the shared secret, or a :class:`edgeauth.Key`.
        pop: the POP to sign as; None makes the two-field form.
        encoding: ``hex`` or ``base64``.
        header: the name of the header field.
        scheme: ``edge-auth`` to sign; ``shared-secret`` to send the secret itself, for a gate
            with that scheme, where *pop* and *encoding* mean nothing.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    def __init__(
        self,
        secret: str | bytes | Key,
        *,
        pop: str | None = SIMULATED_POP,
        encoding: Literal["hex", "base64"] = "hex",
        header: str = "Edge-Auth",
        scheme: Literal["edge-auth", "shared-secret"] = "edge-auth",
    ) -> None:
        key = secret if isinstance(secret, Key) else Key("default", secret)
        self._key: Callable[[], Key] = lambda: key
        self.header = field_name(header)
        self._pop = pop
        self._encoding = encoding
        if scheme not in ("edge-auth", "shared-secret"):
            raise ConfigurationError(f"scheme {scheme!r} must be 'edge-auth' or 'shared-secret'")
        self._sends_secret = scheme == "shared-secret"
        self.value()  # so that a wrong argument is told of here, not by the first request

    @classmethod
    def from_settings(
        cls,
        settings: Settings | None = None,
        *,
        secret: str | bytes | Key | None = None,
        pop: str | None = None,
    ) -> Self:
        """What the gate of the same settings admits: its scheme, its header, its newest key.

        Which key is the newest is asked for each request, since keys may be dated.

        Args:
            settings: of the gate; None reads the environment, as the gate does.
            secret: to use in place of the keys of the settings.
            pop: the POP to sign as; None is the first that the settings admit, or ``XXX``.

        Raises:
            ConfigurationError: a setting cannot be used.
        """
        if settings is None:
            settings = Settings.load()
        keys = settings.read_keys() if secret is None else KeyRing([secret])
        # Finds what is wrong with a setting that only the gate looks at.
        settings.build_scheme(keys)
        if pop is None:
            pop = settings.pops[0] if settings.pops else SIMULATED_POP
        made = cls(keys.signing_key(), pop=pop, header=settings.header, scheme=settings.scheme)
        made._key = keys.signing_key
        return made

    def value(self) -> str:
        """The header value, for now.

        Raises:
            ConfigurationError: no key is valid now, or a shared secret is not text.
        """
        key = self._key()
        if not self._sends_secret:
            return sign(key, pop=self._pop, encoding=self._encoding)
        try:
            return key.secret.decode()
        except UnicodeDecodeError:
            # Not chained: the original error carries the secret.
            raise ConfigurationError(
                f"the secret of key {key.id} is not UTF-8: no client can put it into a header"
            ) from None

"""What the clients share: the credential of one request, made when it is sent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, Self

from edgeauth.errors import ConfigurationError
from edgeauth.keys import Key, KeyRing
from edgeauth.schemes.base import SIMULATED_POP
from edgeauth.schemes.registry import DEFAULT_KIND
from edgeauth.settings import SchemeSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeauth.schemes.base import Signs


class Signer:
    """Makes credentials as the edge does, each for the present moment.

    Args:
        secret: the shared secret, or a :class:`edgeauth.Key`.
        pop: the POP to sign as; None makes the two-field form.
        encoding: ``hex`` or ``base64``.
        scheme: the kind: ``edge-auth`` to sign; ``shared-secret`` to send the secret itself, for
            a gate with that scheme, where *pop* and *encoding* mean nothing.
        options: those of the scheme, such as ``header``.

    Raises:
        ConfigurationError: an argument cannot be used, or no client can sign for the scheme.
    """

    def __init__(
        self,
        secret: str | bytes | Key,
        *,
        pop: str | None = SIMULATED_POP,
        encoding: Literal["hex", "base64"] = "hex",
        scheme: str = DEFAULT_KIND,
        **options: Any,  # noqa: ANN401
    ) -> None:
        key = secret if isinstance(secret, Key) else Key("default", secret)
        settings = SchemeSettings(scheme, given=options)
        self._use(settings, KeyRing([key]), {"pop": pop, "encoding": encoding})

    @classmethod
    def from_settings(
        cls,
        settings: Settings | None = None,
        *,
        secret: str | bytes | Key | None = None,
        pop: str | None = None,
    ) -> Self:
        """What the gate of the same settings admits: its scheme, its options, its newest key.

        Which key is the newest is asked for each request, since keys may be dated. Of several
        schemes the first signs.

        Args:
            settings: of the gate; None reads the environment, as the gate does.
            secret: to use in place of the keys of the settings.
            pop: the POP to sign as; None is the first that the settings admit, or ``XXX``.

        Raises:
            ConfigurationError: a setting cannot be used, or no client can sign for the scheme.
        """
        if settings is None:
            settings = Settings.load()
        first = settings.schemes[0]
        keys = first.read_keys() if secret is None else KeyRing([secret])
        made = cls.__new__(cls)
        made._use(first, keys, {} if pop is None else {"pop": pop})  # noqa: SLF001 - of this class
        return made

    def _use(self, settings: SchemeSettings, keys: KeyRing, how: Mapping[str, Any]) -> None:
        scheme: Any = settings.build_scheme(keys)
        if not callable(getattr(scheme, "credential", None)):
            raise ConfigurationError(
                f"no client can sign for the scheme {settings.kind!r}: it has no credential()"
            )
        self._scheme: Signs = scheme
        self._how = how
        # A wrong argument is reported here, not by the first request.
        self.headers = tuple(self.fields())

    @property
    def header(self) -> str:
        """The name of the header field; of several, the first."""
        return self.headers[0]

    def fields(self) -> Mapping[str, str]:
        """The header fields of a request that is sent now, by name.

        Raises:
            ConfigurationError: no key is valid now, or a shared secret is not text.
        """
        return self._scheme.credential(now=time.time(), **self._how)

    def value(self) -> str:
        """The value of :attr:`header`, for now.

        Raises:
            ConfigurationError: as :meth:`fields`.
        """
        return self.fields()[self.header]

"""What the clients share: the credential of one request, made when it is sent."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Literal, Self

from edgeauth.errors import ConfigurationError
from edgeauth.keys import Key, KeyRing
from edgeauth.private_keys import PrivateKey
from edgeauth.schemes.base import SIMULATED_POP, CannotSign, Outgoing
from edgeauth.schemes.registry import DEFAULT_KIND
from edgeauth.settings import SchemeSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeauth.schemes.base import Signs

__all__ = ["Signer"]


class Signer:
    """Makes credentials as the edge does, each for the present moment.

    Args:
        secret: the shared secret, or a :class:`edgeauth.Key`; for ``message-signatures`` also a
            ``PrivateKey``. A bare secret there has the id ``default``, as that of the setting
            ``secret``.
        pop: the POP to sign as; None makes the two-field form.
        encoding: ``hex`` or ``base64``.
        scheme: the kind: ``edge-auth`` to sign; ``shared-secret`` to send the secret itself;
            ``message-signatures`` to sign the request. For the last two *pop* and *encoding* mean
            nothing.
        options: those of the scheme, such as ``header``.

    Raises:
        ConfigurationError: an argument cannot be used, or no client can sign for the scheme.
    """

    def __init__(
        self,
        secret: str | bytes | Key | PrivateKey,
        *,
        pop: str | None = SIMULATED_POP,
        encoding: Literal["hex", "base64"] = "hex",
        scheme: str = DEFAULT_KIND,
        **options: Any,  # noqa: ANN401
    ) -> None:
        settings = SchemeSettings(scheme, given=options)
        keys, how = _ring(secret)
        self._use(settings, keys, {"pop": pop, "encoding": encoding, **how})

    @classmethod
    def from_settings(
        cls,
        settings: Settings | None = None,
        *,
        secret: str | bytes | Key | PrivateKey | None = None,
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
        keys, how = (first.read_keys(), {}) if secret is None else _ring(secret)
        made = cls.__new__(cls)
        how = how if pop is None else {"pop": pop, **how}
        made._use(first, keys, how)  # noqa: SLF001 - of this class
        return made

    def _use(self, settings: SchemeSettings, keys: KeyRing, how: Mapping[str, Any]) -> None:
        scheme: Any = settings.build_scheme(keys)
        if not callable(getattr(scheme, "credential", None)):
            raise ConfigurationError(
                f"no client can sign for the scheme {settings.kind!r}: it has no credential()"
            )
        self._scheme: Signs = scheme
        self._how = how
        self.headers: tuple[str, ...] = tuple(scheme.headers)
        # A wrong argument is reported here, not by the first request.
        with contextlib.suppress(CannotSign):
            self.fields(Outgoing("GET", "localhost", "/", (), b""))

    @property
    def header(self) -> str:
        """The name of the header field; of several, the first."""
        return self.headers[0]

    def fields(self, request: Outgoing | None = None) -> Mapping[str, str]:
        """The header fields of a request that is sent now, by name.

        Args:
            request: what is sent. A scheme that signs it needs it; others do not look at it.

        Raises:
            ConfigurationError: no key is valid now, a shared secret is not text, or *request* has
                not what must be signed.
        """
        return self._scheme.credential(now=time.time(), request=request, **self._how)

    def value(self) -> str:
        """The value of :attr:`header`, for now, where it is good for any request.

        Raises:
            ConfigurationError: as :meth:`fields`.
        """
        return self.fields()[self.header]


def _ring(secret: str | bytes | Key | PrivateKey) -> tuple[KeyRing, dict[str, Any]]:
    """The keys of the gate that accepts what *secret* signs, and what of it is told to sign."""
    if isinstance(secret, PrivateKey):
        return KeyRing([secret.public]), {"key": secret}
    return KeyRing([secret if isinstance(secret, Key) else Key("default", secret)]), {}

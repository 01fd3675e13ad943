"""The settings of a guard: read from wherever they are written, and made into its parts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError
from edgeauth.keys import KeyRing
from edgeauth.schemes.needs import behind, needs_proxy
from edgeauth.settings import parts
from edgeauth.settings.cdns import CDNS
from edgeauth.settings.reading import SCHEMES, read_settings
from edgeauth.settings.schema import OPTIONS, GuardOptions
from edgeauth.settings.scheme import SchemeSettings, make_scheme
from edgeauth.settings.sources import (
    Layer,
    Written,
    of_document,
    of_environ,
    of_mapping,
    read_document,
    read_toml,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from edgeauth.addresses import AddressList
    from edgeauth.passes import Passes
    from edgeauth.schemes.base import Scheme


class Settings(GuardOptions):
    """The settings of a guard, each of the right type and in its range.

    Whether they fit together, and what the files that they name hold, is seen on building.

    Args:
        schemes: the settings of each scheme, any of which may accept.
        values: the other attributes by name, and those of one scheme, if ``schemes`` is not
            given: ``secret``, ``secrets_file``, ``secrets_dir``, ``scheme`` (the kind) and the
            options of that kind.

    Attributes:
        schemes: at least one.

    Raises:
        ConfigurationError: an unknown name, a number that is not in its range, or an option that
            the scheme has not.
    """

    __slots__ = ()

    def __init__(self, *, schemes: Iterable[SchemeSettings] = (), **values: Any) -> None:  # noqa: ANN401
        flat = {name: value for name, value in values.items() if name not in OPTIONS}
        each = tuple(schemes)
        if flat and each:
            raise ConfigurationError(
                f"{next(iter(flat))} describes one scheme, and schemes describes each: keep one"
            )
        object.__setattr__(self, SCHEMES, each or (make_scheme(flat),))
        for name, option in OPTIONS.items():
            value = values.get(name, self.default(name))
            # Here, and nowhere else: whoever has settings has numbers that can be used.
            option.refuse_bad(value)
            object.__setattr__(self, name, value)

    def default(self, name: str) -> Any:  # noqa: ANN401 - of any setting
        """What the setting *name* of the guard is where nobody sets it: the CDN may say so."""
        if name == "addresses" and len(self.schemes) == 1 and self.schemes[0].cdn is not None:
            return CDNS[self.schemes[0].cdn].addresses
        return OPTIONS[name].default

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Settings:
        """Read settings from lower-case names, as in a TOML file, Django or Flask.

        Raises:
            ConfigurationError: no mapping, an unknown name, or a value of the wrong kind.
        """
        return cls(**read_settings(OPTIONS, of_mapping(mapping)))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read ``EDGEAUTH_<NAME>`` variables; lists are separated by commas.

        Beneath them is the TOML file that ``EDGEAUTH_CONFIG`` names, if it does. An empty
        variable is one that is not set, but for a secret.

        Args:
            environ: the variables; None is ``os.environ``.

        Raises:
            ConfigurationError: an unknown name, or a value of the wrong kind; or as
                :meth:`from_toml`.
        """
        return cls.load(None, environ)

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> Settings:
        """Read settings from a TOML file; its table ``service`` is not looked at.

        Raises:
            ConfigurationError: unreadable, not TOML, an unknown name, or a value of the
                wrong kind.
        """
        return cls(**read_settings(OPTIONS, of_document(read_toml(path))))

    @classmethod
    def load(
        cls,
        config: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        beneath: Mapping[str, Any] | None = None,
    ) -> Settings:
        """Read a TOML file, if one is named, and the environment, which wins.

        Args:
            config: the file; None is the one that ``EDGEAUTH_CONFIG`` names, if it does.
            environ: the variables; None is ``os.environ``.
            beneath: a mapping, as for :meth:`from_mapping`, over which file and variables win.

        Raises:
            ConfigurationError: as :meth:`from_toml` and :meth:`from_environ`.
        """
        lowest = {} if beneath is None else of_mapping(beneath)
        layer = {**lowest, **of_document(read_document(config, environ))}
        return cls(**read_settings(OPTIONS, layer, of_environ(environ), environ))

    @classmethod
    def of_document(
        cls, document: Mapping[str, Any], environ: Mapping[str, str] | None = None
    ) -> Settings:
        """As :meth:`load`, of what :func:`edgeauth.settings.read_document` read already.

        Raises:
            ConfigurationError: an unknown name, or a value of the wrong kind.
        """
        return cls(**read_settings(OPTIONS, of_document(document), of_environ(environ), environ))

    def with_environ(self, environ: Mapping[str, str] | None = None) -> Settings:
        """These settings, but for what the environment sets: an operator has the last word.

        So has the file that ``EDGEAUTH_CONFIG`` names: it wins over these settings, and the
        variables win over it.

        Args:
            environ: the variables; None is ``os.environ``.

        Raises:
            ConfigurationError: as :meth:`from_environ`.
        """
        own = {
            name: getattr(self, name)
            for name in OPTIONS
            if getattr(self, name) != self.default(name)
        }
        several = len(self.schemes) > 1
        own |= {SCHEMES: self.schemes} if several else self.schemes[0].written()
        layer: Layer = {name: Written(name, value, is_read=True) for name, value in own.items()}
        layer |= of_document(read_document(None, environ))
        return Settings(**read_settings(OPTIONS, layer, of_environ(environ), environ))

    def with_secrets(
        self,
        *,
        secret: str | None = None,
        secrets_file: str | None = None,
        secrets_dir: str | None = None,
    ) -> Settings:
        """These settings, with the secrets from elsewhere.

        Raises:
            ConfigurationError: there are several schemes.
        """
        one = dataclasses.replace(
            self.only_scheme(), secret=secret, secrets_file=secrets_file, secrets_dir=secrets_dir
        )
        return dataclasses.replace(self, schemes=(one,))

    def with_kind(self, kind: str) -> Settings:
        """These settings, with another kind of scheme.

        Raises:
            ConfigurationError: there are several schemes, or an option that is set is none of
                the other kind.
        """
        one = dataclasses.replace(self.only_scheme(), kind=kind)
        return dataclasses.replace(self, schemes=(one,))

    def only_scheme(self) -> SchemeSettings:
        """The settings of the one scheme.

        Raises:
            ConfigurationError: there are several.
        """
        if len(self.schemes) > 1:
            raise ConfigurationError(
                f"there are {len(self.schemes)} schemes, and this needs settings with one"
            )
        return self.schemes[0]

    @property
    def has_secret(self) -> bool:
        """Whether each scheme has a secret, or needs none; that it can be used is seen later."""
        return all(scheme.has_secret for scheme in self.schemes)

    def build_scheme(
        self,
        keys: KeyRing | Sequence[KeyRing | None] | None = None,
        files: Sequence[Mapping[str, Any]] | None = None,
    ) -> Scheme:
        """The scheme, or what accepts any of several.

        Args:
            keys: the key rings of the schemes, by their places, if they were built already;
                of one scheme, the ring alone will do. None builds them.
            files: what is in the files that options of each scheme name, by their places, if they
                were read already. None reads them.

        Raises:
            ConfigurationError: a value that a scheme refuses.
        """
        if keys is None:
            rings: Sequence[KeyRing | None] = [None] * len(self.schemes)
        else:
            rings = [keys] if isinstance(keys, KeyRing) else keys
        read: Sequence[Mapping[str, Any] | None] = (
            [None] * len(self.schemes) if files is None else files
        )
        built = [
            one.build_scheme(ring, found)
            for one, ring, found in zip(self.schemes, rings, read, strict=True)
        ]
        scheme = built[0]
        if len(built) > 1:
            # Here, since most settings have one scheme.
            from edgeauth.schemes.any_of import AnyOf  # noqa: PLC0415

            scheme = AnyOf(*built)
        if not needs_proxy(scheme):
            return scheme
        from edgeauth.forwarded import TrustedProxies  # noqa: PLC0415 - as above

        return behind(scheme, TrustedProxies(self.trusted_proxies))

    def build_addresses(self) -> AddressList | None:
        """The address list, or None where addresses are not checked.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        return parts.build_addresses(self.addresses)

    def build_passes(self, keys: KeyRing | Iterable[KeyRing | None] | None = None) -> Passes | None:
        """What verifies passes, or None where none is accepted.

        Args:
            keys: the key rings of the schemes, if they were built already; None builds them.

        Raises:
            ConfigurationError: the secret cannot be used, or is one of the edge's; the file
                of revoked ids cannot be used; or passes are revoked and there is no secret.
        """
        passes = parts.build_passes(
            self.pass_secret, self.pass_secret_file, self.revoked_passes, self.revoked_passes_file
        )
        if passes is None:
            return None
        if keys is None:
            # Whoever issues passes needs no secret of the edge, so there may be none.
            keys = [scheme.build_keys() for scheme in self.schemes if scheme.has_secret]
        parts.refuse_one_secret_for_both(keys, passes)
        return passes

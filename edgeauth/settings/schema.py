"""The settings of a guard: one table, of which each field is an option."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from edgeauth.errors import ConfigurationError
from edgeauth.keys import KeyRing
from edgeauth.schemes.options import (
    Option,
    between,
    read_flag,
    read_list,
    read_number,
    read_one_of,
    read_secret,
    read_text,
    read_text_or_off,
)
from edgeauth.settings import parts
from edgeauth.settings.reading import SCHEMES, read_settings
from edgeauth.settings.scheme import SchemeSettings, make_scheme, options_of
from edgeauth.settings.sources import (
    Layer,
    Written,
    of_document,
    of_environ,
    of_mapping,
    read_document,
    read_toml,
)
from edgeauth.settings.table import options_in, setting, table_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edgeauth.addresses import AddressList
    from edgeauth.passes import Passes
    from edgeauth.schemes.base import Scheme

# The age in days from which an address list is reported as old. The public list changes a few
# times a year, so one of this age has probably missed a change. ``edgeauth addresses update``
# dates the list anew even when nothing changed.
STALE_DAYS = 90
_stale_days = between(1, 3650, "days")


def check_stale_days(days: float) -> None:
    """Refuse what is no age in days that an address list may have.

    Raises:
        ConfigurationError: it is none.
    """
    _stale_days("addresses_stale_days", days)


class Shown(NamedTuple):
    """One setting and its value, for people.

    Attributes:
        name: as it is written where there is one scheme; of several, ``schemes[0].header``.
        option: what it is.
        value: what it is set to, or its default. A secret must not be shown.
    """

    name: str
    option: Option
    value: Any


@dataclass(frozen=True, slots=True, init=False)
class Settings:
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

    schemes: tuple[SchemeSettings, ...] = field()
    addresses: str | None = setting(
        read_text_or_off, None, "`fastly` for the bundled, dated snapshot, or a file"
    )
    addresses_stale_days: float = setting(
        read_number("days"),
        STALE_DAYS,
        "days after its date from which the address list is called old",
        check=_stale_days,
    )
    trusted_proxies: tuple[str, ...] = setting(
        read_list, (), "CIDRs, and `unix`, whose `X-Forwarded-For` is believed"
    )
    exempt: tuple[str, ...] = setting(read_list, (), "`METHOD /exact/path` entries")
    mount_points: tuple[str, ...] = setting(
        read_list, (), "where exempt paths, and the paths of passes, count; `/` is the root"
    )
    mode: Literal["enforce", "report-only"] = setting(
        read_one_of("enforce", "report-only"), "enforce", "`enforce`, or `report-only`"
    )
    strip_header: bool = setting(
        read_flag,
        True,  # noqa: FBT003 - a default
        "whether the application is kept from seeing the credential",
    )
    decisions: str | None = setting(
        read_text_or_off, None, "a file that gets one line of JSON a decision"
    )
    watch_interval: float = setting(
        read_number("seconds"),
        5,
        "seconds from one check of the watched files to the next",
        check=between(0.01, 3600, "seconds"),
    )
    pass_secret: str | None = setting(
        read_secret, None, "the secret that signs passes; without it none is accepted", secret=True
    )
    pass_secret_file: str | None = setting(
        read_text, None, "a file that holds that secret and nothing else"
    )
    revoked_passes: tuple[str, ...] = setting(
        read_list, (), "ids of passes that are no longer accepted"
    )
    revoked_passes_file: str | None = setting(read_text, None, "a file of more of them, one a line")

    def __init__(self, *, schemes: Iterable[SchemeSettings] = (), **values: Any) -> None:  # noqa: ANN401
        flat = {name: value for name, value in values.items() if name not in OPTIONS}
        each = tuple(schemes)
        if flat and each:
            raise ConfigurationError(
                f"{next(iter(flat))} describes one scheme, and schemes describes each: keep one"
            )
        object.__setattr__(self, SCHEMES, each or (make_scheme(flat),))
        for name, option in OPTIONS.items():
            value = values.get(name, option.default)
            # Here, and nowhere else: whoever has settings has numbers that can be used.
            option.refuse_bad(value)
            object.__setattr__(self, name, value)

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
        """As :meth:`load`, of what :func:`read_document` read: no file is read again.

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
            for name, option in OPTIONS.items()
            if getattr(self, name) != option.default
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
            self._only(), secret=secret, secrets_file=secrets_file, secrets_dir=secrets_dir
        )
        return dataclasses.replace(self, schemes=(one,))

    def with_kind(self, kind: str) -> Settings:
        """These settings, with another kind of scheme.

        Raises:
            ConfigurationError: there are several schemes, or an option that is set is none of
                the other kind.
        """
        one = dataclasses.replace(self._only(), kind=kind)
        return dataclasses.replace(self, schemes=(one,))

    # Until every reader asks ``schemes``.
    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name != SCHEMES:
            only, by_default = self._only(), SchemeSettings()
            for scheme in (only, by_default):
                if name in options_of(scheme.kind):
                    return scheme.value(name)
        raise AttributeError(name)

    def _only(self) -> SchemeSettings:
        if len(self.schemes) > 1:
            raise ConfigurationError(
                f"there are {len(self.schemes)} schemes, and this needs settings with one"
            )
        return self.schemes[0]

    @property
    def has_secret(self) -> bool:
        """Whether each scheme has a secret; that it can be used is seen on building."""
        return all(scheme.has_secret for scheme in self.schemes)

    def shown(self) -> Iterator[Shown]:
        """Every setting with its value, for people; those of the schemes come first."""
        several = len(self.schemes) > 1
        for place, scheme in enumerate(self.schemes):
            where = f"schemes[{place}]." if several else ""
            for name, option in options_of(scheme.kind).items():
                yield Shown(f"{where}{name}", option, scheme.value(name))
        for name, option in OPTIONS.items():
            yield Shown(name, option, getattr(self, name))

    def build_keys(self) -> KeyRing:
        """The key ring of the scheme: :meth:`SchemeSettings.build_keys`.

        Raises:
            ConfigurationError: as that; or there are several schemes, each with a ring.
        """
        return self._only().build_keys()

    def read_keys(self) -> KeyRing:
        """The key ring of the scheme: :meth:`SchemeSettings.read_keys`.

        Raises:
            ConfigurationError: as that; or there are several schemes, each with a ring.
        """
        return self._only().read_keys()

    def build_scheme(self, keys: KeyRing | Sequence[KeyRing] | None = None) -> Scheme:
        """The scheme, or what accepts any of several.

        Args:
            keys: the key rings of the schemes, by their places, if they were built already;
                of one scheme, the ring alone will do. None builds them.

        Raises:
            ConfigurationError: a value that a scheme refuses.
        """
        if keys is None:
            rings: Sequence[KeyRing | None] = [None] * len(self.schemes)
        else:
            rings = [keys] if isinstance(keys, KeyRing) else keys
        built = [one.build_scheme(ring) for one, ring in zip(self.schemes, rings, strict=True)]
        if len(built) == 1:
            return built[0]
        # Here, since most settings have one scheme.
        from edgeauth.schemes.any_of import AnyOf  # noqa: PLC0415

        return AnyOf(*built)

    def build_addresses(self) -> AddressList | None:
        """The address list, or None where addresses are not checked.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        return parts.build_addresses(self.addresses)

    def build_passes(self, keys: KeyRing | Iterable[KeyRing] | None = None) -> Passes | None:
        """What verifies passes, or None where none is accepted.

        Args:
            keys: the key rings of the schemes, if they were built already; None builds them.

        Raises:
            ConfigurationError: the secret cannot be used, or is one of the edge's; the file
                of revoked ids cannot be used; or passes are revoked and there is no secret.
        """
        secret, name = self.pass_secret, "pass_secret"
        if self.pass_secret_file is not None:
            if secret is not None:
                raise ConfigurationError("both pass_secret and pass_secret_file are set: keep one")
            name = "pass_secret_file"
            secret = parts.read_bare_secret(self.pass_secret_file, name)
        passes = parts.build_passes(secret, name, self.revoked_passes, self.revoked_passes_file)
        if passes is None:
            return None
        if keys is None:
            # Whoever issues passes needs no secret of the edge, so there may be none.
            keys = [scheme.build_keys() for scheme in self.schemes if scheme.has_secret]
        parts.refuse_one_secret_for_both(keys, passes)
        return passes


OPTIONS = table_of(options_in(Settings))

"""The settings of one scheme: its kind, where its secrets come from, its options."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgeauth.errors import ConfigurationError
from edgeauth.keys import KeyRing, key_of, secrets_alone
from edgeauth.schemes.options import Option, read_secret, read_text
from edgeauth.schemes.registry import DEFAULT_KIND, built_in_kinds, scheme_class
from edgeauth.settings.cdns import CDNS, read_cdn
from edgeauth.settings.parts import refuse_known_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeauth.schemes.base import Scheme
    from edgeauth.schemes.options import FileOf

KIND, CDN = "scheme", "cdn"


def _read_kind(label: str, value: object) -> str:
    return str(scheme_class(value, label).kind)


# What every scheme has beside its own options.
SCHEME_OPTIONS = (
    Option("secret", read_secret, None, "a secret of 16 bytes or more", secret=True),
    Option("secrets_file", read_text, None, "a file, one `id:secret` a line, oldest to newest"),
    Option("secrets_dir", read_text, None, "a directory, one secret a file"),
    Option(CDN, read_cdn, None, "the CDN in front: the defaults of the others become its own"),
    Option(KIND, _read_kind, DEFAULT_KIND, "the kind of credential"),
)
SECRETS = ("secret", "secrets_file", "secrets_dir")


def options_of(kind: object, label: str = KIND) -> dict[str, Option]:
    """All that there is to set of a scheme of this kind, by name.

    Raises:
        ConfigurationError: there is no such kind.
    """
    own = scheme_class(kind, label).OPTIONS
    found = {option.name: option for option in (*SCHEME_OPTIONS, *own)}
    if len(found) < len(SCHEME_OPTIONS) + len(own):
        raise ConfigurationError(
            f"the scheme {kind!r} cannot be set: its OPTIONS name one twice, or one of "
            f"{', '.join(option.name for option in SCHEME_OPTIONS)}"
        )
    return found


def kinds_with(name: object) -> list[str]:
    """The kinds of ours that have an option of this name."""
    return [
        kind
        for kind in built_in_kinds()
        if name in {option.name for option in scheme_class(kind).OPTIONS}
    ]


@dataclass(frozen=True, slots=True)
class SchemeSettings:
    """The settings of one scheme, each of the right type and in its range.

    Attributes:
        kind: that of a scheme here, such as ``edge-auth``, or of another package; by default
            that of the CDN, if one is named.
        secret: the secret, if it is given directly. Not in the repr.
        secrets_file: a file of ``id:secret`` lines, oldest to newest.
        secrets_dir: a directory of one secret a file, instead.
        given: the options that somebody set, by name.
        cdn: the CDN whose preset (:mod:`edgeauth.settings.cdns`) gives the defaults, or None.
        options: all options of the kind, by name: as given, or by default.

    Raises:
        ConfigurationError: there is no such kind, it has not an option that is given, or a
            value is not in its range.
    """

    kind: str = ""
    secret: str | None = field(default=None, repr=False)
    secrets_file: str | None = None
    secrets_dir: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    cdn: str | None = field(default=None, compare=False)
    options: Mapping[str, Any] = field(init=False, repr=False, hash=False)

    def __post_init__(self) -> None:
        if not self.kind:
            object.__setattr__(self, "kind", default_kind(self.cdn))
        own = {option.name: option for option in scheme_class(self.kind).OPTIONS}
        for name in self.given:
            if name not in own:
                raise no_such_option(name, name, self.kind)
        preset = self.preset_options
        whole = {
            name: self.given.get(name, preset.get(name, option.default))
            for name, option in own.items()
        }
        for name, value in whole.items():
            own[name].refuse_bad(value)
        object.__setattr__(self, "given", MappingProxyType(dict(self.given)))
        object.__setattr__(self, "options", MappingProxyType(whole))

    def __reduce__(self) -> tuple[Any, ...]:
        # A mapping that cannot be changed cannot be pickled either.
        plain = (getattr(self, name) for name in _PLAIN)
        return SchemeSettings, (*plain, dict(self.given), self.cdn)

    def written(self) -> dict[str, Any]:
        """What differs from the defaults, or was given, by the names that settings have."""
        own = {name: getattr(self, name) for name in SECRETS if getattr(self, name) is not None}
        kind = {} if self.kind == default_kind(self.cdn) else {KIND: self.kind}
        cdn = {} if self.cdn is None else {CDN: self.cdn}
        return {**own, **cdn, **kind, **self.given}

    @property
    def preset_options(self) -> Mapping[str, Any]:
        """The defaults of options that the CDN gives: none for another kind than its own."""
        preset = CDNS.get(self.cdn or "")
        return {} if preset is None or preset.kind != self.kind else preset.options

    def value(self, name: str) -> Any:  # noqa: ANN401
        """What the setting *name* is set to: a secret, a place of secrets, the kind, an option."""
        if name in (*SECRETS, CDN):
            return getattr(self, name)
        return self.kind if name == KIND else self.options[name]

    @property
    def needs_keys(self) -> bool:
        """Whether a scheme of this kind, with these options, verifies with keys of settings."""
        asked = getattr(scheme_class(self.kind), "needs_keys", True)
        return bool(asked(self.options) if callable(asked) else asked)

    @property
    def has_secret(self) -> bool:
        """Whether they name a secret, or need none; that it can be used is seen on building."""
        return not self.needs_keys or bool(self.named_secrets)

    @property
    def named_secrets(self) -> list[str]:
        """Which of ``secret``, ``secrets_file`` and ``secrets_dir`` are set."""
        return [name for name in SECRETS if getattr(self, name) is not None]

    @property
    def files(self) -> dict[str, str]:
        """The paths of the files that options name, by the option; what holds keys is none."""
        return {
            name: value for name in self._readers() if isinstance(value := self.options[name], str)
        }

    def read_files(self) -> dict[str, Any]:
        """What is in each of :attr:`files`.

        Raises:
            ConfigurationError: one cannot be read.
        """
        return {name: self.file_of(name).read(name, path) for name, path in self.files.items()}

    def file_of(self, name: str) -> FileOf:
        """How the file that the option *name* names is read."""
        return self._readers()[name]

    def _readers(self) -> dict[str, FileOf]:
        own = scheme_class(self.kind).OPTIONS
        return {option.name: option.file for option in own if option.file is not None}

    def build_keys(self) -> KeyRing | None:
        """The key ring of :meth:`read_keys`, of keys with which not everybody can sign.

        None where the scheme needs none.

        Raises:
            ConfigurationError: as :meth:`read_keys`; or a secret is published, or trivially
                guessable; or the private key of a public one is published; or one is set where
                none is needed.
        """
        if self.needs_keys:
            keys = self.read_keys()
            refuse_known_keys(keys)
            return keys
        for name in self.named_secrets:
            raise ConfigurationError(
                f"{name} is set, and the scheme {self.kind!r} of these settings has no use for it: "
                f"leave {name} out"
            )
        return None

    def read_keys(self) -> KeyRing:
        """The key ring: of the file, of the directory, or of the one secret, ``default``.

        For whoever only signs, or explains a header: nothing is let in by them. A guard takes
        :meth:`build_keys`.

        Raises:
            ConfigurationError: none or several of them are set, or none is needed, or the ring
                refuses them.
        """
        given = self.named_secrets
        if not self.needs_keys:
            raise ConfigurationError(
                f"the scheme {self.kind!r} of these settings has no keys of its own, so nothing "
                "here signs for it: give the private key of the other side"
            )
        if len(given) > 1:
            raise ConfigurationError(f"both {given[0]} and {given[1]} are set: keep one")
        if self.secrets_file is not None:
            return KeyRing.from_file(self.secrets_file)
        if self.secrets_dir is not None:
            return KeyRing.from_directory(self.secrets_dir)
        if self.secret is None:
            raise ConfigurationError(
                "no secret: set EDGEAUTH_SECRET, EDGEAUTH_SECRETS_FILE or EDGEAUTH_SECRETS_DIR "
                "(secret, secrets_file or secrets_dir in a mapping or file); edgeauth keygen "
                "makes one"
            )
        return KeyRing([key_of("default", self.secret)])

    def build_scheme(
        self, keys: KeyRing | None = None, files: Mapping[str, Any] | None = None
    ) -> Scheme:
        """The scheme of these settings.

        Args:
            keys: the key ring, if it was built already; None builds it. Where none is needed, it
                is not looked at.
            files: what is in the :attr:`files`, if they were read already; None reads them.

        Raises:
            ConfigurationError: a value that the scheme refuses, or a public key, if it is of a
                kind that has no use for one.
        """
        if keys is None or not self.needs_keys:
            keys = self.build_keys()
        kind = scheme_class(self.kind)
        if keys is not None and not getattr(kind, "public_keys", False):
            keys = secrets_alone(keys, self.kind)
        read = self.read_files() if files is None else files
        scheme: Scheme = kind.from_options(keys, {**self.options, **read})
        return scheme


_PLAIN = ("kind", *SECRETS)


def make_scheme(values: Mapping[str, Any]) -> SchemeSettings:
    """The settings of a scheme from values of the right types, options among them by name.

    Raises:
        ConfigurationError: as :class:`SchemeSettings`.
    """
    own = {name: value for name, value in values.items() if name not in (KIND, CDN, *SECRETS)}
    secrets = {name: values[name] for name in SECRETS if name in values}
    return SchemeSettings(values.get(KIND, ""), **secrets, given=own, cdn=values.get(CDN))


def default_kind(cdn: str | None) -> str:
    """The kind of a scheme where no setting names one: that of the CDN, if there is one."""
    return DEFAULT_KIND if cdn is None else CDNS[cdn].kind


def no_such_option(label: str, name: str, kind: str) -> ConfigurationError:
    """The error for an option that a scheme of this kind has not, and another one has.

    Args:
        label: the option as the user wrote it.
        name: the option.
        kind: that of the scheme.
    """
    others = " or ".join(map(repr, kinds_with(name)))
    remedy = f", or set {KIND} to {others}" if others else ""
    return ConfigurationError(
        f"{label} is set, and the scheme {kind!r} has no {name}: leave {label} out{remedy}"
    )

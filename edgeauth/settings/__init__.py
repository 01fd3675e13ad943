"""One schema of settings, read from a mapping, the environment or a TOML file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from edgeauth.errors import ConfigurationError, explain
from edgeauth.keys import Key, KeyRing, read_bare_secret
from edgeauth.schemes import EdgeAuthScheme, SharedSecretScheme
from edgeauth.schemes.edge_auth import window

if TYPE_CHECKING:
    from edgeauth.addresses import AddressList
    from edgeauth.passes import Passes

PREFIX = "EDGEAUTH_"

# The decision service has options of its own beside those of its guard. Everybody who reads
# a file or the environment for a guard leaves them alone; edgeauth.service.settings reads them.
SERVICE_TABLE = "service"
SERVICE_PREFIX = f"{PREFIX}SERVICE_"

# Names a TOML file, for every adapter and command.
CONFIG_VARIABLE = f"{PREFIX}CONFIG"

# How the value of each setting is read: from the name as the user wrote it, and the value.
Readers = Mapping[str, Callable[[str, object], object]]

# The age in days from which an address list is told of as old. The public list changes a few
# times a year, so one of this age has probably missed a change. ``edgeauth addresses update``
# dates the list anew even when nothing changed.
STALE_DAYS = 90
_MAX_STALE_DAYS = 3650

# The seconds from one look at the files to the next.
_INTERVALS = (0.01, 3600)

# Where the keys come from: one of these is set.
_SECRETS = ("secret", "secrets_file", "secrets_dir")

# What only the signed header has, and a secret in a header has not.
_OF_EDGE_AUTH = ("max_age", "max_future", "require_pop", "pops")

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a guard, each of the right type and in its range.

    Whether they fit together, and what the files that they name hold, is seen on building.

    Attributes:
        secret: the secret, if it is given directly. Not in the repr.
        secrets_file: a file of ``id:secret`` lines, oldest to newest.
        secrets_dir: a directory of one secret a file, instead.
        scheme: ``edge-auth`` or ``shared-secret``.
        header: the field that carries the credential.
        max_age: seconds after signing, inclusive.
        max_future: seconds before the timestamp, inclusive.
        require_pop: False admits the two-field form.
        pops: POP codes; None for any.
        addresses: None for off, ``fastly`` for the bundled snapshot, or a file.
        addresses_stale_days: the age in days from which the list is told of as old.
        trusted_proxies: CIDRs (and ``unix``) whose X-Forwarded-For is believed.
        exempt: ``METHOD /exact/path`` entries.
        mount_points: where exemptions and passes that are narrowed to paths count; ``/`` is the
            root, which alone counts if there is none.
        mode: ``enforce`` or ``report-only``.
        strip_header: whether the application is kept from seeing the credential.
        decisions: a file that gets one line of JSON a decision; None for none.
        watch_interval: seconds from one look at the files of keys, addresses and passes to
            the next.
        pass_secret: the secret that signs passes; None accepts no pass. Not in the repr.
        pass_secret_file: a file that holds that secret and nothing else.
        revoked_passes: ids of passes that are no longer accepted.
        revoked_passes_file: a file of more of them, one a line.

    Raises:
        ConfigurationError: a number is not in its range.
    """

    secret: str | None = field(default=None, repr=False)
    secrets_file: str | None = None
    secrets_dir: str | None = None
    scheme: Literal["edge-auth", "shared-secret"] = "edge-auth"
    header: str = "Edge-Auth"
    max_age: float = 60
    max_future: float = 5
    require_pop: bool = True
    pops: tuple[str, ...] | None = None
    addresses: str | None = None
    addresses_stale_days: float = STALE_DAYS
    trusted_proxies: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    mount_points: tuple[str, ...] = ()
    mode: Literal["enforce", "report-only"] = "enforce"
    strip_header: bool = True
    decisions: str | None = None
    watch_interval: float = 5
    pass_secret: str | None = field(default=None, repr=False)
    pass_secret_file: str | None = None
    revoked_passes: tuple[str, ...] = ()
    revoked_passes_file: str | None = None

    def __post_init__(self) -> None:
        # Here, and nowhere else: whoever has settings has numbers that can be used.
        window("max_age", self.max_age)
        window("max_future", self.max_future)
        _check_number("watch_interval", self.watch_interval, *_INTERVALS, "seconds")
        check_stale_days(self.addresses_stale_days)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Settings:
        """Read settings from lower-case names, as in a TOML file, Django or Flask.

        Raises:
            ConfigurationError: no mapping, an unknown name, or a value of the wrong kind.
        """
        if not isinstance(mapping, Mapping):
            raise ConfigurationError(
                f"the settings are a {type(mapping).__name__}; write a mapping of names to values"
            )
        return cls(**read_mapping(_READERS, mapping))

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
        return cls(**_from_document(read_toml(path)))

    @classmethod
    def load(
        cls,
        config: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        """Read a TOML file, if one is named, and the environment, which wins.

        Args:
            config: the file; None is the one that ``EDGEAUTH_CONFIG`` names, if it does.
            environ: the variables; None is ``os.environ``.

        Raises:
            ConfigurationError: as :meth:`from_toml` and :meth:`from_environ`.
        """
        return cls.of_document(read_document(config, environ), environ)

    @classmethod
    def of_document(
        cls, document: Mapping[str, Any], environ: Mapping[str, str] | None = None
    ) -> Settings:
        """As :meth:`load`, of what :func:`read_document` read: no file is read again.

        Raises:
            ConfigurationError: an unknown name, or a value of the wrong kind.
        """
        return cls(**{**_from_document(document), **read_variables(environ)})

    def with_environ(self, environ: Mapping[str, str] | None = None) -> Settings:
        """These settings, but for what the environment sets: an operator has the last word.

        So has the file that ``EDGEAUTH_CONFIG`` names: it wins over these settings, and the
        variables win over it.

        Args:
            environ: the variables; None is ``os.environ``.

        Raises:
            ConfigurationError: as :meth:`from_environ`.
        """
        in_file = _from_document(read_document(None, environ))
        return dataclasses.replace(self, **{**in_file, **read_variables(environ)})

    @property
    def has_secret(self) -> bool:
        """Whether they name a secret of the edge; that it can be used is seen on building."""
        return any(getattr(self, name) is not None for name in _SECRETS)

    def build_keys(self) -> KeyRing:
        """The key ring of :meth:`read_keys`, of secrets that are not known to everybody.

        Raises:
            ConfigurationError: as :meth:`read_keys`; or a secret is published, or trivially
                guessable.
        """
        keys = self.read_keys()
        for key in keys:
            _refuse_guessable(f"the secret of key {key.id!r}", key.secret)
        return keys

    def read_keys(self) -> KeyRing:
        """The key ring: of the file, of the directory, or of the one secret, ``default``.

        For whoever only signs, or explains a header: nothing is let in by them. A guard takes
        :meth:`build_keys`.

        Raises:
            ConfigurationError: none or several of them are set, or the ring refuses them.
        """
        given = [name for name in _SECRETS if getattr(self, name) is not None]
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
        return KeyRing([Key("default", self.secret)])

    def build_scheme(self, keys: KeyRing | None = None) -> EdgeAuthScheme | SharedSecretScheme:
        """The scheme that these settings name.

        Args:
            keys: the key ring, if it was built already; None builds it.

        Raises:
            ConfigurationError: a value that the scheme refuses, or a setting that it has not.
        """
        keys = self.build_keys() if keys is None else keys
        if self.scheme == "shared-secret":
            self._refuse_idle_options()
            return SharedSecretScheme(keys, header=self.header)
        return EdgeAuthScheme(
            keys,
            header=self.header,
            max_age=self.max_age,
            max_future=self.max_future,
            require_pop=self.require_pop,
            pops=self.pops,
        )

    def _refuse_idle_options(self) -> None:
        """Refuse what somebody set and nothing would obey."""
        defaults = Settings()
        for name in _OF_EDGE_AUTH:
            value = getattr(self, name)
            if value != getattr(defaults, name):
                raise ConfigurationError(
                    f"{name} is {value!r}, and the scheme {self.scheme} has neither a time nor a "
                    f"POP to hold it against: leave {name} out, or set scheme to edge-auth"
                )

    def build_addresses(self) -> AddressList | None:
        """The address list, or None where addresses are not checked.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        if self.addresses is None:
            return None
        # Here, as with passes: a command that only signs should not pay for it. A guard has
        # imported both before its first request.
        from edgeauth.addresses import AddressList  # noqa: PLC0415

        if self.addresses == "fastly":
            return AddressList.fastly()
        return AddressList.from_file(self.addresses)

    def build_passes(self, keys: KeyRing | None = None) -> Passes | None:
        """What verifies passes, or None where none is accepted.

        Args:
            keys: the key ring of the edge, if it was built already; None builds it.

        Raises:
            ConfigurationError: the secret cannot be used, or is one of the edge's; the file
                of revoked ids cannot be used; or passes are revoked and there is no secret.
        """
        secret = self._read_pass_secret()
        if secret is None:
            for name in ("revoked_passes", "revoked_passes_file"):
                if getattr(self, name):
                    raise ConfigurationError(f"{name} is set, and pass_secret is not")
            return None
        from edgeauth.passes import Passes, read_revoked  # noqa: PLC0415

        in_file = () if self.revoked_passes_file is None else read_revoked(self.revoked_passes_file)
        passes = Passes(secret, revoked=(*self.revoked_passes, *in_file))
        _refuse_guessable(self._pass_secret_name, passes.secret)
        # Whoever issues passes needs no secret of the edge, so there may be none.
        if self.has_secret:
            refuse_one_secret_for_both(self.build_keys() if keys is None else keys, passes)
        return passes

    @property
    def _pass_secret_name(self) -> str:
        return "pass_secret" if self.pass_secret_file is None else "pass_secret_file"

    def _read_pass_secret(self) -> str | None:
        if self.pass_secret_file is None:
            return self.pass_secret
        if self.pass_secret is not None:
            raise ConfigurationError("both pass_secret and pass_secret_file are set: keep one")
        return read_bare_secret(self.pass_secret_file, "pass_secret_file")


def _refuse_guessable(what: str, secret: bytes) -> None:
    # Here: whoever only verifies a value, or signs one, should not pay for the words.
    from edgeauth.settings.guessable import why_guessable  # noqa: PLC0415

    why = why_guessable(secret)
    if why is not None:
        raise ConfigurationError(
            f"{what} is no secret: {why}; make another one for both sides (edgeauth keygen)"
        )


def refuse_one_secret_for_both(keys: KeyRing, passes: Passes) -> None:
    """Refuse a secret that signs passes and is a secret of the edge.

    Raises:
        ConfigurationError: it does.
    """
    if passes.secret in {key.secret for key in keys}:
        raise ConfigurationError(
            "pass_secret is also a secret of the edge: make another one (edgeauth keygen)"
        )


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tables and values of a TOML file.

    Raises:
        ConfigurationError: unreadable or not TOML. The message has the place of the
            mistake and never the line, which may hold a secret.
    """
    # Here, since most set-ups have no file, and start-up should not pay for a parser.
    import tomllib  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    try:
        with Path(path).open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(f"config {str(path)!r} cannot be read: {explain(error)}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"config {str(path)!r} is not TOML: {error}") from None
    except ValueError:
        raise ConfigurationError(f"config {str(path)!r} is not UTF-8 text") from None


def config_path(
    config: str | os.PathLike[str] | None, environ: Mapping[str, str] | None = None
) -> str | os.PathLike[str] | None:
    """The TOML file: *config*, or else what ``EDGEAUTH_CONFIG`` names, or None.

    Args:
        config: the file that an argument named, if one did.
        environ: the variables; None is ``os.environ``.
    """
    if config is not None:
        return config
    return (os.environ if environ is None else environ).get(CONFIG_VARIABLE) or None


def read_document(
    config: str | os.PathLike[str] | None, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The tables and values of the file that :func:`config_path` finds; none without one.

    Raises:
        ConfigurationError: unreadable, or not TOML.
    """
    path = config_path(config, environ)
    return {} if path is None else read_toml(path)


def _from_document(document: Mapping[str, Any]) -> dict[str, Any]:
    of_guard = {name: value for name, value in document.items() if name != SERVICE_TABLE}
    return read_mapping(_READERS, of_guard)


def read_variables(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The settings that variables set, each of the right type; no file is read.

    Raises:
        ConfigurationError: an unknown name, or a value of the wrong kind.
    """
    variables = os.environ if environ is None else environ
    return read_environ(_READERS, PREFIX, variables, not_these=(SERVICE_PREFIX, CONFIG_VARIABLE))


def read_mapping(readers: Readers, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of *mapping*, each as its reader has it.

    Raises:
        ConfigurationError: an unknown name, or a value of the wrong kind.
    """
    return {name: _read(readers, name, value, name) for name, value in mapping.items()}


def read_environ(
    readers: Readers, prefix: str, environ: Mapping[str, str], *, not_these: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The variables whose names begin with *prefix*, each as its reader has it.

    An empty one is not set (Compose writes ``${NAME:-}`` so), but for a secret. Those that a
    cluster sets by itself (:mod:`edgeauth.settings.injected`) are left out.

    Args:
        readers: the settings that there are.
        prefix: what comes before their names.
        environ: the variables.
        not_these: names, and prefixes that end with ``_``, which are somebody else's.

    Raises:
        ConfigurationError: an unknown name, or a value of the wrong kind.
    """
    found = {}
    for label, text in environ.items():
        if not label.startswith(prefix) or _is_one_of(label, not_these):
            continue
        name = label.removeprefix(prefix).lower()
        reader = readers.get(name)
        if reader is None:
            # Here, since few have such a variable.
            from edgeauth.settings.injected import injected  # noqa: PLC0415

            if label in injected(environ):
                continue
        elif not text and reader is not read_secret:
            continue
        found[name] = _read(readers, name, text, label)
    return found


def _is_one_of(label: str, names: tuple[str, ...]) -> bool:
    return any(label == name or (name[-1] == "_" and label.startswith(name)) for name in names)


def _read(readers: Readers, name: str, value: object, label: str) -> object:
    """*value* as the type of the setting *name*; *label* is how the user wrote the name."""
    reader = readers.get(name)
    if reader is None:
        raise _unknown(readers, name, label)
    return reader(label, value)


def _unknown(readers: Readers, name: object, label: object) -> ConfigurationError:
    # Here, since only a mistake needs it.
    import difflib  # noqa: PLC0415

    near = difflib.get_close_matches(str(name), readers, n=1)
    if not near:
        return ConfigurationError(f"unknown setting {label!r}; known are {', '.join(readers)}")
    # A variable is the setting in upper case behind a prefix.
    prefix = str(label).removesuffix(str(name).upper())
    right = near[0] if label == name else prefix + near[0].upper()
    return ConfigurationError(f"unknown setting {label!r}: did you mean {right!r}?")


def wrong_value(label: str, value: object, expected: str) -> NoReturn:
    """Refuse the value of a setting, in the words that all of them use."""
    raise ConfigurationError(f"{label} is {value!r}; write {expected}")


def check_stale_days(days: float) -> None:
    """Refuse what is no age in days that an address list may have.

    Raises:
        ConfigurationError: it is none.
    """
    _check_number("addresses_stale_days", days, 1, _MAX_STALE_DAYS, "days")


def _check_number(name: str, value: float, least: float, most: float, unit: str) -> None:
    # bool is an int in Python.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        wrong_value(name, value, f"{least} to {most} {unit}")


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


def _text_or_off(label: str, value: object) -> str | None:
    return None if value == "off" else read_text(label, value)


def _number_of(unit: str) -> Callable[[str, object], float]:
    def read(label: str, value: object) -> float:
        if isinstance(value, str):
            try:
                return float(value) if "." in value else int(value)
            except ValueError:
                wrong_value(label, value, f"a number of {unit}")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            wrong_value(label, value, f"a number of {unit}")
        return value

    return read


def _flag(label: str, value: object) -> bool:
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


def read_one_of(*choices: str) -> Callable[[str, object], str]:
    """A reader of one word out of several."""

    def read(label: str, value: object) -> str:
        if value not in choices:
            wrong_value(label, value, " or ".join(repr(choice) for choice in choices))
        return str(value)

    return read


_READERS: Readers = {
    "secret": read_secret,
    "secrets_file": read_text,
    "secrets_dir": read_text,
    "scheme": read_one_of("edge-auth", "shared-secret"),
    "header": read_text,
    "max_age": _number_of("seconds"),
    "max_future": _number_of("seconds"),
    "require_pop": _flag,
    "pops": read_list,
    "addresses": _text_or_off,
    "addresses_stale_days": _number_of("days"),
    "trusted_proxies": read_list,
    "exempt": read_list,
    "mount_points": read_list,
    "mode": read_one_of("enforce", "report-only"),
    "strip_header": _flag,
    "decisions": _text_or_off,
    "watch_interval": _number_of("seconds"),
    "pass_secret": read_secret,
    "pass_secret_file": read_text,
    "revoked_passes": read_list,
    "revoked_passes_file": read_text,
}

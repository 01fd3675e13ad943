"""What one generation of the configuration decides by.

The supervisor reads the files once and sends the workers what it read, so that all decide
by the same, and a worker that is started later does not depend on what the files have
become. It travels over a pipe, hence plain values where the core's objects hold hash states.
"""

from __future__ import annotations

import contextlib
import dataclasses
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeauth._reload.watched_policy import policy_source
from edgeauth.addresses import AddressList
from edgeauth.build import guard_of, worker_observers
from edgeauth.errors import ConfigurationError
from edgeauth.forwarded import TrustedProxies
from edgeauth.guard import Guard
from edgeauth.keys import Key, KeyRing
from edgeauth.policy import Policy
from edgeauth.public_keys import PublicKey
from edgeauth.schemes.base import needs_body
from edgeauth.schemes.needs import needs_proxy
from edgeauth.service.settings import ServiceSettings
from edgeauth.settings import Settings, config_path, read_document

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from edgeauth.passes import Passes
    from edgeauth.policy import PolicySource


# Id, secret or text of a public key, not_before, not_after.
PlainKey = tuple[str, bytes | str, float, float]

# The settings that name a file; a directory of secrets has no pipes in it.
_FILES = ("addresses", "pass_secret_file", "revoked_passes_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One generation of the configuration, whole and valid.

    Attributes:
        generation: counted from 1; each successful reload adds one.
        settings: the guard's settings; the files they name have been read.
        service: the service's options.
        listed_at: Unix seconds for which the address list was true, or None.
    """

    generation: int
    settings: Settings
    service: ServiceSettings
    keys: tuple[tuple[PlainKey, ...], ...] = field(repr=False)
    files: tuple[Mapping[str, Any], ...] = field(repr=False)
    networks: tuple[str, ...] | None
    listed_at: float | None
    passes: Passes | None

    @classmethod
    def load(
        cls,
        generation: int,
        config: str | os.PathLike[str] | None,
        environ: Mapping[str, str] | None,
        flags: Mapping[str, Any],
    ) -> State:
        """What :meth:`read` reads, without its source."""
        return cls.read(generation, config, environ, flags)[0]

    @classmethod
    def read(
        cls,
        generation: int,
        config: str | os.PathLike[str] | None,
        environ: Mapping[str, str] | None,
        flags: Mapping[str, Any],
    ) -> tuple[State, PolicySource]:
        """Read everything that decisions depend on, each file once.

        What can be read but once, such as the pipe of a process substitution, is good for the
        first generation. A later one refuses it: it would be empty, or never end.

        Args:
            generation: the number of this reading.
            config: a TOML file, or None.
            environ: the variables; None is ``os.environ``.
            flags: service options from the command line.

        Returns:
            The state, and what tells of changes from now on.

        Raises:
            ConfigurationError: anything that cannot be used.
        """
        if generation > 1:
            _refuse_pipe("config", config_path(config, environ))
        document = read_document(config, environ)
        service = ServiceSettings.of_document(document, environ, flags)
        settings = Settings.of_document(document, environ)
        refuse_own_memories(settings, service)
        if generation > 1:
            for scheme in settings.schemes:
                for name, path in {"secrets_file": scheme.secrets_file, **scheme.files}.items():
                    _refuse_pipe(name, path)
            for name in _FILES:
                _refuse_pipe(name, getattr(settings, name))
        source = policy_source(settings, told_as="for the workers")
        policy = source.policy
        state = cls(
            generation=generation,
            settings=settings,
            service=service,
            keys=tuple(map(_plain, policy.keys)),
            files=policy.files,
            networks=_networks(policy.addresses),
            listed_at=_listed_at(settings.addresses, policy.addresses),
            passes=policy.passes,
        )
        state.build_guard().start()
        return state, source

    def following(self, policy: Policy) -> State:
        """The next generation: what was read anew, and all else as it is.

        Raises:
            ConfigurationError: no guard can be built of it.
        """
        state = dataclasses.replace(
            self,
            generation=self.generation + 1,
            keys=tuple(map(_plain, policy.keys)),
            files=policy.files,
            networks=_networks(policy.addresses),
            listed_at=_listed_at(self.settings.addresses, policy.addresses),
            passes=policy.passes,
        )
        state.build_guard().start()
        return state

    def build_guard(self) -> Guard:
        """A guard of this state, for a worker.

        It warns of nothing at its start: the supervisor does, once for all workers.

        Raises:
            ConfigurationError: a value that the guard refuses.
        """
        settings = self.settings
        # The proxy that asks is believed about X-Forwarded-For as well; trusted_proxies
        # names those in front of it.
        trusted = self.service.proxy_addresses + settings.trusted_proxies
        rings = [KeyRing(map(_key, ring)) if ring else None for ring in self.keys]
        scheme = settings.build_scheme(rings, self.files)
        if needs_body(scheme):
            raise ConfigurationError(
                "content-digest is among the components, and the service never sees a body: take "
                "it out here, and let the application's own gate (ASGI, WSGI, Django) compare it"
            )
        if needs_proxy(scheme):
            raise ConfigurationError(
                "a scheme here believes what the proxy says of a certificate, and a proxy that "
                "asks the service hands on what a client wrote in the same fields: let the proxy "
                "refuse by itself, or put the application's own gate behind it"
            )
        policy = Policy(
            scheme,
            None if self.networks is None else AddressList(self.networks),
            self.passes,
        )
        observers = worker_observers(settings, TrustedProxies(trusted))
        return guard_of(Guard, settings, policy, trusted_proxies=trusted, observers=observers)

    def build_proxies(self) -> TrustedProxies:
        """The proxies that may say what the original request was."""
        return TrustedProxies(self.service.proxy_addresses)


def refuse_own_memories(settings: Settings, service: ServiceSettings) -> None:
    """Refuse a replay store that each worker would have for itself.

    Raises:
        ConfigurationError: there are several workers and a store in the memory of one.
    """
    if settings.replay == "memory" and service.workers > 1:
        raise ConfigurationError(
            f"replay is 'memory' and workers is {service.workers}: each worker has a memory of its "
            f"own, so a credential would be good {service.workers} times. Write "
            "'sqlite:/path/to/file' or 'redis://host', which all workers share, or workers = 1"
        )


def _refuse_pipe(name: str, path: str | os.PathLike[str] | None) -> None:
    try:
        is_pipe = path is not None and stat.S_ISFIFO(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return  # reading it will say what is wrong
    if is_pipe:
        raise ConfigurationError(
            f"{name} {str(path)!r} is a pipe, which can be read but once: restart the service "
            "for what is new, or name a file"
        )


def _plain(keys: KeyRing | None) -> tuple[PlainKey, ...]:
    return tuple(
        (key.id, key.secret if isinstance(key, Key) else key.text, key.not_before, key.not_after)
        for key in keys or ()
    )


def _key(plain: PlainKey) -> Key | PublicKey:
    key_id, given, *dates = plain
    if isinstance(given, bytes):
        return Key(key_id, given, *dates)
    return PublicKey.from_text(key_id, given, *dates)


def _networks(addresses: AddressList | None) -> tuple[str, ...] | None:
    return None if addresses is None else tuple(map(str, addresses.networks))


def _listed_at(source: str | None, addresses: AddressList | None) -> float | None:
    if source is None or addresses is None:
        return None
    if addresses.first_day is not None:
        return datetime.combine(addresses.first_day, time(), UTC).timestamp()
    if addresses.as_of is None:
        # For a metric only: a file that is gone by now is no reason not to start.
        with contextlib.suppress(OSError):
            return Path(source).stat().st_mtime
    return None

"""What one generation of the configuration decides by.

The supervisor reads the files once and sends the workers what it read, so that all decide
by the same, and a worker that is started later does not depend on what the files have
become. It travels over a pipe, hence plain values where the core's objects hold hash states.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeauth.addresses import AddressList
from edgeauth.forwarded import TrustedProxies
from edgeauth.guard import Guard
from edgeauth.keys import Key, KeyRing
from edgeauth.service.settings import ServiceSettings
from edgeauth.settings import Settings

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from edgeauth.live import Basis
    from edgeauth.passes import Passes


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
    keys: tuple[tuple[str, bytes, float, float], ...] = field(repr=False)
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
        """Read everything that decisions depend on.

        Args:
            generation: the number of this reading.
            config: a TOML file, or None.
            environ: the variables; None is ``os.environ``.
            flags: service options from the command line.

        Raises:
            ConfigurationError: anything that cannot be used.
        """
        settings = Settings.load(config, environ)
        service = ServiceSettings.load(config, environ, flags)
        keys = settings.build_keys()
        addresses = settings.build_addresses()
        state = cls(
            generation=generation,
            settings=settings,
            service=service,
            keys=_plain(keys),
            networks=_networks(addresses),
            listed_at=_listed_at(settings.addresses, addresses),
            passes=settings.build_passes(keys),
        )
        state.build_guard()
        return state

    def following(self, basis: Basis) -> State:
        """The next generation: what a watch read anew, and all else as it is.

        Raises:
            ConfigurationError: no guard can be built of it.
        """
        state = dataclasses.replace(
            self,
            generation=self.generation + 1,
            keys=self.keys if basis.keys is None else _plain(basis.keys),
            networks=_networks(basis.addresses),
            listed_at=_listed_at(self.settings.addresses, basis.addresses),
            passes=basis.passes,
        )
        state.build_guard()
        return state

    def build_guard(self) -> Guard:
        """A guard of this state.

        Raises:
            ConfigurationError: a value that the guard refuses.
        """
        return Guard(
            self.settings.build_scheme(KeyRing(Key(*values) for values in self.keys)),
            addresses=None if self.networks is None else AddressList(self.networks),
            trusted_proxies=self._trusted,
            exempt=self.settings.exempt,
            mode=self.settings.mode,
            strip_header=self.settings.strip_header,
            decisions=self.settings.decisions,
            passes=self.passes,
            addresses_stale_days=self.settings.addresses_stale_days,
            mount_points=self.settings.mount_points,
        )

    def build_proxies(self) -> TrustedProxies:
        """The proxies that may say what the original request was."""
        return TrustedProxies(self.service.proxy_addresses)

    @property
    def _trusted(self) -> tuple[str, ...]:
        # The proxy that asks is believed about X-Forwarded-For as well; trusted_proxies
        # names those in front of it.
        return self.service.proxy_addresses + self.settings.trusted_proxies


def _plain(keys: KeyRing) -> tuple[tuple[str, bytes, float, float], ...]:
    return tuple((key.id, key.secret, key.not_before, key.not_after) for key in keys)


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

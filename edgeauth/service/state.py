"""What one generation of the configuration decides by.

The supervisor reads the files once and sends the workers what it read, so that all decide
by the same, and a worker that is started later does not depend on what the files have
become. It travels over a pipe, hence plain values where the core's objects hold hash states
or locks.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeauth.addresses import AddressList
from edgeauth.forwarded import TrustedProxies
from edgeauth.guard import Guard
from edgeauth.keys import Key, KeyRing
from edgeauth.passes import Passes
from edgeauth.service.settings import ServiceSettings
from edgeauth.settings import Settings
from edgeauth.staleness import StaleWarning

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping


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
        addresses = settings.build_addresses()
        settings.build_passes()
        state = cls(
            generation=generation,
            settings=dataclasses.replace(
                settings, pass_secret=settings.read_pass_secret(), pass_secret_file=None
            ),
            service=service,
            keys=tuple(
                (key.id, key.secret, key.not_before, key.not_after) for key in settings.build_keys()
            ),
            networks=None if addresses is None else tuple(map(str, addresses.networks)),
            listed_at=_listed_at(settings.addresses, addresses),
        )
        state.build_guard()
        if addresses is not None:
            StaleWarning().look(addresses)
        return state

    def build_guard(self) -> Guard:
        """A guard of this state.

        Raises:
            ConfigurationError: a value that the guard refuses.
        """
        secret = self.settings.pass_secret
        return Guard(
            self.settings.build_scheme(KeyRing(Key(*values) for values in self.keys)),
            addresses=None if self.networks is None else AddressList(self.networks),
            trusted_proxies=self._trusted,
            exempt=self.settings.exempt,
            mode=self.settings.mode,
            strip_header=self.settings.strip_header,
            decisions=self.settings.decisions,
            passes=None if secret is None else Passes(secret, revoked=self.settings.revoked_passes),
        )

    def build_proxies(self) -> TrustedProxies:
        """The proxies that may say what the original request was."""
        return TrustedProxies(self.service.proxy_addresses)

    @property
    def _trusted(self) -> tuple[str, ...]:
        # The proxy that asks is believed about X-Forwarded-For as well; trusted_proxies
        # names those in front of it.
        return self.service.proxy_addresses + self.settings.trusted_proxies


def _listed_at(source: str | None, addresses: AddressList | None) -> float | None:
    if source is None or addresses is None:
        return None
    # For a metric only: a date that no calendar has is no reason not to start.
    with contextlib.suppress(OSError, ValueError):
        if addresses.as_of is None:
            return Path(source).stat().st_mtime
        day = addresses.as_of if addresses.as_of.count("-") > 1 else f"{addresses.as_of}-01"
        return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    return None

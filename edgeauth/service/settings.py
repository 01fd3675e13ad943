"""The service's own options: flags, ``EDGEAUTH_SERVICE_<NAME>``, and the table ``[service]``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edgeauth.errors import ConfigurationError
from edgeauth.forwarded import UNIX, TrustedProxies
from edgeauth.service.original_request import KINDS
from edgeauth.settings import (
    SERVICE_PREFIX,
    SERVICE_TABLE,
    Readers,
    read_document,
    read_environ,
    read_list,
    read_mapping,
    read_one_of,
    read_text,
    wrong_value,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_WORKERS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """How the service listens and whom it believes.

    Attributes:
        listen: ``unix:/path``, ``host:port``, or ``systemd`` for the sockets that systemd
            hands over.
        socket_mode: the permissions of a Unix socket, in octal.
        proxy: which proxy asks, so in which way the original request is told:
            ``nginx``, ``ingress-nginx``, ``forward-auth`` (Caddy, Traefik), ``envoy`` or
            ``haproxy``.
        proxy_addresses: CIDRs (and ``unix``) of the proxies that are believed about it and
            about X-Forwarded-For.
        workers: how many processes decide.
        deny_status: 403 or 401.
        admin: where /healthz, /readyz and /metrics listen, ``host:port`` or ``unix:/path``;
            None for nowhere.
        log_format: ``plain`` or ``json``.
    """

    listen: str = "unix:/run/edgeauth/edgeauth.sock"
    socket_mode: int = 0o660
    proxy: Literal["nginx", "ingress-nginx", "forward-auth", "envoy", "haproxy"] = "nginx"
    proxy_addresses: tuple[str, ...] = (UNIX, "127.0.0.0/8", "::1")
    workers: int = 1
    deny_status: Literal[401, 403] = 403
    admin: str | None = None
    log_format: Literal["plain", "json"] = "plain"

    @classmethod
    def load(
        cls,
        config: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, Any] | None = None,
    ) -> ServiceSettings:
        """Read the table ``[service]``, the environment, which wins, and flags, which win.

        The table is in *config*, or else in the file that ``EDGEAUTH_CONFIG`` names.

        Raises:
            ConfigurationError: the file cannot be read, an unknown name, or a value of the
                wrong kind.
        """
        return cls.of_document(read_document(config, environ), environ, flags)

    @classmethod
    def of_document(
        cls,
        document: Mapping[str, Any],
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, Any] | None = None,
    ) -> ServiceSettings:
        """As :meth:`load`, of a file that was read already.

        Raises:
            ConfigurationError: an unknown name, or a value of the wrong kind.
        """
        table = document.get(SERVICE_TABLE, {})
        if not isinstance(table, dict):
            raise ConfigurationError(f"{SERVICE_TABLE} must be a table: write [{SERVICE_TABLE}]")
        variables = os.environ if environ is None else environ
        settings = cls(
            **{
                **read_mapping(_READERS, table),
                **read_environ(_READERS, SERVICE_PREFIX, variables),
                **read_mapping(_READERS, flags or {}),
            }
        )
        TrustedProxies(settings.proxy_addresses)  # says what is wrong with an entry
        return settings


def _admin(label: str, value: object) -> str | None:
    return None if value == "off" else read_text(label, value)


def _workers(label: str, value: object) -> int:
    number = _whole(value, base=10)
    if number is None or not 1 <= number <= _MAX_WORKERS:
        wrong_value(label, value, f"a whole number from 1 to {_MAX_WORKERS}")
    return number


def _deny_status(label: str, value: object) -> int:
    number = _whole(value, base=10)
    if number not in (401, 403):
        wrong_value(label, value, "403 or 401: nginx makes an error of anything else")
    return number


def _socket_mode(label: str, value: object) -> int:
    number = _whole(value, base=8) if isinstance(value, str) else None
    if number is None or not 0 <= number <= 0o777:  # noqa: PLR2004
        wrong_value(label, value, 'permissions in octal, as a text such as "660"')
    return number


def _whole(value: object, *, base: int) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        try:
            return int(value, base)
        except ValueError:
            return None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_READERS: Readers = {
    "listen": read_text,
    "socket_mode": _socket_mode,
    "proxy": read_one_of(*KINDS),
    "proxy_addresses": read_list,
    "workers": _workers,
    "deny_status": _deny_status,
    "admin": _admin,
    "log_format": read_one_of("plain", "json"),
}

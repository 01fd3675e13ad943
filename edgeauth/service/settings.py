"""The service's own options: flags, ``EDGEAUTH_SERVICE_<NAME>``, and the table ``[service]``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edgeauth.errors import ConfigurationError
from edgeauth.forwarded import UNIX, TrustedProxies
from edgeauth.schemes.options import (
    read_list,
    read_one_of,
    read_text,
    read_text_or_off,
    wrong_value,
)
from edgeauth.service.original_request import KINDS
from edgeauth.settings.sources import (
    SERVICE_PREFIX,
    SERVICE_TABLE,
    of_environ,
    of_mapping,
    read_document,
    that_are_set,
)
from edgeauth.settings.table import options_in, read_layer, setting, table_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

_MAX_WORKERS = 256


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """How the service listens and whom it believes; the table of its options."""

    listen: str = setting(
        read_text,
        "unix:/run/edgeauth/edgeauth.sock",
        "`unix:/path`, `host:port`, or `systemd` for the sockets that systemd hands over",
    )
    socket_mode: int = setting(_socket_mode, 0o660, "the permissions of a Unix socket, in octal")
    proxy: Literal["nginx", "ingress-nginx", "forward-auth", "envoy", "haproxy"] = setting(
        read_one_of(*KINDS),
        "nginx",
        "which proxy asks, so in which way the original request is told: `forward-auth` is that "
        "of Caddy and Traefik",
    )
    proxy_addresses: tuple[str, ...] = setting(
        read_list,
        (UNIX, "127.0.0.0/8", "::1"),
        "CIDRs, and `unix`, of the proxies that are believed about it and about X-Forwarded-For",
    )
    workers: int = setting(_workers, 1, "how many processes decide")
    deny_status: Literal[401, 403] = setting(
        _deny_status, 403, "the status of a refusal: 403 or 401"
    )
    admin: str | None = setting(
        read_text_or_off,
        None,
        "where /healthz, /readyz and /metrics listen, `host:port` or `unix:/path`",
    )
    log_format: Literal["plain", "json"] = setting(
        read_one_of("plain", "json"), "plain", "the form of the log: `json` is an object a line"
    )

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
        in_environ = that_are_set(of_environ(environ, SERVICE_PREFIX, ()), _OPTIONS, environ)
        layer = {**of_mapping(table), **in_environ, **of_mapping(flags or {})}
        settings = cls(**read_layer(layer, _OPTIONS))
        TrustedProxies(settings.proxy_addresses)  # says what is wrong with an entry
        return settings


_OPTIONS = table_of(options_in(ServiceSettings))

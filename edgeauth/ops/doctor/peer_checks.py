"""Checks whether the server hides the real peer address from the address check.

uvicorn replaces the peer address by X-Forwarded-For before any middleware runs, for peers that it
trusts (127.0.0.1 by default). A Unix socket has no peer address at all.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from edgeauth.errors import ConfigurationError
from edgeauth.forwarded import UNIX
from edgeauth.ops.doctor.finding import Finding
from edgeauth.ops.schemes.configured import believing_proxies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeauth.addresses import AddressList
    from edgeauth.settings import Settings

_OFF = frozenset({"0", "false", "f", "no", "n", "off"})
_UNIX_BIND = re.compile(r"(?:-b|--bind)[ =]?unix:")
_ONE_PLACE = (
    "Let one place decide: run uvicorn with --no-proxy-headers and name the proxies in "
    "trusted_proxies."
)


def check_peer(
    settings: Settings, environ: Mapping[str, str], *, listen: str | None, is_asgi: bool
) -> list[Finding]:
    """Findings about the peer address; none if nothing depends on it.

    Args:
        settings: the settings of the gate.
        environ: of the server: FORWARDED_ALLOW_IPS, UVICORN_* and GUNICORN_CMD_ARGS.
        listen: where the server listens, if it is known.
        is_asgi: whether uvicorn may be the server.
    """
    try:
        addresses = settings.build_addresses()
    except ConfigurationError:
        return []  # check_settings reports it
    believing = believing_proxies(settings)
    found = []
    if believing and is_asgi and _rewrites(environ):
        found += _hidden_proxy(believing[0], environ)
    if addresses is None:
        return found
    found += _unix_socket(settings, environ, listen)
    if is_asgi and _rewrites(environ):
        found += _rewritten(addresses, environ)
    return found


def _unix_socket(
    settings: Settings, environ: Mapping[str, str], listen: str | None
) -> list[Finding]:
    on_unix_socket = (
        (listen or "").startswith(("unix:", "/"))
        or "UVICORN_UDS" in environ
        or _UNIX_BIND.search(environ.get("GUNICORN_CMD_ARGS", "")) is not None
    )
    if not on_unix_socket or UNIX in settings.trusted_proxies:
        return []
    return [
        Finding(
            "unix-socket",
            "error",
            "the server listens on a Unix socket, where peers have no address, and addresses are "
            "checked: every request is refused",
            "If the proxy on that socket sets X-Forwarded-For, add 'unix' to trusted_proxies; else "
            "take 'addresses' out of the settings.",
        )
    ]


def _rewrites(environ: Mapping[str, str]) -> bool:
    if environ.get("UVICORN_PROXY_HEADERS", "").lower() in _OFF:
        return False
    return find_spec("uvicorn") is not None


def _hidden_proxy(kind: str, environ: Mapping[str, str]) -> list[Finding]:
    if not environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1"):
        return []
    return [
        Finding(
            "proxy-hidden",
            "error",
            f"the scheme {kind} believes a proxy by its address, and uvicorn puts the address from "
            "X-Forwarded-For in the place of it: the proxy is not known, or somebody else is "
            "taken for it",
            _ONE_PLACE,
        )
    ]


def _rewritten(addresses: AddressList, environ: Mapping[str, str]) -> list[Finding]:
    named = environ.get("FORWARDED_ALLOW_IPS")
    trusted = [entry.strip() for entry in ("127.0.0.1" if named is None else named).split(",")]
    if "*" in trusted:
        return [
            Finding(
                "peer-from-anybody",
                "error",
                "FORWARDED_ALLOW_IPS is *, so uvicorn takes the peer's address from the "
                "X-Forwarded-For of anybody: the address check can be passed by writing one",
                _ONE_PLACE,
            )
        ]
    networks = [network for network in map(_network, trusted) if network is not None]
    if any(_overlap(network, other) for network in networks for other in addresses.networks):
        return [
            Finding(
                "edge-taken-for-a-proxy",
                "error",
                "FORWARDED_ALLOW_IPS names addresses of the edge, so uvicorn puts the visitor's "
                "address in their place before the address check: every request is refused",
                _ONE_PLACE,
            )
        ]
    if not networks:
        return []
    return [
        Finding(
            "peer-rewritten",
            "warning",
            f"uvicorn takes the peer's address from X-Forwarded-For for peers at "
            f"{', '.join(trusted)}{' (its default)' if named is None else ''}, whatever "
            "trusted_proxies says: a proxy there that forwards what a client wrote opens the "
            "address check",
            _ONE_PLACE,
        )
    ]


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry)
    except ValueError:
        return None  # to uvicorn it is a name, and no peer has one


def _overlap(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    return one.version == other.version and one.overlaps(other)

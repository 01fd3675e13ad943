"""What a scheme needs beside the request, asked of the scheme and never by its kind.

A scheme says so with an attribute; :class:`edgeauth.AnyOf` says it for its members.

``needs_addresses``
    True where its credential is worth nothing without an address list.
``needs_proxy``
    True where it believes what a proxy says. Then it has ``behind(proxies)``, which returns the
    same scheme, believing the fields of what these proxies send and of nobody else. Without that
    it believes nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from edgeauth.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeauth.addresses import AddressList
    from edgeauth.forwarded import TrustedProxies
    from edgeauth.request import Request
    from edgeauth.schemes.base import Scheme


class Proxies(Protocol):
    """Says whom to believe."""

    def vouch_for(self, request: Request) -> bool:
        """Whether the fields of *request* are those that a trusted proxy wrote."""


class NeedsProxy(Protocol):
    """A scheme that believes a proxy."""

    needs_proxy: bool

    def behind(self, proxies: Proxies) -> Self:
        """This scheme, believing what *proxies* vouch for."""


def needs_addresses(scheme: object) -> bool:
    """Whether *scheme* is worth nothing without an address list."""
    return getattr(scheme, "needs_addresses", False) is True


def needs_proxy(scheme: object) -> bool:
    """Whether *scheme* believes what a proxy says."""
    return getattr(scheme, "needs_proxy", False) is True


def behind(scheme: Scheme, proxies: Proxies) -> Scheme:
    """*scheme*, believing what *proxies* vouch for; the very same where it needs no proxy."""
    if not needs_proxy(scheme):
        return scheme
    bound: Scheme = scheme.behind(proxies)  # type: ignore[attr-defined]
    return bound


def refuse_unmet(scheme: Scheme, addresses: AddressList | None, proxies: TrustedProxies) -> None:
    """Refuse a guard that has not what *scheme*, or a member of it, needs.

    Raises:
        ConfigurationError: the message names the kind and what is missing.
    """
    for one in _members(scheme):
        kind = getattr(one, "kind", type(one).__name__)
        if needs_addresses(one) and addresses is None:
            raise ConfigurationError(
                f"the scheme {kind!r} proves nothing without an address list: anybody can write "
                "its header. Set addresses to a file with the edge's networks (edgeauth addresses "
                "update)"
            )
        if needs_proxy(one) and not proxies:
            raise ConfigurationError(
                f"the scheme {kind!r} believes what a proxy says, and trusted_proxies is empty: "
                "name the addresses of the proxy that verifies certificates, or 'unix'"
            )


def _members(scheme: Scheme) -> Iterator[Scheme]:
    yield from getattr(scheme, "schemes", (scheme,))

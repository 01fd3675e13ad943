"""Finds the client's address behind trusted proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeauth.addresses import AddressList, canonical_address
from edgeauth.errors import AddressNotAllowed, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeauth.request import Request

# The entry for peers on a Unix socket, which have no address.
UNIX = "unix"

_FIELD = "X-Forwarded-For"


class TrustedProxies:
    """The proxies whose X-Forwarded-For is believed.

    Args:
        networks: CIDRs or single addresses, and the word ``unix`` for a proxy that
            connects over a Unix socket. Empty: X-Forwarded-For is never read.

    Attributes:
        unix: whether a proxy on a Unix socket is believed.

    Raises:
        ConfigurationError: an entry cannot be read, or admits every address.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        if isinstance(networks, (str, bytes)):
            raise ConfigurationError(f"trusted_proxies must be a list of CIDRs, not {networks!r}")
        entries = list(networks)
        self.unix = UNIX in entries
        cidrs = [entry for entry in entries if entry != UNIX]
        try:
            self._networks = AddressList(cidrs) if cidrs else None
        except ConfigurationError as error:
            raise ConfigurationError(f"trusted_proxies: {error}") from None

    def trusts(self, peer: str | None) -> bool:
        """Whether the address *peer* is that of one of the proxies."""
        return peer is not None and self._networks is not None and peer in self._networks

    def trusts_peer_of(self, request: Request) -> bool:
        """Whether *request* was sent by one of the proxies: by its address or a Unix socket."""
        return self.unix if request.unix else self.trusts(request.peer)

    def vouch_for(self, request: Request) -> bool:
        """Whether the fields of *request* are those that one of the proxies wrote.

        Not where one may be a trailer of the client, which a server put among them.
        """
        return self.trusts_peer_of(request) and not _may_have_trailers(request)

    def __bool__(self) -> bool:
        return self.unix or self._networks is not None

    def client_address(self, request: Request) -> str:
        """The nearest address that is not a trusted proxy.

        X-Forwarded-For is walked from the right: each trusted hop vouches for the entry
        before it and nothing further. If every hop is trusted, the leftmost.

        Raises:
            AddressNotAllowed: there is no such address, or an entry that counts is not an address.
        """
        address = None if request.unix else request.peer
        if not self.trusts_peer_of(request):
            if address is None:
                raise _no_address(request)
            if _may_have_trailers(request) and canonical_address(address) in _claimed(request):
                # uvicorn may have replaced the peer address by one that the client claims.
                raise _in_a_trailer()
            return address
        for hop in self._hops(request):
            address = hop
            if not self.trusts(hop):
                break
        if address is None:
            raise AddressNotAllowed(
                "the proxy on the Unix socket sent no X-Forwarded-For",
                hint="let that proxy set X-Forwarded-For to its peer's address",
            )
        return address

    @staticmethod
    def _hops(request: Request) -> Iterable[str]:
        if _may_have_trailers(request):
            raise _in_a_trailer()
        for entries in reversed(_entries(request)):
            for entry in reversed(entries):
                address = canonical_address(entry.strip(" \t"))
                if address is None:
                    raise AddressNotAllowed("X-Forwarded-For holds something that is no address")
                yield address


def _may_have_trailers(request: Request) -> bool:
    """Whether the last X-Forwarded-For, which counts first, may be a trailer of the client.

    uvicorn with httptools adds the trailers of a chunked body to the headers.
    """
    return len(request.header(_FIELD)) > 1 and bool(request.header("Transfer-Encoding"))


def _entries(request: Request) -> list[list[str]]:
    """What each X-Forwarded-For lists, in order."""
    return [field.decode("latin-1").split(",") for field in request.header(_FIELD)]


def _claimed(request: Request) -> set[str | None]:
    """The addresses listed, whatever white space uvicorn takes from them: it calls strip()."""
    return {canonical_address(entry.strip()) for entries in _entries(request) for entry in entries}


def _in_a_trailer() -> AddressNotAllowed:
    return AddressNotAllowed(
        "several X-Forwarded-For fields, and the body is chunked: one may be a trailer",
        hint="let the proxy write X-Forwarded-For as one field and drop trailers",
    )


def _no_address(request: Request) -> AddressNotAllowed:
    if not request.unix:
        return AddressNotAllowed("the connection has no peer address: it was reset already")
    return AddressNotAllowed(
        "the connection has no peer address (a Unix socket?)",
        hint="if the proxy on that socket sets X-Forwarded-For, add 'unix' to "
        "trusted_proxies; else take 'addresses' out of the settings",
    )

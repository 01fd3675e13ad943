"""What a proxy that ends TLS says of the client's certificate, which it has verified.

The application sees no TLS. The proxy in front of it does, and tells in two fields whether a
certificate was verified, and its fingerprint. Anybody can write such fields, so they are believed
from a trusted proxy alone, by the address of the connection, and only if the proxy always writes
both, whatever the client sent.

A certificate proves who holds its private key. One that a CDN uses for all of its customers proves
"some customer of the CDN", so without fingerprints of your own the Host must be one of yours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping  # noqa: TC003 - so that annotations can be read
from copy import copy
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, ClassVar, Self

from edgeauth.errors import (
    AddressNotAllowed,
    BadSignature,
    ClaimRefused,
    ConfigurationError,
    MalformedHeader,
    MissingHeader,
)
from edgeauth.schemes.base import field_name, not_once
from edgeauth.schemes.options import Option, read_list, read_text
from edgeauth.verdict import EdgeIdentity

if TYPE_CHECKING:
    from edgeauth.keys import KeyRing
    from edgeauth.request import Request
    from edgeauth.schemes.needs import Proxies

FINGERPRINT, VERIFIED = "X-SSL-Client-Fingerprint", "X-SSL-Client-Verify"

# What nginx calls a certificate that it has verified, and no certificate at all.
SUCCESS, NONE = b"SUCCESS", b"NONE"

# SHA-1, which nginx tells, or SHA-256, which Caddy and Envoy tell.
_FINGERPRINT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_RECEIVED = re.compile(_FINGERPRINT.pattern.encode())
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
_PORT = re.compile(rb":[0-9]{1,5}\Z")


class ClientCertificateScheme:
    """Accepts a request whose client had one of these certificates, as a trusted proxy says.

    Which proxies are trusted, the guard knows: ``trusted_proxies``. A scheme that no guard holds
    believes nobody.

    Args:
        fingerprints: of the certificates, SHA-1 or SHA-256, whichever the proxy tells, in hex;
            several while one takes the place of another. None at all: any certificate that the
            proxy has verified, which needs *hosts*.
        header: the field in which the proxy tells the fingerprint.
        verified_header: the field in which it says ``SUCCESS`` where it has verified the
            certificate, and anything else where it has not.
        hosts: the hosts that may be asked for; none: any. What the Host must be beside a
            certificate that others have as well.

    Raises:
        ConfigurationError: an argument cannot be used, or there are neither fingerprints nor
            hosts.
    """

    kind: ClassVar[str] = "client-certificate"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option(
            "fingerprints",
            read_list,
            (),
            "SHA-1 or SHA-256 of the client certificates, as the proxy tells it; a list",
        ),
        Option("header", read_text, FINGERPRINT, "the field in which the proxy tells it"),
        Option(
            "verified_header",
            read_text,
            VERIFIED,
            "the field in which it says `SUCCESS` of a certificate that it has verified",
        ),
        Option(
            "hosts",
            read_list,
            (),
            "the hosts that may be asked for; needed where the certificate is not yours alone",
        ),
    )
    needs_keys: ClassVar[bool] = False
    needs_proxy: ClassVar[bool] = True

    def __init__(
        self,
        fingerprints: Iterable[str],
        *,
        header: str,
        verified_header: str,
        hosts: Iterable[str] = (),
    ) -> None:
        self.fingerprints = tuple(map(_fingerprint, _listed("fingerprints", fingerprints)))
        self.header, self.verified_header = field_name(header), field_name(verified_header)
        if header.lower() == verified_header.lower():
            raise ConfigurationError(f"header and verified_header are both {header!r}: name two")
        self.headers = (self.header, self.verified_header)
        self.hosts = tuple(map(_host, _listed("hosts", hosts)))
        if not self.fingerprints and not self.hosts:
            raise ConfigurationError(
                "neither fingerprints nor hosts: any certificate of the proxy's CA would be let "
                "in, and that of a CDN is one for all of its customers. Name the fingerprints of "
                "your own certificate, or the hosts that are yours"
            )
        self._expected = tuple(one.encode() for one in self.fingerprints)
        self._hosts = frozenset(one.encode() for one in self.hosts)
        self._proxies: Proxies | None = None

    @classmethod
    def from_options(cls, _keys: KeyRing | None, options: Mapping[str, Any]) -> Self:
        """The scheme with these values of ``OPTIONS``; it has no keys.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        return cls(**options)

    def behind(self, proxies: Proxies) -> Self:
        """This scheme, believing what *proxies* vouch for and nobody else."""
        bound = copy(self)
        bound._proxies = proxies  # noqa: SLF001 - of this class
        return bound

    def credential(self, *, now: float, **_how: object) -> Mapping[str, str]:  # noqa: ARG002
        """The fields as a proxy sends them, with the last of the fingerprints.

        Raises:
            ConfigurationError: there is none.
        """
        if not self.fingerprints:
            raise ConfigurationError("any certificate counts here: there is no fingerprint to send")
        return {self.header: self.fingerprints[-1], self.verified_header: SUCCESS.decode()}

    def verify(self, request: Request, *, now: float) -> EdgeIdentity:  # noqa: ARG002
        """Verify what the proxy says of *request*.

        The identity covers nothing: a certificate says who sends, and not what.

        Raises:
            MissingHeader: the proxy says nothing, or that there was no certificate.
            AddressNotAllowed: it is no trusted proxy that says it.
            MalformedHeader: a field is there more than once, or holds no fingerprint.
            BadSignature: the proxy could not verify the certificate.
            ClaimRefused: it is none of the certificates, or another host was asked for.
        """
        verified, told = request.header(self.verified_header), request.header(self.header)
        if not verified and not told:
            raise MissingHeader(f"no {self.verified_header} header")
        if self._proxies is None or not self._proxies.vouch_for(request):
            raise AddressNotAllowed(
                f"{self.verified_header} is not from a trusted proxy",
                hint="only what the proxies in trusted_proxies say of a certificate is believed",
            )
        if len(verified) != 1:
            raise not_once(verified, self.verified_header)
        if verified[0] == NONE:
            raise MissingHeader("the client sent no certificate")
        if not compare_digest(verified[0], SUCCESS):
            raise BadSignature(
                "the proxy has not verified the certificate",
                hint=f"{self.verified_header} must be SUCCESS: see the log of the proxy, and the "
                "CA that it is given",
            )
        if len(told) != 1:
            raise not_once(told, self.header)
        found = self._certificate(told[0].lower())
        if self._hosts and _bare_host(request.host) not in self._hosts:
            raise ClaimRefused(
                "another host was asked for",
                hint="hosts must name every host that the edge sends; let the proxy hand Host on",
            )
        return EdgeIdentity(timestamp=None, pop=None, key_id=found, scheme=self.kind)

    def _certificate(self, received: bytes) -> str:
        if not _RECEIVED.fullmatch(received):
            raise MalformedHeader(f"{self.header} holds no fingerprint in hex")
        known = [compare_digest(expected, received) for expected in self._expected]
        if known and not any(known):
            lengths = {len(expected) for expected in self._expected}
            other = "" if len(received) in lengths else "; it is of another length than those here"
            raise ClaimRefused(
                f"{self.header} names another certificate",
                hint=f"compare {self.header} with the setting fingerprints{other}",
            )
        return received.decode("ascii")

    def __repr__(self) -> str:
        return f"ClientCertificateScheme({list(self.fingerprints)!r}, hosts={list(self.hosts)!r})"


def _listed(name: str, values: Iterable[str]) -> list[object]:
    if isinstance(values, (str, bytes)):
        raise ConfigurationError(f"{name} must be a list, not a single one")
    return list(values)


def _fingerprint(one: object) -> str:
    # openssl prints it in capitals, with colons.
    text = one.replace(":", "").lower() if isinstance(one, str) else ""
    if not _FINGERPRINT.fullmatch(text):
        raise ConfigurationError(
            f"{one!r} is no fingerprint: write 40 (SHA-1) or 64 (SHA-256) characters of hex, as "
            "'openssl x509 -noout -fingerprint' prints them"
        )
    return text


def _host(one: object) -> str:
    text = one.lower() if isinstance(one, str) else ""
    if not _HOST.fullmatch(text):
        raise ConfigurationError(f"{one!r} is no host: write a name such as shop.example")
    return text


def _bare_host(host: bytes | None) -> bytes:
    """*host* in lower case, without its port."""
    return b"" if host is None else _PORT.sub(b"", host.lower())

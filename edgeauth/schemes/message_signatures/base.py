"""The bytes that are signed (RFC 9421, 2.2 and 2.5).

They are those that were received. The target is never decoded: ``%2F`` and ``/`` are two paths,
and so they are to a signature.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence  # noqa: TC003 - so that annotations can be read
from operator import itemgetter

from edgeauth.errors import MalformedHeader
from edgeauth.request import HANDSHAKE, Signable
from edgeauth.schemes.message_signatures.components import FACTS, Component

_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]+)(.*)", re.DOTALL)
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t"
_DEFAULT_PORTS = {"https": b"443", "http": b"80"}

# A fifth of the cost of encoding it.
_METHODS = {name: name.encode() for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")}

# In the order of components.FACTS; the last two are made only where they are asked for.
Facts = tuple[bytes, ...]
_SCHEME = list(FACTS).index(b"@scheme")


class Base:
    """How the signed bytes of one list of components are made.

    Args:
        components: in the order of the signature.

    Raises:
        MalformedHeader: one of them is there twice.
    """

    __slots__ = ("_host", "_more", "_pick", "_target", "_template", "components")

    def __init__(self, components: Sequence[Component]) -> None:
        self.components = tuple(components)
        if len({part.identity for part in self.components}) < len(self.components):
            raise MalformedHeader("a component is signed twice")
        needs = frozenset[str]().union(*(part.needs for part in self.components))
        self._host, self._target = "host" in needs, "target" in needs
        # A percent sign of a name is no place of the template.
        lines = [part.id.replace(b"%", b"%%") + b": %b\n" for part in self.components]
        self._template = b"".join(lines) + b'"@signature-params": %b'
        places = [part.value for part in self.components]
        self._more = any(isinstance(place, int) and place >= _SCHEME for place in places)
        self._pick: Callable[[Facts], tuple[bytes, ...]] | None = None
        # itemgetter of one gives no tuple.
        if len(places) > 1 and all(isinstance(place, int) for place in places):
            self._pick = itemgetter(*places)

    def of(self, request: Signable, signed: bytes, scheme: str) -> bytes:
        """What is signed: *request*, and the components and parameters of the signature.

        Args:
            request: as received.
            signed: the member of ``Signature-Input``, in canonical form.
            scheme: ``https`` or ``http``, as the edge sees it.

        Raises:
            MalformedHeader: the request has not what is covered, or what cannot be signed.
        """
        found = facts(request, scheme, self._host, self._target)
        if self._more:
            found = _with_scheme(found, request.host or b"", scheme)
        values = (
            self._pick(found)
            if self._pick is not None
            else tuple(
                found[part.value] if isinstance(part.value, int) else part.value(request)
                for part in self.components
            )
        )
        # A line break in a value could stand for another line. Names and parameters have none.
        if b"".join(values).translate(None, _PRINTABLE):
            raise MalformedHeader(
                "a signed part of the request is not printable ASCII",
                hint="does the edge percent-encode what it sends? Cover such a field with ;bs",
            )
        return self._template % (*values, signed)


def facts(request: Signable, scheme: str, host: bool, target: bool) -> Facts:  # noqa: FBT001
    """What components of a request have no parameters; what is not asked for is empty.

    Raises:
        MalformedHeader: what is asked for is not there, or in no form that can be signed.
    """
    name = request.method
    # ASGI does not tell the method of a handshake; in HTTP/1.1, which edges speak to origins, it is
    # this. What is no ASCII is refused with the rest of the base.
    handshake = name == HANDSHAKE and request.handshake
    method = b"GET" if handshake else _METHODS.get(name) or name.encode("utf-8", "surrogatepass")
    authority = path = query = whole = b""
    if host:
        received = request.host
        if not received or len(request.header("Host")) > 1:
            raise MalformedHeader("there must be one Host header: it is signed")
        authority = received.lower()
        if b":" in authority:
            authority = _without_default_port(authority, scheme)
    if target:
        received = request.target
        if received is None:
            raise MalformedHeader(
                "the server does not tell the target as received, and it is signed",
                hint="use a server that tells it: raw_path in ASGI, RAW_URI or REQUEST_URI in WSGI",
            )
        whole = received
        if b"#" in whole:
            raise MalformedHeader("the target has a fragment")
        if whole[:1] != b"/":
            received = _origin_form(whole, scheme, authority if host else None, name)
        path, mark, query = received.partition(b"?")
        query = mark + query if mark else b"?"
    return method, authority, path, query, whole


def _with_scheme(found: Facts, host: bytes, scheme: str) -> Facts:
    """The facts, and behind them @scheme and @target-uri: its host is spelt as received."""
    _, _, path, query, target = found
    if target == b"*":
        path = b""
    if b"?" not in target:
        query = b""
    return (*found, scheme.encode(), b"%b://%b%b%b" % (scheme.encode(), host, path, query))


def _without_default_port(authority: bytes, scheme: str) -> bytes:
    name, colon, port = authority.rpartition(b":")
    return name if colon and port.lstrip(b"0") in (b"", _DEFAULT_PORTS[scheme]) else authority


def _origin_form(target: bytes, scheme: str, authority: bytes | None, method: str) -> bytes:
    """Path and query of a target in another form than usual (RFC 9112, 3.2)."""
    if target == b"*" and method == "OPTIONS":
        return b"/"
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise MalformedHeader("the target is neither a path nor a URL")
    its_scheme, its_authority, rest = match.groups()
    its_authority = _without_default_port(its_authority.lower(), scheme)
    # Of two names, which one the application goes by is not known.
    if its_scheme.lower() != scheme.encode() or authority not in (None, its_authority):
        raise MalformedHeader("the URL in the request line contradicts the Host header or scheme")
    return rest if rest.startswith(b"/") else b"/" + rest

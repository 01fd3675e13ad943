"""The sign string: what is signed of a request, behind the data header.

By default that is the target. Else the parts that the property names, in its order, with nothing
between them. They are those of the request at the edge: what it changes on its way to the origin
is not what was signed.
"""

from __future__ import annotations

import re
from collections.abc import (
    Callable,
    Iterable,
    Sequence,
)
from difflib import get_close_matches

from edgeauth.errors import ConfigurationError, MalformedHeader
from edgeauth.request import HANDSHAKE, Signable

# Those that an edge forwards. None begins with another, so where a method ends is known.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Without a slash, so where it ends and a path begins is known.
_HOST = re.compile(rb"[A-Za-z0-9._:\[\]-]{1,255}")


def target(request: Signable) -> bytes:
    """Path and query as received.

    Raises:
        MalformedHeader: the server does not tell them, or they are none.
    """
    found = request.target
    if found is None:
        raise MalformedHeader(
            "the server does not tell the target as received, and it is signed",
            hint="use a server that tells it: raw_path in ASGI, RAW_URI or REQUEST_URI in WSGI",
        )
    if found[:1] != b"/":
        raise MalformedHeader("the target is no path, and it is signed")
    return found


def _method(request: Signable, _client: bytes) -> bytes:
    method = request.method
    # ASGI does not tell the method of a handshake; in HTTP/1.1, which edges speak, it is this.
    if method == HANDSHAKE and request.handshake:
        return b"GET"
    if method not in METHODS:
        raise MalformedHeader("the method is signed, and is none that the edge forwards")
    return method.encode()


def _host(request: Signable, _client: bytes) -> bytes:
    host = request.host
    if host is None or not _HOST.fullmatch(host) or len(request.header("Host")) > 1:
        raise MalformedHeader("there must be one Host header with a name: it is signed")
    return host


def _domain(request: Signable, client: bytes) -> bytes:
    return _host(request, client).partition(b":")[0].partition(b".")[2]


def _target(request: Signable, _client: bytes) -> bytes:
    return target(request)


def _path(request: Signable, _client: bytes) -> bytes:
    return target(request).partition(b"?")[0]


def _query(request: Signable, _client: bytes) -> bytes:
    return target(request).partition(b"?")[2]


def _filename(request: Signable, client: bytes) -> bytes:
    return _path(request, client).rpartition(b"/")[2]


def _extension(request: Signable, client: bytes) -> bytes:
    _, dot, extension = _filename(request, client).rpartition(b".")
    return extension if dot else b""


def _scheme(_request: Signable, _client: bytes) -> bytes:
    return b"https"


def _client(_request: Signable, client: bytes) -> bytes:
    return client


Part = Callable[[Signable, bytes], bytes]

#: By the name that the property has for it.
PARTS: dict[str, Part] = {
    "AK_METHOD": _method,
    "AK_SCHEME": _scheme,
    "AK_HOSTHEADER": _host,
    "AK_DOMAIN": _domain,
    "AK_URL": _target,
    "AK_PATH": _path,
    "AK_QUERY": _query,
    "AK_FILENAME": _filename,
    "AK_EXTENSION": _extension,
    "AK_CLIENT_REAL_IP": _client,
}
_COVERS = {
    "AK_METHOD": {"method"},
    "AK_HOSTHEADER": {"host"},
    "AK_URL": {"path", "query"},
    "AK_PATH": {"path"},
    "AK_QUERY": {"query"},
}
# The same for every request of one data header.
_FIXED = frozenset({"AK_SCHEME", "AK_CLIENT_REAL_IP"})
_BEGIN_WITH_A_SLASH = frozenset({"AK_URL", "AK_PATH"})
_WITHOUT_A_SLASH = _FIXED | {"AK_METHOD", "AK_HOSTHEADER", "AK_DOMAIN"}

DEFAULT_COVERS = frozenset({"path", "query"})


class SignString:
    """The sign string of a property that names its parts.

    Args:
        names: as in the property, in its order.

    Attributes:
        covers: what of a request cannot be changed without changing the string.

    Raises:
        ConfigurationError: there is no such part, or none is named.
    """

    def __init__(self, names: Iterable[str]) -> None:
        if isinstance(names, (str, bytes)):
            raise ConfigurationError(f"sign_string must be a list or a callable, not {names!r}")
        self.names = tuple(names)
        if not self.names:
            raise ConfigurationError(
                "sign_string is empty, so nothing of a request would be signed: name its parts, "
                "or leave it out"
            )
        for name in self.names:
            if name not in PARTS:
                near = get_close_matches(str(name), PARTS)
                raise ConfigurationError(
                    f"sign_string has {name!r}: write "
                    + (repr(near[0]) if near else " or ".join(PARTS))
                )
        self._parts = tuple(PARTS[name] for name in self.names)
        self.covers = frozenset(covers(self.names))

    def of(self, request: Signable, client: bytes) -> bytes:
        """The string for *request*, which the edge sends for the address *client*.

        Raises:
            MalformedHeader: the request has not what is signed.
        """
        return b"".join([part(request, client) for part in self._parts])


def covers(names: Sequence[str]) -> set[str]:
    """What of a request the parts *names* fix.

    Nothing stands between two parts, so ``/a`` and ``b=c`` are the string of ``/ab=c`` too. A part
    counts only if where it begins and where it ends is known.
    """
    count = len(names)
    known = [place in (0, count) for place in range(count + 1)]
    for place in range(1, count):
        before, name = names[place - 1], names[place]
        known[place] = (known[place - 1] and before in _FIXED | {"AK_METHOD"}) or (
            name in _BEGIN_WITH_A_SLASH and _WITHOUT_A_SLASH.issuperset(names[:place])
        )
    for place in range(count - 1, 0, -1):
        known[place] = known[place] or (known[place + 1] and names[place] in _FIXED)
    found: set[str] = set()
    for place, name in enumerate(names):
        if known[place] and known[place + 1]:
            found |= _COVERS.get(name, set())
    return found

"""How each kind of proxy tells what the original request was, and how it wants its answer.

============== ==================== ================================= ================== =====
``--proxy``    method               path and query                    host               admit
============== ==================== ================================= ================== =====
nginx          X-Original-Method    X-Original-URI                    Host               204
forward-auth   X-Forwarded-Method   X-Forwarded-Uri                   X-Forwarded-Host   204
envoy          that of the asking   that of the asking request, after Host               200
               request              the prefix ``/edgeauth``
haproxy        X-Original-Method    X-Original-URI                    X-Original-Host    204
============== ==================== ================================= ================== =====

``forward-auth`` is Caddy and Traefik. Envoy takes 200 alone for an admission. nginx keeps the
headers of a refusal to itself; the others hand them to the client, so only nginx is told
why. Only the one way that is configured is read, and only
from a proxy that is believed; whatever else arrives is :data:`UNKNOWN`, which no exemption
matches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edgeauth.asgi import Scope, ScopeRequest

if TYPE_CHECKING:
    from collections.abc import Callable

ENVOY_PREFIX = b"/edgeauth"


class Original(NamedTuple):
    """A request as the proxy received it."""

    method: str
    target: bytes
    host: bytes | None


# Neither is of the form of an exemption, so nothing is exempt by not being told.
UNKNOWN = Original("-", b"", None)


def nginx(scope: Scope) -> Original:
    """nginx, from the variables $request_method and $request_uri."""
    return _from_fields(scope, b"x-original-method", b"x-original-uri", b"host")


def forward_auth(scope: Scope) -> Original:
    """Caddy's ``forward_auth`` and Traefik's ``ForwardAuth``."""
    return _from_fields(scope, b"x-forwarded-method", b"x-forwarded-uri", b"x-forwarded-host")


def envoy(scope: Scope) -> Original:
    """Envoy's ``ext_authz``: the original request itself, under a path prefix."""
    path: bytes = scope["raw_path"]
    if not path.startswith(ENVOY_PREFIX + b"/"):
        return UNKNOWN
    query: bytes = scope["query_string"]
    target = path.removeprefix(ENVOY_PREFIX) + (b"?" + query if query else b"")
    return Original(scope["method"], target, _field(scope, b"host"))


def haproxy(scope: Scope) -> Original:
    """HAProxy, from the Lua action beside its configuration."""
    return _from_fields(scope, b"x-original-method", b"x-original-uri", b"x-original-host")


def unbelieved(_scope: Scope) -> Original:
    """Somebody who is not a configured proxy, whatever they say."""
    return UNKNOWN


class Kind(NamedTuple):
    """A kind of proxy.

    Attributes:
        read: reads what it tells of the original request.
        admission: the status that it takes for an admission.
        told_why: whether a refusal has the reason in a header.
    """

    read: Callable[[Scope], Original]
    admission: int = 204
    told_why: bool = False


KINDS = {
    "nginx": Kind(nginx, told_why=True),
    "forward-auth": Kind(forward_auth),
    "envoy": Kind(envoy, admission=200),
    "haproxy": Kind(haproxy),
}


class AskedRequest(ScopeRequest):
    """The core's view of the original request, behind the request that asks about it.

    The headers and the peer are those of the asking request. The path is compared raw: an
    exemption is written as it goes over the wire, and a percent-encoded look-alike is not
    exempt.
    """

    __slots__ = ("_original", "_read")

    def __init__(self, scope: Scope, read: Callable[[Scope], Original]) -> None:
        self._scope = scope
        self._read = read
        self._original: Original | None = None

    @property
    def original(self) -> Original:
        """What was told; read when somebody asks, since most decisions need none of it."""
        if self._original is None:
            self._original = self._read(self._scope)
        return self._original

    @property
    def method(self) -> str:
        return self.original.method

    @property
    def path(self) -> str:
        return self.original.target.partition(b"?")[0].decode("latin-1")

    @property
    def target(self) -> bytes | None:
        return self.original.target or None

    @property
    def host(self) -> bytes | None:
        return self.original.host


def _from_fields(scope: Scope, method: bytes, target: bytes, host: bytes) -> Original:
    told_method, told_target = _field(scope, method), _field(scope, target)
    if told_method is None or told_target is None:
        return UNKNOWN
    return Original(told_method.decode("latin-1"), told_target, _field(scope, host))


def _field(scope: Scope, name: bytes) -> bytes | None:
    """The value of a field that is there exactly once. Of two, nobody knows who wrote which."""
    values = [value for field, value in scope["headers"] if field == name]
    return values[0] if len(values) == 1 else None

"""Reads the original request from what each kind of proxy sends, and knows the answer it wants.

============== =================== ================================= ================== =====
``--proxy``    method              path and query                    host               admit
============== =================== ================================= ================== =====
nginx          X-Original-Method   X-Original-URI                    Host               204
ingress-nginx  X-Original-Method   X-Original-URL, a whole URL       in X-Original-URL  204
forward-auth   X-Forwarded-Method  X-Forwarded-Uri                   X-Forwarded-Host   204
envoy          that of the asking  that of the asking request, after Host               200
               request             the prefix ``/edgeauth``
haproxy        X-Original-Method   X-Original-URI                    X-Original-Host    204
============== =================== ================================= ================== =====

``forward-auth`` is Caddy and Traefik. Envoy accepts only 200 as an admission. nginx does not
forward the headers of a refusal; the others send them to the client, so only nginx gets the
reason. Only the fields of the configured kind are read, and only from a trusted proxy. Everything
else is :data:`UNKNOWN`, which no exemption matches.

A kind may read only fields that its proxy sets in every case, never fields that a client can set.
It names these fields: ``edgeauth probe`` and ``edgeauth doctor`` send those of every kind, and
check that they are ignored (:mod:`edgeauth.ops.probe.spoofable`).

A proxy that gets no answer may ask again, and the store must not take that for a replay. So nginx,
HAProxy and Envoy name each request in X-Request-ID, by a value of their own, and Caddy in the path
of its question. ingress-nginx hands on what a client wrote there, and Traefik has no such value.

All but ingress-nginx say in X-Original-Upgrade that the request asks for an upgrade, since the
fields of the request itself are not forwarded (RFC 9110, 7.6.1). Together with the Sec-WebSocket-*
fields, which are, it makes a handshake. A part of a handshake matches no exemption.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from edgeauth.asgi import Scope, ScopeRequest
from edgeauth.request import opens_websocket

if TYPE_CHECKING:
    from collections.abc import Callable

ENVOY_PREFIX = b"/edgeauth"
UPGRADE = "X-Original-Upgrade"


class Original(NamedTuple):
    """A request as the proxy received it."""

    method: str
    target: bytes
    host: bytes | None


# No exemption has this form, so a request that the proxy does not describe is never exempt.
UNKNOWN = Original("-", b"", None)

# The host in it is the client's own Host field. nginx accepts no slash in it, so the first slash
# after it begins the path. Readers differ about a "?" or "#" before the path, so neither is
# accepted there.
_URL = re.compile(rb"https?://([A-Za-z0-9._~-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/.*)", re.DOTALL)


def envoy(scope: Scope) -> Original:
    """Envoy's ``ext_authz``: the original request itself, under a path prefix."""
    path: bytes = scope["raw_path"]
    if not path.startswith(ENVOY_PREFIX + b"/"):
        return UNKNOWN
    query: bytes = scope["query_string"]
    target = path.removeprefix(ENVOY_PREFIX) + (b"?" + query if query else b"")
    return Original(scope["method"], target, _field(scope, b"host"))


def ingress_nginx(scope: Scope) -> Original:
    """The controller's own location, from $scheme://$http_host$request_uri.

    It sets $request_uri in X-Auth-Request-Redirect too, unless an annotation puts something
    else there: where both are there, they must agree.
    """
    method, url = _field(scope, b"x-original-method"), _field(scope, b"x-original-url")
    parts = None if url is None else _URL.fullmatch(url)
    if method is None or parts is None:
        return UNKNOWN
    target = parts[3]
    redirect = _field(scope, b"x-auth-request-redirect") or b""
    if redirect.startswith(b"/") and redirect != target:
        return UNKNOWN
    return Original(method.decode("latin-1"), target, parts[1] + (parts[2] or b"") or None)


def unbelieved(_scope: Scope) -> Original:
    """Whatever somebody sends who is not a trusted proxy."""
    return UNKNOWN


def _from_fields(method: bytes, target: bytes, host: bytes) -> Callable[[Scope], Original]:
    def read(scope: Scope) -> Original:
        told_method, told_target = _field(scope, method), _field(scope, target)
        if told_method is None or told_target is None:
            return UNKNOWN
        return Original(told_method.decode("latin-1"), told_target, _field(scope, host))

    return read


# Long enough to be no two requests' by chance, so that no constant is taken for a name.
_NAME = re.compile(rb"[!-~]{16,200}")
_UUID_PATH = re.compile(rb"/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def named_by_field(scope: Scope) -> bytes:
    """The request's name in X-Request-ID; empty if there is none."""
    name = _field(scope, b"x-request-id") or b""
    return name if _NAME.fullmatch(name) else b""


def named_by_path(scope: Scope) -> bytes:
    """The request's name in the path of the question, which the proxy writes; empty if none."""
    path: bytes = scope["raw_path"]
    return path if _UUID_PATH.fullmatch(path) else b""


def unnamed(_scope: Scope) -> bytes:
    """Of a proxy that names no request by a value that only it can choose."""
    return b""


class Kind(NamedTuple):
    """A kind of proxy.

    Attributes:
        read: reads the original request.
        methods: the fields that hold the method.
        targets: the fields that hold the path.
        hosts: the fields that hold the host.
        admission: the status that admits a request.
        told_why: whether a refusal has the reason in a header.
        tells_upgrade: whether its configuration always sets or removes X-Original-Upgrade.
        name: reads the name of the request, which is the same when the proxy asks again.
    """

    read: Callable[[Scope], Original]
    methods: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    admission: int = 204
    told_why: bool = False
    tells_upgrade: bool = True
    name: Callable[[Scope], bytes] = unnamed


def _kind(method: str, target: str, host: str, **how: Any) -> Kind:  # noqa: ANN401
    names = (name.lower().encode() for name in (method, target, host))
    hosts = () if host == "Host" else (host,)
    return Kind(_from_fields(*names), (method,), (target,), hosts, **how)


KINDS = {
    "nginx": _kind(
        "X-Original-Method", "X-Original-URI", "Host", told_why=True, name=named_by_field
    ),
    "ingress-nginx": Kind(
        ingress_nginx,
        ("X-Original-Method",),
        ("X-Original-URL", "X-Auth-Request-Redirect"),
        tells_upgrade=False,
    ),
    "forward-auth": _kind(
        "X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Host", name=named_by_path
    ),
    "envoy": Kind(envoy, admission=200, name=named_by_field),
    "haproxy": _kind("X-Original-Method", "X-Original-URI", "X-Original-Host", name=named_by_field),
}

# Whoever is no proxy.
UNBELIEVED = Kind(unbelieved)


class AskedRequest(ScopeRequest):
    """The core's view of the original request, behind the request that asks about it.

    The headers and the peer are those of the asking request. The path is compared raw: an
    exemption is written as it goes over the wire, and a percent-encoded look-alike is not
    exempt.
    """

    __slots__ = ("_name", "_original", "_read", "_tells_upgrade")
    compares_body = False  # the proxy asks without it

    # The proxy hands on the target as a field.
    drops_empty_query = False

    def __init__(
        self,
        scope: Scope,
        read: Callable[[Scope], Original],
        *,
        tells_upgrade: bool = True,
        name: Callable[[Scope], bytes] = unnamed,
    ) -> None:
        self._scope = scope
        self._read = read
        self._tells_upgrade = tells_upgrade
        self._name = name
        self._original: Original | None = None

    @property
    def original(self) -> Original:
        """The original request; read when needed, since most decisions do not need it."""
        if self._original is None:
            self._original = self._read(self._scope)
        return self._original

    @property
    def question(self) -> bytes:
        """What a replay store is to know this question by when it is asked again; or empty."""
        name = self._name(self._scope)
        if not name or self.original is UNKNOWN:
            return b""
        method, target, host = self.original
        return b"\0".join((name, method.encode("latin-1"), target, host or b""))

    @property
    def method(self) -> str:
        return self.original.method

    @property
    def handshake(self) -> bool | None:
        told = [value for value in self.header(UPGRADE) if value]
        opens = opens_websocket(
            self.original.method,
            upgrade=told,
            connection=None,  # the proxy has checked it
            key=self.header("Sec-WebSocket-Key"),
            version=self.header("Sec-WebSocket-Version"),
        )
        if opens:
            return True if self._tells_upgrade else None
        # Nobody would ask about what follows another kind of upgrade.
        return None if told else opens

    @property
    def path(self) -> str:
        return self.original.target.partition(b"?")[0].decode("latin-1")

    @property
    def target(self) -> bytes | None:
        return self.original.target or None

    @property
    def query(self) -> bytes | None:
        target = self.target
        return None if target is None else target.partition(b"?")[2]

    @property
    def scheme(self) -> str | None:
        return None  # what is seen here is the connection of the proxy

    @property
    def host(self) -> bytes | None:
        return self.original.host


def _field(scope: Scope, name: bytes) -> bytes | None:
    """The value of a field, if it occurs once. Of two, nobody knows who wrote which."""
    values = [value for field, value in scope["headers"] if field == name]
    return values[0] if len(values) == 1 else None

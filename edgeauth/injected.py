"""Variables that a cluster or a container engine sets by itself, for a service of our name.

Kubernetes sets these for each Service, unless ``enableServiceLinks`` is off, and ``edgeauth`` is
a usual name for ours::

    EDGEAUTH_SERVICE_HOST=10.0.0.1
    EDGEAUTH_SERVICE_PORT=8080
    EDGEAUTH_SERVICE_PORT_HTTP=8080
    EDGEAUTH_PORT=tcp://10.0.0.1:8080
    EDGEAUTH_PORT_8080_TCP=tcp://10.0.0.1:8080
    EDGEAUTH_PORT_8080_TCP_PROTO=tcp
    EDGEAUTH_PORT_8080_TCP_PORT=8080
    EDGEAUTH_PORT_8080_TCP_ADDR=10.0.0.1

Docker's ``--link web:edgeauth`` sets the last five as well, ``EDGEAUTH_NAME=/app/edgeauth``, and
``EDGEAUTH_ENV_<NAME>`` for the variables of the other container.

Sources: ``pkg/kubelet/envvars/envvars.go`` of Kubernetes; ``daemon/links/links.go`` of Docker.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PORT = "[0-9]{1,5}"
_ADDRESS = "[0-9A-Fa-f:.]{2,45}"
_URL = re.compile(rf"(tcp|udp|sctp)://(?:\[({_ADDRESS})\]|([0-9.]{{7,15}})):({_PORT})")

# What the name of a service is followed by, and the value that stands there. Where a name has
# a port or a protocol in it, the value must be of the same.
_NAMED_PORT = re.compile(rf"_SERVICE_PORT_[A-Z0-9_]+={_PORT}")
_OF_A_PORT = re.compile(
    # The range of ports, from START to END, is Docker's.
    rf"_PORT_({_PORT})_(?P<kind>TCP|UDP|SCTP)(?:"
    rf"(?:_START|_END)?=(?i:(?P=kind))://(?:\[{_ADDRESS}\]|[0-9.]+):{_PORT}"
    rf"|_PROTO=(?i:(?P=kind))|_PORT=\1|_PORT_(?:START|END)={_PORT}|_ADDR={_ADDRESS})"
)


def injected(environ: Mapping[str, str]) -> set[str]:
    """The names in *environ* that were set so.

    Each is told by its name and its value together, and only beside those that always come
    with it: a mistyped setting stays one.
    """
    return {name for service in _services(environ) for name in service}


def _services(environ: Mapping[str, str]) -> Iterator[list[str]]:
    for name, value in environ.items():
        if name.endswith("_PORT") and (url := _URL.fullmatch(value)):
            service = name.removesuffix("_PORT")
            host = f"{service}_SERVICE_HOST"
            port = f"{service}_SERVICE_PORT"
            if environ.get(host) == (url[2] or url[3]) and environ.get(port) == url[4]:
                yield [name, host, port, *_those(environ, service, _NAMED_PORT)]
                yield _those(environ, service, _OF_A_PORT)
        elif name.endswith("_NAME"):
            service = name.removesuffix("_NAME")
            container, _, alias = value.rpartition("/")
            if container.startswith("/") and alias.upper().replace("-", "_") == service:
                url = _URL.fullmatch(environ.get(f"{service}_PORT", ""))
                yield [name, *([f"{service}_PORT"] if url else [])]
                yield _those(environ, service, _OF_A_PORT)
                yield [other for other in environ if other.startswith(f"{service}_ENV_")]


def _those(environ: Mapping[str, str], service: str, form: re.Pattern[str]) -> list[str]:
    """The variables of *service* whose names and values are together of *form*."""
    return [
        name
        for name, value in environ.items()
        if name.startswith(service) and form.fullmatch(f"{name.removeprefix(service)}={value}")
    ]
